/* Chapter 6: ten logits, a temperature, and what softmax makes of them. */

import { ACTIVATIONS, forward } from "../network.js";
import { percent } from "../numbers.js";
import { read, withFrame } from "../frames.js";
import { chooseDigit, firstOf, nameOf } from "./pictures.js";
import { put, widget } from "./widget.js";

const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

export async function mount(form, context) {
  const [digits, strange, lesson] = await Promise.all([
    context.digits(),
    shapes(context),
    context.lesson(),
  ]);
  const drawings = [...digits, ...strange];
  const { parts, bind } = widget(form);
  chooseDigit(parts.digits, drawings, firstOf(digits, 7));
  let shown = null; // whose logits the sliders have: they may have been moved since
  const own = (layers, digit) => {
    const { sums } = forward(layers, drawings[digit].pixels).at(-1);
    DIGITS.forEach((each) => (form.elements[`logit${each}`].value = sums[each]));
  };
  await bind(
    ({ version, digit, temperature }, layers) => {
      const key = `${version} ${digit}`;
      if (shown !== key) own(layers, digit);
      shown = key;
      const logits = DIGITS.map((each) => form.elements[`logit${each}`].valueAsNumber);
      const shares = ACTIVATIONS.softmax(logits.map((logit) => logit / temperature));
      const most = Math.max(...shares);
      shares.forEach((share, each) => {
        const row = parts.rows.children[each];
        row.classList.toggle("best", share === most);
        row.querySelector(".bar").style.transform = `scaleX(${share})`;
        row.querySelector(".percent").textContent = percent(share, 2, "> ");
      });
      parts.words.textContent =
        `Version ${version} on ${nameOf(drawings[digit])}: ${shares.indexOf(most)}, ` +
        `${percent(most)}. ${doubt(lesson.versions, version, shares)}`;
      return parts.words.textContent;
    },
    ({ version }) => context.layers(version),
  );
  form.addEventListener("click", ({ target: { dataset } }) => {
    if (dataset.add === undefined) return;
    const add = Number(dataset.add);
    if (!add) shown = null;
    const moved = DIGITS.map((each) => {
      const name = `logit${each}`;
      return [name, form.elements[name].valueAsNumber + add];
    });
    put(form, { ...Object.fromEntries(moved), ...(add ? {} : { temperature: 1 }) });
  });
}

/* The gallery's drawings that are no digit, with their frames. */
async function shapes(context) {
  const { hard } = await context.gallery();
  const strange = hard.filter(({ label }) => label === null);
  const answers = strange.length ? await read(strange, context.version) : [];
  return strange.map((drawing, i) => withFrame(drawing, answers[i].frame));
}

/* As the service does in service/model/thresholds.py. */
function doubt(versions, version, shares) {
  const found = versions.find((each) => String(each.version) === version);
  const below = found?.unsure_below ?? null;
  if (below === null) return "This version has no threshold for “unsure”.";
  const mean = Math.exp(shares.reduce((sum, each) => sum + Math.log(each), 0) / 10);
  if (Math.max(...shares) >= below && mean > (found.no_digit_above ?? 1))
    return `Unsure: no digit is ruled out (geometric mean ${percent(mean)}).`;
  return `Threshold ${percent(below)}: ${Math.max(...shares) < below ? "unsure" : "sure"}.`;
}
