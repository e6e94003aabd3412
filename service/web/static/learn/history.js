/* Chapter 4: how the served versions learned, epoch by epoch. */

import { chart, within } from "../chart.js";
import { make } from "../dom.js";
import { fixed, percent, short } from "../numbers.js";
import { taught } from "./versions.js";
import { widget } from "./widget.js";

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

export async function mount(form, context) {
  const { versions } = await context.lesson();
  const { parts, bind } = widget(form);
  return bind(({ version }) => {
    const found = versions.find((each) => String(each.version) === version);
    const { history } = found;
    draw(parts.accuracy, "accuracy", history, accuracies(history));
    // A teacher's softened answers make another loss than labels do: not one to compare.
    parts["loss-figure"].hidden = taught(found);
    if (!taught(found)) draw(parts.loss, "loss", history, losses(history));
    parts.words.replaceChildren(...(taught(found) ? imitated(found) : fitted(found)));
  });
}

function draw(host, what, history, y) {
  const [training, validation] = [history[what], history[`val_${what}`]];
  const ends = (each) => `from ${fixed(each[0], 3)} to ${fixed(each.at(-1), 3)}`;
  const { line } = chart(host, {
    label: `${what} by epoch: training ${ends(training)}, validation ${ends(validation)}.`,
    x: epochs(training.length),
    y,
  });
  const points = (each) => each.map((value, i) => [i + 1, within(y, value)]);
  line(points(training), "series-a dashed");
  line(points(validation), "series-b");
}

/* Axes that fit: a few epochs evenly, many with a log scale, where most happens early. */
function epochs(count) {
  const few = count <= 20;
  const ticks = few
    ? Array.from({ length: count }, (_, i) => i + 1)
    : [1, 3, 10, 30, 100, 300, 1000].filter((tick) => tick <= count);
  return {
    min: 1,
    max: count,
    ticks,
    log: !few,
    label: few ? "epoch" : "epoch (log scale)",
  };
}

function losses({ loss, val_loss: validation }) {
  const values = [...loss, ...validation];
  const min = STEPS.findLast((step) => step <= Math.min(...values)) ?? STEPS[0];
  const max = STEPS.find((step) => step >= Math.max(...values)) ?? STEPS.at(-1);
  const ticks = STEPS.filter((step) => step >= min && step <= max);
  return { min, max, ticks, log: true, label: "loss (log scale)", format: short };
}

function accuracies({ accuracy, val_accuracy: validation }) {
  const lowest = Math.min(...accuracy, ...validation);
  const min = Math.floor(10 * lowest) / 10;
  const step = min < 0.8 ? 0.1 : 0.02;
  const count = Math.round((1 - min) / step) + 1;
  const ticks = Array.from({ length: count }, (_, i) => 1 - i * step);
  const format = (value) => String(Math.round(100 * value));
  return { min, max: 1, ticks, label: "accuracy in %", format };
}

/* Of a version that learned from labels: whether and when it overfits. */
function fitted({ version, history, test_accuracy: accuracy }) {
  const { loss, val_loss: validation } = history;
  const best = validation.indexOf(Math.min(...validation));
  const rise = validation.at(-1) - validation[best];
  const overfits = rise > 0.05 * validation[best] && loss.at(-1) < loss[best];
  return [
    `Version ${version} learned from the labels. Its validation loss is lowest after epoch `,
    `${best + 1} of ${loss.length}. `,
    overfits
      ? make("b", {}, "From then on it overfits: the training loss falls, the validation loss rises.")
      : "It does not overfit.",
    ` It reads ${percent(accuracy)} of the test images correctly.`,
  ];
}

/* Of a version that imitates teachers. */
function imitated({ version, history, test_accuracy: accuracy }) {
  const { accuracy: training, val_accuracy: validation } = history;
  const harder = training.at(-1) < validation.at(-1);
  return [
    `Version ${version} was taught by larger, `,
    make("b", {}, "convolutional"),
    " networks, which are told which pixels are neighbours. On distorted images it learned the ",
    "answers of those networks, not the labels (",
    make("b", {}, "distillation"),
    "), so its loss cannot be compared and is not shown. ",
    harder ? "Distorted images are harder, so training lies below validation. " : "",
    `It reads ${percent(accuracy)} of the test images correctly.`,
  ];
}
