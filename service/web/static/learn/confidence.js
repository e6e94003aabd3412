/* Section 6: softmax by hand, calibration, and what confidence does not mean. */

import { chart, svg } from "../chart.js";
import { grey, make, paintPixels } from "../dom.js";
import { ownDigits, read, withFrame } from "../frames.js";
import { ACTIVATIONS, argmax, forward } from "../network.js";
import { aDigit, fixed, percent, whole } from "../numbers.js";
import { button, framePicker, slider, speaker, versionChoice } from "./controls.js";
import { chartWidth, fill, frameCanvas, table, wide } from "./parts.js";

const FAR = 60; // logits of the shipped versions stay within ±50
const STEP = 5; // what the buttons add

export async function mount(section, context) {
  const [digits, { hard }, lesson, ...networks] = await Promise.all([
    ownDigits(context),
    context.gallery(),
    context.lesson(),
    ...context.versions.map((version) => context.layers(version)),
  ]);
  const strange = hard.filter(({ label }) => label === null);
  const answers = await Promise.all(
    context.versions.map((version) => (strange.length ? read(strange, version) : [])),
  );
  const shapes = strange.map((drawing, i) => withFrame(drawing, answers[0][i].frame));
  const byVersion = new Map(context.versions.map((version, i) => [version, networks[i]]));
  const unsure = new Map(
    lesson.versions.map(({ version, unsure_below: below }) => [version, below]),
  );
  fill(section, "softmax", softmaxOf(context.versions, byVersion, digits, shapes, unsure));
  fill(section, "calibration", calibrationOf(lesson.versions));
  fill(section, "unsure", unsureOf(lesson));
  fill(section, "strange", strangeOf(shapes, answers, context.versions));
}

/** Ten logits, a temperature, and what softmax makes of them. */
function softmaxOf(versions, networks, digits, shapes, unsure) {
  const all = [...digits, ...shapes];
  let version = versions.at(-1);
  let chosen = digits.findIndex(({ label }) => label === 7);
  let temperature = 1;
  let logits = [];
  let edited = "";

  const frame = frameCanvas("digit");
  const source = make("p", { className: "muted" });
  const doubt = make("p", { className: "doubt" });
  const formula = make("div", { className: "worked number" });
  const { root: said, say } = speaker();
  const rows = Array.from({ length: 10 }, (_, digit) =>
    logitRow(digit, (value) => {
      logits[digit] = value;
      edited = "moved by you";
      show();
    }),
  );

  const ask = () => {
    logits = Array.from(forward(networks.get(version), all[chosen].pixels).at(-1).sums);
    edited = "";
    show();
  };
  const add = (constant) => {
    logits = logits.map((logit) => logit + constant);
    edited =
      `all ${constant > 0 ? "raised" : "lowered"} by ${Math.abs(constant)}: every e to the power grows or ` +
      "shrinks by the same factor, and no share changes";
    show();
  };
  const raise = button(`Add ${STEP} to all ten`, () => add(STEP));
  const lower = button(`Take ${STEP} from all ten`, () => add(-STEP));
  const back = button("The network's own logits", () => {
    temperature = 1;
    heat.set(1);
    ask();
  });
  const heat = slider({
    label: "Temperature T",
    min: 0.25,
    max: 8,
    step: 0.25,
    value: 1,
    format: fixed,
    onInput(value) {
      temperature = value;
      show();
    },
  });
  const pick = framePicker(
    shapes.length
      ? `${digits.length} digits, and then what is no digit`
      : `${digits.length} digits`,
    digits,
    chosen,
    (i) => {
      chosen = i;
      ask();
    },
    shapes.map(({ name }) => name),
  );
  pick.cells.forEach(({ canvas }, i) => paintPixels(canvas, all[i].frame, grey));

  const show = () => {
    const { label, name } = all[chosen];
    const what = label === null ? name : aDigit(label);
    paintPixels(frame, all[chosen].frame, grey);
    frame.setAttribute("aria-label", `The frame of the drawing: ${what}.`);
    const scaled = logits.map((logit) => logit / temperature);
    const shares = ACTIVATIONS.softmax(scaled);
    const best = argmax(shares);
    rows.forEach((row, digit) => row.show(logits[digit], shares[digit], digit === best));
    raise.disabled = Math.max(...logits) + STEP > FAR;
    lower.disabled = Math.min(...logits) - STEP < -FAR;
    source.textContent = `Logits of version ${version} for ${what}${edited ? `, ${edited}` : ""}.`;
    const shown = best < 0 ? 0 : best;
    formula.replaceChildren(...formulaOf(logits, temperature, shown, shares[shown]));
    const below = unsure.get(version) ?? null;
    doubt.textContent =
      below === null
        ? `Version ${version} has no line for “unsure”.`
        : `Version ${version} is unsure below ${percent(below)}: ` +
          `${Math.max(...shares) < below ? "it is unsure here" : "it is not, here"}.`;
    say(
      best < 0
        ? "Several digits have the same share."
        : `${best}: ${percent(shares[best])}`,
    );
  };
  ask();
  return make(
    "div",
    { className: "panel softmax" },
    make(
      "div",
      { className: "controls" },
      versionChoice(versions, version, (next) => {
        version = next;
        ask();
      }),
      pick.root,
      make(
        "div",
        { className: "row" },
        frame,
        make("div", { className: "grow" }, heat.root),
      ),
      make("div", { className: "row" }, raise, lower, back),
    ),
    make(
      "div",
      {},
      source,
      make("ul", { className: "logits" }, ...rows.map(({ element }) => element)),
      formula,
      doubt,
      said,
    ),
  );
}

/** A digit's row: its logit as a slider, its share as a bar. */
function logitRow(digit, onInput) {
  const input = make("input", {
    type: "range",
    min: -FAR,
    max: FAR,
    step: 0.1,
    "aria-label": `${digit}: its logit`,
  });
  const number = make("span", { className: "number", "aria-hidden": "true" });
  const bar = make("span", { className: "bar" });
  const share = make("span", { className: "percent" });
  input.addEventListener("input", () => onInput(Number(input.value)));
  const element = make(
    "li",
    { dataset: { digit } },
    make("span", { className: "name" }, String(digit)),
    input,
    number,
    make("span", { className: "track" }, bar),
    share,
  );
  const show = (logit, probability, best) => {
    input.value = logit;
    number.textContent = fixed(logit);
    input.setAttribute("aria-valuetext", fixed(logit));
    bar.style.transform = `scaleX(${probability})`;
    share.textContent = percent(probability);
    element.classList.toggle("best", best);
  };
  return { element, show };
}

/** Write softmax out for one digit, with its numbers. */
function formulaOf(logits, temperature, digit, share) {
  const over = temperature === 1 ? "" : ` / ${temperature.toFixed(2)}`;
  const power = (...exponent) => [make("i", {}, "e"), make("sup", {}, ...exponent)];
  const logit = (of) => [make("i", {}, "z"), make("sub", {}, String(of)), over];
  const value = Math.exp(logits[digit] / temperature);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit / temperature), 0);
  return [
    make(
      "p",
      {},
      `p(${digit}) = `,
      ...power(...logit(digit)),
      " ÷ (",
      ...power(...logit(0)),
      " + … + ",
      ...power(...logit(9)),
      ")",
    ),
    make(
      "p",
      {},
      "= ",
      ...power(`${fixed(logits[digit])}${over}`),
      ` ÷ the sum of ten = ${short(value)} ÷ ${short(total)} = `,
      make("strong", {}, percent(share)),
    ),
  ];
}

/** Write a number of any size in a few digits. */
const short = (value) =>
  (value >= 1e-3 && value < 1e6 ? value.toPrecision(6) : value.toExponential(4)).replace(
    "-",
    "−",
  );

/** The bins of a reliability diagram that have images in them. */
const filled = ({ calibration }) => calibration.filter(({ images }) => images > 0);

/** Return the expected calibration error: the mean gap, each bin as heavy as its images. */
function calibrationError(version) {
  const bins = filled(version);
  const total = bins.reduce((sum, { images }) => sum + images, 0);
  return bins.reduce(
    (sum, bin) => sum + (bin.images / total) * Math.abs(bin.accuracy - bin.confidence),
    0,
  );
}

const STYLES = [
  {
    className: "one",
    mark: (x, y, r) => svg("circle", { cx: x, cy: y, r }),
    words: "circles and a full line",
  },
  {
    className: "two dashed",
    mark: (x, y, r) =>
      svg("rect", { x: x - r * 0.9, y: y - r * 0.9, width: r * 1.8, height: r * 1.8 }),
    words: "squares and a dashed line",
  },
];

function calibrationOf(versions) {
  const host = make("div", { className: "reliability" });
  const width = Math.min(440, chartWidth());
  const parts = [0, 0.2, 0.4, 0.6, 0.8, 1];
  const errors = versions.map(calibrationError);
  const sentences = versions.map(
    ({ version }, i) =>
      `version ${version} (${STYLES[i % 2].words}) has ${percent(errors[i])}`,
  );
  const axis = {
    min: 0,
    max: 1,
    ticks: parts,
    format: (part) => `${Math.round(100 * part)} %`,
  };
  const drawn = chart(host, {
    label: `Reliability diagram: accuracy by confidence. Expected calibration error: ${sentences.join("; ")}.`,
    x: { ...axis, label: "mean confidence of the bin" },
    y: { ...axis, label: "share that is right" },
    width,
    height: 0.9 * width,
    right: 28,
  });
  drawn.line(
    [
      [0, 0],
      [1, 1],
    ],
    "ideal",
  );
  versions.forEach((version, i) => {
    const { className, mark } = STYLES[i % 2];
    const bins = filled(version);
    drawn.line(
      bins.map(({ confidence, accuracy }) => [confidence, accuracy]),
      `${className} thin`,
    );
    for (const { confidence, accuracy, images } of bins) {
      const [low, high] = interval(accuracy, images);
      const x = drawn.x(confidence);
      const shape = mark(x, drawn.y(accuracy), 2.5 + 1.5 * Math.log10(images));
      shape.setAttribute("class", `mark ${className}`);
      drawn.root.append(
        svg("path", {
          class: `${className} error`,
          d: `M${x} ${drawn.y(low)}V${drawn.y(high)}`,
        }),
        shape,
      );
    }
  });
  return make(
    "div",
    { className: "panel beside" },
    wide("Reliability diagram", host),
    make(
      "div",
      {},
      make("h4", {}, "Expected calibration error"),
      make(
        "ul",
        { className: "plain" },
        ...versions.map(({ version }, i) =>
          make(
            "li",
            { dataset: { version } },
            `Version ${version}: `,
            make("strong", {}, percent(errors[i])),
            ` (${STYLES[i % 2].words})`,
          ),
        ),
      ),
      ...versions.map((version) => make("p", {}, tendency(version))),
      make(
        "p",
        { className: "muted" },
        "The dotted diagonal is where confidence and accuracy agree. A larger mark has more images; " +
          "the upright line is one standard error. Bins without an image are left out.",
      ),
      make(
        "details",
        {},
        make("summary", {}, "The bins as a table"),
        wide("The bins as a table", binTable(versions)),
      ),
    ),
  );
}

/** Return where a share is likely to be, by one standard error (Wilson's interval). */
function interval(share, count) {
  const shrink = 1 + 1 / count;
  const middle = (share + 1 / (2 * count)) / shrink;
  const half = Math.sqrt((share * (1 - share)) / count + 1 / (4 * count * count)) / shrink;
  return [middle - half, middle + half];
}

/** Say whether a version is too sure or not sure enough, from its bins. */
function tendency(version) {
  const bins = filled(version);
  const total = bins.reduce((sum, { images }) => sum + images, 0);
  const mean = (name) => bins.reduce((sum, bin) => sum + bin[name] * bin.images, 0) / total;
  const gap = mean("confidence") - mean("accuracy");
  const top = bins.at(-1);
  return (
    `Version ${version.version}: ${percent(mean("confidence"))} mean confidence, ` +
    `${percent(mean("accuracy"))} right: it is ` +
    `${gap > 0 ? "too sure" : "not sure enough"}, by ${Math.abs(100 * gap).toFixed(2)} points. ` +
    `${whole(top.images)} of ${whole(total)} images are in the last bin.`
  );
}

function binTable(versions) {
  const heads = [
    "confidence",
    ...versions.flatMap(({ version }) => [
      `images, version ${version}`,
      "mean confidence",
      "right",
    ]),
  ];
  const rows = versions[0].calibration.map(({ low, high }, i) => [
    `${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)} %`,
    ...versions.flatMap(({ calibration }) => {
      const { images, confidence, accuracy } = calibration[i];
      return images
        ? [whole(images), percent(confidence), percent(accuracy)]
        : ["0", "–", "–"];
    }),
  ]);
  return table(
    "Test images by confidence; – where there are none",
    heads,
    rows.filter((row) => row.slice(1).some((cell) => cell !== "0" && cell !== "–")),
  );
}

function unsureOf({ versions }) {
  return make(
    "ul",
    { className: "plain" },
    ...versions.map(({ version, unsure_below: below }) =>
      make(
        "li",
        {},
        below === null
          ? `Version ${version} has no such line: its reply never says “unsure”.`
          : `Version ${version} is unsure below ${percent(below)}.`,
      ),
    ),
  );
}

/** What is no digit, and the ten probabilities that come out all the same. */
function strangeOf(shapes, answers, versions) {
  if (!shapes.length) {
    return make(
      "p",
      { className: "notice" },
      "This server's gallery has no drawing that is no digit.",
    );
  }
  return make(
    "ul",
    { className: "cards" },
    ...shapes.map((shape, i) => {
      const canvas = frameCanvas(`The frame of the drawing: ${shape.name}.`);
      paintPixels(canvas, shape.frame, grey);
      return make(
        "li",
        { className: "panel", dataset: { name: shape.name } },
        canvas,
        make(
          "div",
          {},
          make("h4", {}, shape.name),
          ...versions.map((version, at) =>
            make(
              "p",
              { className: "number", dataset: { version } },
              verdict(version, answers[at][i]),
            ),
          ),
        ),
      );
    }),
  );
}

function verdict(version, { digit, confidence, probabilities, unsure }) {
  const total = probabilities.reduce((a, b) => a + b, 0);
  const answer = `${digit}, ${percent(confidence)}${unsure ? ", unsure" : ""}`;
  return `Version ${version}: ${answer}. The ten add up to ${total.toFixed(4)}.`;
}
