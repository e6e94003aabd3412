/* Chapter 9: a network that learns in the browser, from the project's drawings or one's own. */

import { chart, within } from "../chart.js";
import { make } from "../dom.js";
import { thumbnail } from "../frames.js";
import { fixed, percent, whole } from "../numbers.js";
import { ink } from "./ink.js";
import { keep, kept, save, toCsv, toTar } from "./kept.js";
import { HIDDEN } from "./net.js";
import { bright, paintSigned, small } from "./pictures.js";
import { frameOf } from "./samples.js";
import { wilson } from "./statistics.js";
import { STEPS, Trainer, divide, imageOf } from "./trainer.js";
import { widget } from "./widget.js";

const PAINTED = 6; // frames from one painting of curves and weights to the next
const X = { min: 0, max: STEPS, ticks: [0, 200, 400, 600], label: "step" };
const LOSSES = { min: 0, max: 3, ticks: [0, 1, 2, 3], label: "loss" };
const SHARES = {
  min: 0,
  max: 1,
  ticks: [0, 0.5, 1],
  label: "share read",
  format: percent0,
};

function percent0(share) {
  return `${Math.round(100 * share)} %`;
}

export async function mount(form, context) {
  const { digits: box } = await context.gallery();
  const { parts, bind } = widget(form);
  const pictures = Array.from({ length: HIDDEN }, small);
  parts.layer.append(...pictures);
  const state = { own: kept(), trainer: null, running: false, frame: 0 };
  const drawings = () => {
    const { value } = form.elements.source;
    return [...(value === "own" ? [] : box), ...(value === "box" ? [] : state.own)];
  };
  const paint = () => showTraining(parts, state, pictures);
  const surface = ink(parts.ink, parts.cell, () => guess(parts, state, surface.strokes()));

  const restart = () => {
    const { training, test } = divide(drawings());
    state.running = false;
    state.trainer = training.length ? new Trainer(training, test) : null;
    paint();
    guess(parts, state, surface.strokes());
  };
  const loop = () => {
    if (!state.running) return;
    state.trainer.slice();
    state.running = !state.trainer.done;
    if (++state.frame % PAINTED === 0 || !state.running) paint();
    if (state.running) requestAnimationFrame(loop);
    else guess(parts, state, surface.strokes());
  };
  parts.run.addEventListener("click", () => {
    if (!state.trainer || state.trainer.done) restart();
    if (!state.trainer) return;
    state.running = !state.running;
    paint();
    loop();
  });
  parts.restart.addEventListener("click", restart);
  const changed = (own) => {
    state.own = own;
    keep(own);
    showOwn(parts, own, (i) => changed(own.toSpliced(i, 1)));
    if (form.elements.source.value !== "box") restart();
  };
  parts.keep.addEventListener("click", ({ target: { dataset } }) => {
    const strokes = surface.strokes();
    if (dataset.label === undefined || !strokes.length) return;
    changed([...state.own, { label: Number(dataset.label), strokes }]);
    surface.clear();
  });
  parts.clear.addEventListener("click", surface.clear);
  parts.forget.addEventListener("click", () => changed([]));
  offerFiles(parts, drawings);
  showOwn(parts, state.own, (i) => changed(state.own.toSpliced(i, 1)));
  await bind(({ source }) => {
    if (state.source !== source) restart();
    state.source = source;
  });
}

/* The curves, the first layer and the score, as they are now. */
function showTraining(parts, { trainer, running }, pictures) {
  const started = trainer?.net.steps > 0;
  parts.run.form.toggleAttribute("data-trained", started); // paper has no other
  parts.run.textContent = running ? "Pause" : started && !trainer.done ? "Go on" : "Train";
  if (!trainer) {
    parts.progress.textContent = "";
    parts.score.textContent = "Draw and keep some digits first.";
    return;
  }
  const { net, losses, accuracies, training, test } = trainer;
  parts.progress.textContent =
    `Step ${net.steps} of ${STEPS}, from ${training.length} drawings` +
    (losses.length ? `; loss ${fixed(losses.at(-1)[1])}` : "");
  drawCurve(parts.loss, LOSSES, losses, "The loss of the batches by step");
  drawCurve(
    parts.accuracy,
    SHARES,
    accuracies,
    "The share of held-out drawings read by step",
  );
  trainer.layer.forEach((weights, unit) =>
    paintSigned(pictures[unit], weights, null, bright(weights)),
  );
  parts.score.textContent = scoreOf(trainer, test.length);
  showTests(parts.tests, trainer);
  if (!running) parts.said.textContent = parts.score.textContent;
}

function drawCurve(host, y, points, label) {
  const { line } = chart(host, { label, x: X, y, margin: { left: 60 } });
  line(
    points.map(([step, value]) => [step, within(y, value)]),
    "series-a",
  );
}

/* Each held-out drawing, with what is read. */
function showTests(host, trainer) {
  host.replaceChildren(
    ...trainer.test.map(({ pixels, label, ...drawing }) => {
      const { digit } = trainer.read(pixels);
      const wrong = digit !== label;
      const words = `${digit} ${wrong ? "✗" : "✓"}`;
      const caption = make(
        "span",
        { className: wrong ? "caption wrong" : "caption" },
        words,
      );
      return make("div", {}, thumbnail(drawing), caption);
    }),
  );
}

/* What the held-out drawings say, and how little they say. */
function scoreOf({ right }, count) {
  if (!count) return "No drawing is held out yet: keep three of a digit.";
  const [low, high] = wilson(right / count, count).map((share) => Math.round(100 * share));
  return (
    `It reads ${right} of ${count} held-out drawings (${percent0(right / count)}). With so few, ` +
    `the true share may be anything from ${low} to ${high} % (95 % interval).`
  );
}

function guess({ guess: host }, { trainer }, strokes) {
  if (!strokes.length) host.textContent = "";
  else if (!trainer?.net.steps) host.textContent = "Train it first.";
  else {
    const { digit, confidence } = trainer.read(frameOf(strokes));
    host.textContent = `Your network reads ${digit}: ${percent(confidence)}.`;
  }
}

/* The kept drawings: a click deletes one. */
function showOwn(parts, own, remove) {
  parts.count.textContent = own.length
    ? `You have kept ${whole(own.length)}; press one to delete it.`
    : "You have kept none yet.";
  parts.forget.disabled = own.length === 0;
  parts.kept.replaceChildren(
    ...own.map((drawing, i) => {
      const label = `Delete your ${drawing.label}, drawing ${i + 1}`;
      const button = make("button", { type: "button", "aria-label": label });
      button.append(thumbnail(drawing), make("span", {}, String(drawing.label)));
      button.addEventListener("click", () => remove(i));
      return button;
    }),
  );
}

/* The drawings that it learns from and those that are held out, as files. */
function offerFiles({ idx, csv }, drawings) {
  idx.addEventListener("click", () => {
    const { training, test } = divide(drawings());
    save(toTar(training.map(imageOf), test.map(imageOf)), "digits.tar");
  });
  csv.addEventListener("click", () => save(toCsv(drawings().map(imageOf)), "digits.csv"));
}
