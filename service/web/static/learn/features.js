/* Section 5: the weights of the first layer, and features made by hand beside them. */

import { grey, make, paintPixels, signed } from "../dom.js";
import { ownDigits } from "../frames.js";
import { argmax, column, forward } from "../network.js";
import { aDigit, fixed } from "../numbers.js";
import { choice, framePicker, picker, speaker } from "./controls.js";
import {
  UPPER_HALF,
  directionShares,
  drawHistograms,
  gradientHistograms,
  horizontalEdges,
  upperInk,
} from "./handmade.js";
import { fill, frameCanvas } from "./parts.js";

const SHOWN = 4; // digits that turn a unit on most, and as many that do least
const BRIGHT = 0.01; // of a picture's weights are as bright as can be: one extreme would hide the rest

export async function mount(section, context) {
  const [digits, ...networks] = await Promise.all([
    ownDigits(context),
    ...context.versions.map((version) => context.layers(version)),
  ]);
  let chosen = digits.findIndex(({ label }) => label === 7);
  const columns = networks.map(([first], i) =>
    unitsOf(context.versions[i], first, digits, chosen),
  );
  const byHand = handmadeOf();
  const show = () => {
    columns.forEach((each) => each.show(chosen));
    byHand.show(digits[chosen]);
  };
  const pick = framePicker("A digit to try them on", digits, chosen, (i) => {
    chosen = i;
    show();
  });
  pick.cells.forEach(({ canvas }, i) => paintPixels(canvas, digits[i].frame, grey));

  const beside = make(
    "div",
    { className: "beside" },
    ...columns.map(({ element }) => element),
  );
  const only = (version) =>
    columns.forEach(({ element }, i) => {
      element.hidden = version !== "all" && version !== String(context.versions[i]);
    });
  const first = matchMedia("(min-width: 60rem)").matches
    ? "all"
    : String(context.versions.at(-1));
  const shown = choice({
    label: "Show",
    options: [
      ...context.versions.map((version) => [String(version), `version ${version}`]),
      ["all", "side by side"],
    ],
    value: first,
    onChange: only,
  });
  only(first);
  fill(
    section,
    "units",
    make("div", { className: "panel controls" }, shown.root, pick.root),
    beside,
    make(
      "ul",
      { className: "counts facts" },
      ...countsInWords(context.versions, networks, digits).map((sentence) =>
        make("li", {}, sentence),
      ),
    ),
  );
  fill(section, "hand", byHand.element);
  show();
}

/** Run the digits through a first layer: what each unit makes of each digit. */
function outcomesOf(layer, digits) {
  return digits.map(({ pixels }) => forward([layer], pixels)[0]);
}

/** Return the colours of a unit's weights. */
function coloursOf(weights) {
  const sizes = weights.map(Math.abs).sort();
  return signed(sizes[Math.floor((1 - BRIGHT) * sizes.length)]);
}

function countsInWords(versions, networks, digits) {
  const sentences = networks.map(([first], i) => {
    const outcomes = outcomesOf(first, digits);
    const on = Array.from(
      { length: first.units },
      (_, unit) => outcomes.filter(({ activations }) => activations[unit] > 0).length,
    );
    const never = on.filter((count) => count === 0).length;
    const always = on.filter((count) => count === digits.length).length;
    const kinds = Array.from(
      { length: first.units },
      (_, unit) =>
        new Set(
          digits
            .filter((_, at) => outcomes[at].activations[unit] > 0)
            .map(({ label }) => label),
        ).size,
    );
    const single = kinds.filter((count) => count === 1).length;
    const mean = on.reduce((a, b) => a + b, 0) / digits.length;
    return (
      `Version ${versions[i]}: half of a unit's strength (its squared weights) sits in ` +
      `${strongPixels(first)} of 784 pixels; ${never} of ${first.units} units are never on ` +
      `for these ${digits.length} digits, ${always} always, ` +
      `${single} for one of the digits 0 to 9 alone, and a drawing turns ${mean.toFixed(0)} ` +
      "of them on, on average."
    );
  });
  return [
    ...sentences,
    `A unit that is off for ${digits.length} digits need not be dead: another digit may turn it on.`,
  ];
}

/** Return how many pixels hold half of a unit's squared weights: the median of the units. */
function strongPixels(layer) {
  const counts = Array.from({ length: layer.units }, (_, unit) => {
    const squares = column(layer, unit)
      .map((weight) => weight * weight)
      .sort()
      .reverse();
    let left = squares.reduce((a, b) => a + b, 0) / 2;
    let count = 0;
    while (left > 0) left -= squares[count++];
    return count;
  }).sort((a, b) => a - b);
  return (
    (counts[Math.floor((counts.length - 1) / 2)] +
      counts[Math.ceil((counts.length - 1) / 2)]) /
    2
  );
}

/** A version's first layer: all units to pick from, and the one picked, in large. */
function unitsOf(version, layer, digits, chosen) {
  const outcomes = outcomesOf(layer, digits);
  const weights = Array.from({ length: layer.units }, (_, unit) => column(layer, unit));
  let unit = argmax(outcomes[chosen].activations); // one that is on, to begin with

  const large = frameCanvas("weights");
  const product = frameCanvas("products");
  const sum = make("p", { className: "sum number" });
  const title = make("h4", {});
  const about = make("p", { className: "muted number" });
  const most = make("ol", { className: "ranked" });
  const least = make("ol", { className: "ranked" });
  const { root: said, say } = speaker();

  const pick = picker(
    `The ${layer.units} units: pick one`,
    weights.map((_, i) => `unit ${i + 1}`),
    unit,
    (i) => {
      unit = i;
      show(chosen);
      say(title.textContent + ": " + sum.textContent);
    },
  );
  pick.cells.forEach(({ canvas }, i) =>
    paintPixels(canvas, weights[i], coloursOf(weights[i])),
  );

  const show = (digit) => {
    chosen = digit;
    const { label, pixels } = digits[digit];
    const own = weights[unit];
    const products = own.map((weight, i) => weight * pixels[i]);
    const { sums, activations } = outcomes[digit];
    paintPixels(large, own, coloursOf(own));
    paintPixels(product, products, coloursOf(own));
    const on = outcomes.filter((outcome) => outcome.activations[unit] > 0).length;
    title.textContent = `Unit ${unit + 1} of version ${version}`;
    about.textContent =
      `Weights from ${fixed(Math.min(...own))} to ${fixed(Math.max(...own))}, ` +
      `bias ${fixed(layer.biases[unit])}; on for ${on} of ${digits.length} digits.`;
    large.setAttribute(
      "aria-label",
      `The 784 weights of unit ${unit + 1} as a picture, ${split(own)}.`,
    );
    product.setAttribute(
      "aria-label",
      `The same weights times the pixels of the ${label}, ${split(products)}.`,
    );
    sum.textContent =
      `Weights × pixels of this ${label}: ${fixed(sums[unit] - layer.biases[unit])}, ` +
      `with the bias ${fixed(sums[unit])}, after ReLU ${fixed(activations[unit])}: ` +
      (activations[unit] > 0 ? "on." : "off.");
    pick.cells.forEach((cell, i) => cell.label.classList.toggle("on", activations[i] > 0));
    const order = outcomes
      .map((_, i) => i)
      .sort((a, b) => outcomes[b].sums[unit] - outcomes[a].sums[unit]);
    rank(most, order.slice(0, SHOWN), outcomes, unit, digits);
    rank(least, order.slice(-SHOWN).reverse(), outcomes, unit, digits);
  };
  const element = make(
    "div",
    { className: "panel filters", dataset: { version } },
    make("h3", {}, `Version ${version}`),
    pick.root,
    make(
      "p",
      { className: "muted small" },
      "A bar below a unit: it is on for the chosen digit.",
    ),
    title,
    make(
      "div",
      { className: "two-up" },
      make("figure", {}, large, make("figcaption", {}, "its weights")),
      make("figure", {}, product, make("figcaption", {}, "weights × pixels")),
    ),
    sum,
    about,
    make(
      "div",
      { className: "two-up" },
      make("div", {}, make("h5", {}, "Turn it on most"), most),
      make("div", {}, make("h5", {}, "Turn it on least"), least),
    ),
    said,
  );
  return { element, show };
}

/** Say how much of a picture speaks for a unit, in words. */
function split(values) {
  const sum = (sign) =>
    values.reduce((total, value) => total + Math.max(0, sign * value), 0);
  return `positive ones add up to ${sum(1).toFixed(1)}, negative ones to ${fixed(-sum(-1), 1)}`;
}

function rank(list, places, outcomes, unit, digits) {
  list.replaceChildren(
    ...places.map((i) => {
      const canvas = frameCanvas();
      paintPixels(canvas, digits[i].frame, grey);
      const { sums, activations } = outcomes[i];
      const value = fixed(activations[unit]);
      const why = activations[unit] > 0 ? "" : ` (sum ${fixed(sums[unit])})`;
      return make(
        "li",
        {},
        canvas,
        make(
          "span",
          { className: "number" },
          make("span", { className: "hidden" }, `${aDigit(digits[i].label)}: `),
          value + why,
        ),
      );
    }),
  );
}

/** Three features that people made, of the digit that is chosen. */
function handmadeOf() {
  const pictures = [
    {
      title: "Ink in the upper half",
      canvas: frameCanvas(
        "Weights of a neuron made by hand: the upper half is evenly blue, the lower half black.",
      ),
      value: make("p", { className: "number" }),
    },
    {
      title: "Horizontal edges",
      canvas: frameCanvas("horizontal edges"),
      value: make("p", { className: "number" }),
    },
    {
      title: "Histograms of gradients",
      canvas: make("canvas", { className: "pixels", width: 280, height: 280, role: "img" }),
      value: make("p", { className: "number" }),
    },
  ];
  const [ink, edges, gradients] = pictures;
  paintPixels(ink.canvas, UPPER_HALF, signed(4 / UPPER_HALF.length));
  const show = ({ label, pixels }) => {
    ink.value.textContent =
      `${upperInk(pixels).toFixed(3)} for this ${label}: the mean of 392 pixels, ` +
      "each with the same weight.";
    const changes = horizontalEdges(pixels);
    paintPixels(edges.canvas, changes, signed(1));
    edges.canvas.setAttribute(
      "aria-label",
      `The ${label}: blue where it is lighter below than above, orange where darker.`,
    );
    const mean =
      changes.reduce((sum, change) => sum + Math.abs(change), 0) / changes.length;
    edges.value.textContent = `${mean.toFixed(3)} for this ${label}: the mean size of “pixel below less pixel above”.`;
    const histograms = gradientHistograms(pixels);
    drawHistograms(gradients.canvas, histograms);
    const shares = Array.from(directionShares(histograms));
    const strongest = shares.indexOf(Math.max(...shares));
    const slant = (strongest * 180) / shares.length;
    gradients.canvas.setAttribute(
      "aria-label",
      `The ${label} as 7 × 7 cells, in each the directions of its edges as short lines.`,
    );
    gradients.value.textContent =
      `${histograms.length} numbers, nine directions in each of 49 cells. In this ${label} the grey changes ` +
      `most at ${slant.toFixed(0)}° (0° is across): ${(100 * shares[strongest]).toFixed(0)} % of all change.`;
  };
  const element = make(
    "div",
    { className: "panel" },
    make("h3", {}, "Made by hand, for comparison"),
    make(
      "div",
      { className: "trio" },
      ...pictures.map(({ title, canvas, value }) =>
        make("div", {}, make("h4", {}, title), canvas, value),
      ),
    ),
  );
  return { element, show };
}
