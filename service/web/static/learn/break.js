/* Chapter 8: break the network or its input, and see what is left. */

import { makeBars } from "../bars.js";
import { make } from "../dom.js";
import { argmax } from "../network.js";
import { aDigit, percent } from "../numbers.js";
import { WHOLE, breaker, distort, probabilities } from "./breakage.js";
import { chooseDigit, paintFrame } from "./pictures.js";
import { inFrame, put, widget } from "./widget.js";

/* What each does, and why it matters: words that hold whatever the count is. */
const EXPERIMENTS = {
  whole: { why: "This is the network as the server runs it." },
  shift: {
    set: { dx: 4, dy: 4 },
    why:
      "You read every digit. But each weight belongs to one pixel, so a digit in another place " +
      "is another picture. Seeing shifted examples in training helps a little; a convolutional " +
      "network needs fewer, as it looks for the same things everywhere.",
  },
  biases: {
    set: { noBiases: true },
    why: "In this network the weighted sums are much larger than the biases.",
  },
  relu: {
    set: { linear: true },
    why:
      "Without ReLU three layers are one weighted sum, and these weights were trained with it. " +
      "Trained without it, they would do much better: see logistic regression in chapter 7.",
  },
  silence: {
    set: { silent0: true },
    why:
      "Nothing of the picture gets through. Only the biases of the later layers speak, so " +
      "every drawing gets the same answer, which is right for three of 30.",
  },
  half: {
    set: { pruned: 0.5 },
    why: "Half of the weights are now 0: small weights add little.",
  },
  most: { set: { pruned: 0.9 }, why: "Now large weights are gone too." },
  noise: {
    set: { noise: 0.5 },
    why:
      "Every weight got noise half as large as the weights' own spread. In a sum of many, " +
      "errors partly cancel. Twice as much is harder.",
  },
  inverted: {
    set: { inverted: true },
    why:
      "Hundreds of pixels that were 0 are 1 now, and all their weights contribute. The server " +
      "swaps such pictures back first.",
  },
  speckle: {
    set: { speckle: 0.4 },
    why: "You still read them. To the network each speck is ink.",
  },
};

const USUAL = 7; // the drawing that is large where none is misread

export async function mount(form, context) {
  const digits = (await context.digits()).filter(({ label }) => label !== undefined);
  const { parts, bind } = widget(form);
  const cells = chooseDigit(parts.digits, digits, USUAL).map((label) => {
    const caption = make("span", { className: "caption" });
    label.append(caption);
    return { canvas: label.querySelector("canvas"), caption };
  });
  const showBars = makeBars(parts.bars);
  let experiment = "whole";
  const load = async ({ version }) => {
    const layers = await context.layers(version);
    return { layers, broken: breakerOf(layers) };
  };
  let [draw, seek] = [() => {}, false];
  const drawSoon = inFrame(() => {
    const misread = draw();
    if (!seek) return;
    seek = false; // show large what an experiment has broken, if it has broken any
    put(form, { digit: misread[0] ?? USUAL });
  });
  await bind((values, network) => {
    const how = howOf(values);
    for (const button of parts.presets.children)
      button.setAttribute("aria-pressed", button.dataset.experiment === experiment);
    parts.why.textContent = EXPERIMENTS[experiment]?.why ?? "";
    draw = () => show({ parts, cells, showBars, digits, values, how, ...network });
    drawSoon();
  }, load);
  const own = ({ target }) => {
    // A change of one's own is no named experiment; another drawing or version is no change.
    if (target !== form && !["digit", "version"].includes(target.name)) experiment = null;
  };
  form.addEventListener("input", own, true); // before the form is rendered
  parts.presets.addEventListener("click", ({ target: { dataset } }) => {
    if (!dataset.experiment) return;
    experiment = dataset.experiment;
    seek = true;
    put(form, { ...NOTHING, ...EXPERIMENTS[experiment].set });
  });
  parts.again.addEventListener("click", () =>
    put(form, { seed: Number(form.elements.seed.value) + 1 }),
  );
}

/* The controls of an unbroken network. */
const NOTHING = {
  silent0: false,
  silent1: false,
  noBiases: false,
  linear: false,
  inverted: false,
  pruned: 0,
  noise: 0,
  speckle: 0,
  dx: 0,
  dy: 0,
};

const breakers = new Map(); // what all broken copies of a version share is kept
function breakerOf(layers) {
  if (!breakers.has(layers)) breakers.set(layers, breaker(layers));
  return breakers.get(layers);
}

function howOf({ silent0, silent1, seed, ...values }) {
  const silent = [silent0, silent1].flatMap((on, layer) => (on ? [layer] : []));
  return { ...WHOLE, ...values, silent, seed: Number(seed) };
}

/* Read all drawings, show the chosen one large, and return the places of those misread. */
function show({ parts, cells, showBars, digits, values, how, layers, broken }) {
  const damaged = broken(how);
  const misread = [];
  let unbroken = 0;
  digits.forEach(({ pixels, label }, i) => {
    const seed = digits.length * how.seed + i; // each has noise of its own
    const image = distort(pixels, { ...how, seed });
    const shares = probabilities(damaged, image, how);
    const digit = argmax(shares);
    if (digit !== label) misread.push(i);
    unbroken += argmax(probabilities(layers, pixels, WHOLE)) === label;
    const levels = image.map((pixel) => Math.round(255 * pixel));
    paintFrame(cells[i].canvas, levels);
    // A dash for none: ten pictures beside each other leave no room for a word.
    const mark = digit === label ? "✓" : "✗";
    cells[i].caption.textContent = `${digit < 0 ? "–" : digit} ${mark}`;
    cells[i].caption.classList.toggle("wrong", digit !== label);
    if (i !== Number(values.digit)) return;
    paintFrame(parts.frame, levels, `The ${label} as the network sees it`);
    showBars(shares);
    parts.reading.textContent = reading(digit, label, shares);
  });
  const right = digits.length - misread.length;
  parts.count.textContent =
    `Version ${values.version} reads ${right} of ${digits.length} correctly` +
    `${right === unbroken ? ", as unbroken." : `; unbroken, ${unbroken}.`}`;
  return misread;
}

function reading(digit, label, shares) {
  if (digit < 0) return "No digit is ahead: several have the same probability.";
  const wrong = digit === label ? "" : `, but it is ${aDigit(label)}`;
  return `Reads ${digit}${wrong}: ${percent(shares[digit])}.`;
}
