/* Chapter 3: one drawing through the network, step by step. */

import { make } from "../dom.js";
import { thumbnail } from "../frames.js";
import { column, forward, pixelWeights, SIZES } from "../network.js";
import { fixed, percent } from "../numbers.js";
import {
  SIDE,
  chooseDigit,
  choices,
  firstOf,
  nameOf,
  paintFrame,
  paintSigned,
} from "./pictures.js";
import { reader } from "./reader.js";
import { widget } from "./widget.js";

const DEPTHS = [0, 1];

export async function mount(form, context) {
  const [digits, layers] = await Promise.all([
    context.digits(),
    context.layers(context.version),
  ]);
  const { parts, bind } = widget(form);
  chooseDigit(parts.digits, digits, firstOf(digits, 5));
  const read = reader(parts);
  const outcomes = (digit) => forward(layers, digits[digit].pixels);
  const first = outcomes(form.elements.digit.value);
  const cells = DEPTHS.map((depth) => {
    const units = Array.from({ length: SIZES[depth + 1] }, (_, i) => ({
      words: `Unit ${i + 1} of layer ${depth + 1}`,
    }));
    const strongest = first[depth].activations.indexOf(max(first[depth].activations));
    return choices(parts[`cells${depth + 1}`], `unit${depth + 1}`, units, strongest);
  });
  await bind(({ digit, step, ...units }) => {
    const drawing = digits[digit];
    const found = outcomes(digit);
    form.dataset.step = step;
    showFrame(parts, drawing);
    read(drawing.frame);
    for (const depth of DEPTHS) {
      const inputs = depth ? found[depth - 1].activations : drawing.pixels;
      const unit = Number(units[`unit${depth + 1}`]);
      showCells(cells[depth], found[depth].activations);
      showUnit(parts, { layers, found, depth, unit, inputs });
    }
    const answer = showOutput(parts, found.at(-1), drawing);
    return `Step ${step} of 5. ${answer}`;
  });
}

const max = (values) => Math.max(...values);

/* How the drawing came into the frame: the box around its ink, and its centre of mass. */
function showFrame({ drawing: host, frame: canvas, box, centre }, drawing) {
  const picture = thumbnail(drawing);
  picture.removeAttribute("aria-hidden");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `The drawing: ${nameOf(drawing)}`);
  host.replaceChildren(picture);
  paintFrame(canvas, drawing.frame, "The same in 28 by 28 pixels, in the middle");
  let [mass, x, y] = [0, 0, 0];
  const inked = { rows: [], columns: [] };
  drawing.frame.forEach((level, i) => {
    if (!level) return;
    const [row, column] = [Math.floor(i / SIDE), i % SIDE];
    inked.rows.push(row);
    inked.columns.push(column);
    mass += level;
    x += level * (column + 0.5);
    y += level * (row + 0.5);
  });
  const [left, top] = [Math.min(...inked.columns), Math.min(...inked.rows)];
  const size = { width: max(inked.columns) + 1 - left, height: max(inked.rows) + 1 - top };
  for (const [name, value] of Object.entries({ x: left, y: top, ...size }))
    box.setAttribute(name, value);
  centre.setAttribute("d", `M${x / mass - 2} ${y / mass}h4M${x / mass} ${y / mass - 2}v4`);
}

/* The units as cells: the brighter, the larger the output; a unit that is off is a dot. */
function showCells(labels, activations) {
  const most = max(activations) || 1;
  labels.forEach((label, i) => {
    const input = label.querySelector("input");
    const words = `${input.getAttribute("aria-label").split(":")[0]}: ${fixed(activations[i])}`;
    label.title = words;
    input.setAttribute("aria-label", words);
    label.classList.toggle("off", activations[i] === 0);
    label.style.setProperty("--level", activations[i] / most);
  });
}

/* One unit's sum, and what each pixel is worth to it. */
function showUnit(parts, { layers, found, depth, unit, inputs }) {
  const { activations, sums } = found[depth];
  const active = activations.filter((value) => value > 0).length;
  parts[`active${depth + 1}`].textContent =
    `For this drawing ${active} of ${activations.length} are active.`;
  const products = column(layers[depth], unit).map((weight, i) => weight * inputs[i]);
  const add = (sign) =>
    products.reduce((sum, value) => (sign * value > 0 ? sum + value : sum), 0);
  parts[`sum${depth + 1}`].replaceChildren(
    make("b", {}, `Unit ${unit + 1}: `),
    `positive products ${fixed(add(1))}, negative ones ${fixed(add(-1))}, `,
    `bias ${fixed(layers[depth].biases[unit])}. Their sum is ${fixed(sums[unit])}; `,
    make("b", {}, `after ReLU ${fixed(activations[unit])}.`),
  );
  const worth = pixelWeights(layers, found, depth, unit);
  const words = `What each pixel is worth to unit ${unit + 1} of layer ${depth + 1}`;
  paintSigned(parts[`worth${depth + 1}`], worth, words);
}

function showOutput({ outputs, answer }, { sums, activations }, drawing) {
  const best = activations.indexOf(max(activations));
  activations.forEach((share, digit) => {
    const row = outputs.rows[digit];
    row.classList.toggle("best", digit === best);
    row.cells[1].textContent = fixed(sums[digit]);
    row.cells[2].textContent = percent(share);
    row.querySelector(".bar").style.transform = `scaleX(${share})`;
  });
  const { label } = drawing;
  const right = label === best ? ", and it was drawn as one" : `; it was drawn as ${label}`;
  answer.textContent =
    `The answer: ${best}, with a confidence of ${percent(activations[best])}` +
    `${typeof label === "number" ? right : ""}.`;
  return answer.textContent;
}
