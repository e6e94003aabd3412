/* Chapter 5: the weights of the first layer, as pictures. */

import { make } from "../dom.js";
import { column, forward } from "../network.js";
import { fixed } from "../numbers.js";
import {
  bright,
  chooseDigit,
  choices,
  firstOf,
  nameOf,
  paintFrame,
  paintSigned,
  small,
} from "./pictures.js";
import { taught } from "./versions.js";
import { widget } from "./widget.js";

const SHOWN = 4; // drawings that turn a unit on most, and as many that do least

export async function mount(form, context) {
  const [digits, lesson] = await Promise.all([context.digits(), context.lesson()]);
  const { parts, bind } = widget(form);
  chooseDigit(parts.digits, digits, firstOf(digits, 7));
  let [shown, cells] = [null, []];
  const load = async ({ version }) => {
    const [first] = await context.layers(version);
    const outcomes = digits.map(({ pixels }) => forward([first], pixels)[0]);
    return { first, outcomes };
  };
  await bind(({ version, digit, unit }, { first, outcomes }) => {
    const { activations } = outcomes[digit];
    if (shown !== first) {
      shown = first;
      unit = activations.indexOf(Math.max(...activations)); // one that is on, to begin with
      cells = fillUnits(parts.units, first, unit);
      parts.look.textContent = lookOf(lesson.versions, version);
    }
    cells.forEach((label, i) => label.classList.toggle("on", activations[i] > 0));
    return showUnit(parts, { first, outcomes, unit: Number(unit), digits, digit });
  }, load);
}

function fillUnits(host, layer, chosen) {
  const units = Array.from({ length: layer.units }, (_, i) => {
    const weights = column(layer, i);
    const picture = small();
    paintSigned(picture, weights, null, bright(weights));
    return { words: `unit ${i + 1}`, picture };
  });
  return choices(host, "unit", units, chosen);
}

/* What one sees, by how a version learned. */
function lookOf(versions, version) {
  const found = versions.find((each) => String(each.version) === version);
  if (!found) return "";
  return taught(found)
    ? `In version ${version}, which saw far more and distorted digits, many units look like a ` +
        "short piece of a stroke in one place: blue with orange beside it."
    : `In version ${version} most units look like blotches and speckle to the eye, and yet ` +
        `it reads ${Math.floor(100 * found.test_accuracy)} of 100 test images.`;
}

function showUnit(parts, { first, outcomes, unit, digits, digit }) {
  const { pixels, ...drawing } = digits[digit];
  const weights = column(first, unit);
  const most = bright(weights);
  const products = weights.map((weight, i) => weight * pixels[i]);
  paintSigned(parts.weights, weights, `The 784 weights of unit ${unit + 1}`, most);
  paintSigned(parts.products, products, "The same weights times the pixels", most);
  const sums = outcomes.map((outcome) => outcome.sums[unit]);
  const order = sums.map((_, i) => i).sort((a, b) => sums[b] - sums[a]);
  rank(parts.most, order.slice(0, SHOWN), digits, sums);
  rank(parts.least, order.slice(-SHOWN).reverse(), digits, sums);
  const active = sums.filter((sum) => sum > 0).length;
  const sum = sums[digit];
  parts.words.textContent =
    `Unit ${unit + 1}: for ${nameOf(drawing)} the sum is ${fixed(sum)}, so it is ` +
    `${sum > 0 ? "active" : "off"}. Active for ${active} of ${digits.length} drawings.`;
  return parts.words.textContent;
}

function rank(host, places, digits, sums) {
  const figures = places.map((i) => {
    const picture = small();
    paintFrame(picture, digits[i].frame);
    const words = make("span", { className: "hidden" }, `${nameOf(digits[i])}: `);
    return make("span", {}, picture, words, fixed(sums[i], 1));
  });
  host.replaceChildren(...figures);
}
