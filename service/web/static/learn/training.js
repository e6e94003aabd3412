/* Section 4: the loss, gradient descent on a small problem, and how the versions learned. */

import { chart, svg } from "../chart.js";
import { byId, make } from "../dom.js";
import { fixed, percent, short } from "../numbers.js";
import { button, choice, slider, speaker } from "./controls.js";
import * as neuron from "./descent.js";
import { chartWidth, swatch, wide } from "./parts.js";

const DIGITS = 10;
const WIDTH = chartWidth();

export async function mount(section, context) {
  mountLoss(byId("training-loss"));
  // Each part is shown even where the other's data is missing.
  const parts = [
    mountDescent(byId("training-descent"), context),
    mountCurves(byId("training-curves"), context),
  ];
  for (const { reason } of await Promise.allSettled(parts)) if (reason) throw reason;
}

/* A chart on one side, what is operated and read on the other. */
const panel = (...sides) => make("div", { className: "panel duo halved" }, ...sides);

function mountLoss(host) {
  const drawn = make("div");
  const { root, x, y, line } = chart(drawn, {
    label: "", // said anew with every move
    x: {
      min: 0,
      max: 1,
      ticks: [0, 0.2, 0.4, 0.6, 0.8, 1],
      label: "p of the right digit",
      format: short,
    },
    y: { min: 0, max: 7, ticks: [0, 1, 2, 3, 4, 5, 6, 7], label: "loss", format: short },
    width: WIDTH,
  });
  const samples = Array.from({ length: 200 }, (_, i) => Math.exp((-7 * i) / 199));
  line(
    samples.map((p) => [p, -Math.log(p)]),
    "one",
  );
  const point = svg("circle", { r: 6, class: "point" });
  root.append(point);
  const words = make("p", { className: "big-number" });
  const meaning = make("p");
  const { root: spoken, say } = speaker();
  const p = slider({
    label: "p",
    min: 0.001,
    max: 1,
    step: 0.001,
    value: 0.8,
    format: (value) => fixed(value, 3),
    onInput: () => update(),
  });
  const update = () => {
    const loss = -Math.log(p.value);
    point.setAttribute("cx", x(p.value));
    point.setAttribute("cy", y(loss));
    const text = `\u2212ln ${fixed(p.value, 3)} = ${fixed(loss, 4)}`;
    words.replaceChildren(
      `\u2212ln ${fixed(p.value, 3)} = `,
      make("strong", { className: "loss" }, fixed(loss, 4)),
    );
    meaning.textContent = judge(p.value, loss);
    root.setAttribute(
      "aria-label",
      `The loss falls steeply, then slowly, from p near 0 to 0 at p = 1. Here ${text}.`,
    );
    say(`Loss ${fixed(loss, 2)}`);
  };
  update();
  host.append(
    panel(drawn, make("div", { className: "controls" }, p.root, words, meaning, spoken)),
  );
}

function judge(p, loss) {
  const guess = Math.log(DIGITS);
  const against =
    `Giving all ten digits the same, p = ${fixed(1 / DIGITS, 1)}, ` +
    `costs ln ${DIGITS} = ${fixed(guess, 4)}`;
  if (Math.abs(loss - guess) < 1e-9) return `${against}: exactly this answer.`;
  const verdict =
    loss < guess
      ? "more than this answer."
      : "less than this answer, which is worse than a guess.";
  return `${against}: ${verdict}`;
}

const RATES = [
  [-2, "too small"],
  [0, "right"],
  [2, "too large"],
];
const LOSSES = { min: 0.2, max: 10, ticks: [0.2, 0.5, 1, 2, 5, 10], log: true };

async function mountDescent(host, context) {
  const points = neuron.points((await context.gallery()).digits);
  const map = scatter(points);
  const losses = make("div");
  const numbers = make("tbody");
  const words = make("p", { className: "verdict" });
  const { root: spoken, say } = speaker();
  let earlier = []; // runs with other learning rates, to compare
  let run = [];

  const rate = slider({
    label: "Learning rate",
    min: -2,
    max: 2,
    step: 0.25,
    value: 0,
    format: (power) => short(10 ** power, power < 0 ? 3 : 1),
    onInput: () => restart(),
  });
  const presets = RATES.map(([power, name]) =>
    button(`${short(10 ** power)}: ${name}`, () => {
      rate.set(power);
      restart();
    }),
  );
  const restart = () => {
    if (run.length > 1)
      earlier = [...earlier.filter((each) => each.rate !== run.rate), run].slice(-3);
    run = Object.assign([neuron.measure(neuron.START, points)], { rate: 10 ** rate.value });
    show();
  };
  const steps = (count) => {
    for (let i = 0; i < count; i++) {
      const { parameters, gradient } = run.at(-1);
      run.push(
        neuron.measure(
          parameters.map((each, k) => each - run.rate * gradient[k]),
          points,
        ),
      );
    }
    show();
  };
  const counts = [1, 10, 100].map((count) =>
    button(count === 1 ? "1 step" : `${count} steps`, () => steps(count)),
  );
  const forget = button("Start again", () => {
    run = [];
    earlier = [];
    restart();
  });

  const show = () => {
    const { loss, right, parameters, gradient } = run.at(-1);
    map.show(parameters);
    drawLosses(losses, run, earlier);
    numbers.replaceChildren(
      ...["Weight of upper half", "Weight of right half", "Bias"].map((name, k) =>
        make(
          "tr",
          {},
          make("th", { scope: "row" }, name),
          ...[parameters[k], gradient[k], parameters[k] - run.rate * gradient[k]].map(
            (value) => make("td", { className: "number" }, fixed(value, 4)),
          ),
        ),
      ),
    );
    words.replaceChildren(
      `Step ${run.length - 1}: loss `,
      make("span", { className: "loss" }, fixed(loss, 4)),
      run.length > 1
        ? `, ${right} of ${points.length} right. ${judgeRun(run)}`
        : ". All parameters are 0, so every answer is p = 0.5, a toss of a coin.",
    );
    say(`Step ${run.length - 1}, loss ${fixed(loss, 3)}`);
  };
  restart();
  const heads = ["Parameter", "Now", "Gradient", "After a step"].map((text, i) =>
    make("th", { scope: "col", className: i ? "number" : "" }, text),
  );
  host.append(
    make(
      "div",
      { className: "panel" },
      make(
        "div",
        { className: "controls" },
        make("div", { className: "row" }, rate.root, ...presets),
        make("div", { className: "row" }, ...counts, forget),
        words,
      ),
      make("div", { className: "twin" }, map.root, losses),
      map.key,
      wide(
        "Parameters and gradients",
        make("table", {}, make("thead", {}, make("tr", {}, ...heads)), numbers),
      ),
      spoken,
    ),
  );
}

/* Say in words how the run goes. */
function judgeRun(run) {
  const rises = run.filter(({ loss }, i) => i && loss > run[i - 1].loss).length;
  if (run.at(-1).loss > run[0].loss)
    return "The loss is higher than at the start: the steps leap over the valley.";
  if (rises)
    return `The loss rose in ${rises} of ${run.length - 1} steps: the steps are too long.`;
  const slope = Math.hypot(...run.at(-1).gradient);
  return slope < 0.01
    ? "The gradient is close to 0: the loss is near the bottom of its valley."
    : "The loss fell in every step.";
}

function drawLosses(host, run, earlier) {
  const name = (each) =>
    `learning rate ${short(each.rate, 3)}, loss ${fixed(each.at(-1).loss, 3)}`;
  const longest = Math.max(20, ...[run, ...earlier].map((each) => each.length - 1));
  const { root, x, y, line } = chart(host, {
    label:
      `The loss by step, ${ends(run.map(({ loss }) => loss))} after ${run.length - 1} steps` +
      (earlier.length ? `; dashed, earlier runs: ${earlier.map(name).join("; ")}.` : "."),
    x: {
      min: 0,
      max: longest,
      ticks: [0, 1, 2, 3, 4].map((i) => Math.round((i * longest) / 4)),
      label: "step",
    },
    y: { ...LOSSES, label: "loss (log scale)", format: short },
    width: WIDTH,
    height: Math.round(0.62 * WIDTH),
  });
  const within = (loss) => Math.min(LOSSES.max, Math.max(LOSSES.min, loss));
  const places = (each) => each.map(({ loss }, i) => [i, within(loss)]);
  for (const each of earlier) {
    line(places(each), "earlier dashed");
    const [at, loss] = places(each).at(-1);
    root.append(
      svg(
        "text",
        { x: x(at) - 4, y: y(loss) - 6, "text-anchor": "end", class: "aside" },
        `rate ${short(each.rate, 3)}`,
      ),
    );
  }
  line(places(run), "one");
  const [at, loss] = places(run).at(-1);
  root.append(svg("circle", { cx: x(at), cy: y(loss), r: 5, class: "point" }));
}

/* The drawings by their two measures, and the line on which the neuron says 0.5. */
function scatter(points) {
  const root = make("div");
  const {
    root: drawn,
    x,
    y,
  } = chart(root, {
    label: "",
    x: {
      min: -3,
      max: 3,
      ticks: [-3, -2, -1, 0, 1, 2, 3],
      label: "upper half",
      format: short,
    },
    y: {
      min: -3,
      max: 3,
      ticks: [-3, -2, -1, 0, 1, 2, 3],
      label: "right half",
      format: short,
    },
    width: WIDTH,
    height: Math.round(0.62 * WIDTH),
  });
  const border = svg("path", { class: "border" });
  const odd = svg("path", { class: "odd-side" });
  drawn.append(
    odd,
    border,
    ...points.map(({ label, inputs: [u, r], target }) => {
      const mark = svg("g", { class: target ? "odd" : "even" });
      const [cx, cy] = [x(u), y(r)];
      mark.append(
        target
          ? svg("rect", { x: cx - 9, y: cy - 9, width: 18, height: 18, rx: 2 })
          : svg("circle", { cx, cy, r: 10 }),
        svg("text", { x: cx, y: cy + 4.5, "text-anchor": "middle" }, String(label)),
      );
      return mark;
    }),
  );
  const box = [
    [-3, -3],
    [3, -3],
    [3, 3],
    [-3, 3],
  ];
  const show = ([a, b, c]) => {
    const value = ([u, r]) => a * u + b * r + c;
    // The part of the box where the neuron says odd: its corners there, and where the border cuts its edges.
    const side = box.flatMap((corner, i) => {
      const next = box[(i + 1) % box.length],
        from = value(corner),
        to = value(next);
      const kept = from > 0 ? [corner] : [];
      if (from > 0 === to > 0) return kept;
      const share = from / (from - to);
      return [...kept, corner.map((each, k) => each + share * (next[k] - each))];
    });
    const cuts = side.filter(
      (corner) => Math.abs(value(corner)) < 1e-6 * Math.hypot(a, b, c),
    );
    const path = (corners) =>
      corners.length
        ? `M${corners.map(([u, r]) => `${x(u).toFixed(1)} ${y(r).toFixed(1)}`).join("L")}`
        : "";
    odd.setAttribute("d", side.length ? `${path(side)}Z` : "");
    border.setAttribute("d", path(cuts));
    drawn.setAttribute(
      "aria-label",
      `The ${points.length} drawings by their two measures, even digits as circles, odd ones as squares` +
        (cuts.length
          ? "; the neuron calls odd what lies in the shaded part."
          : "; the neuron has no opinion yet."),
    );
  };
  const key = make(
    "p",
    { className: "muted" },
    "Circles are even digits, squares odd ones; in the shaded part the neuron says odd. Upper half: ",
    "how much of the line lies in the upper half of the box around it; right half likewise. ",
    "Both are shifted and scaled to mean 0 and standard deviation 1.",
  );
  return { root, key, show };
}

async function mountCurves(host, context) {
  const { versions } = await context.lesson();
  const charts = make("div", { className: "twin" });
  const words = make("div");
  const show = (chosen) => {
    const found = versions.find(({ version }) => String(version) === chosen);
    const { history } = found;
    const soft = isSoft(found);
    const best = history.val_loss.indexOf(Math.min(...history.val_loss));
    charts.replaceChildren(
      curves(history, "loss", soft, best),
      curves(history, "accuracy", soft, best),
    );
    words.replaceChildren(...explainCurves(found, best));
  };
  const pick = choice({
    label: "Version",
    options: versions.map(({ version, recipe }) => [
      String(version),
      `${version} (recipe “${recipe}”)`,
    ]),
    value: String(versions[0].version),
    onChange: show,
  });
  show(pick.value);
  host.append(make("div", { className: "panel" }, pick.root, charts, words));
}

/* Whether a version was taught by teachers' answers in place of labels. */
const isSoft = ({ recipe }) => recipe === "best";

function curves(history, what, soft, best) {
  const training = history[what],
    validation = history[`val_${what}`];
  const count = training.length,
    isLoss = what === "loss";
  const values = [...training, ...validation];
  const y = isLoss ? losses(values) : accuracies(values);
  const x = epochs(count);
  const host = make("figure", { className: "curves" });
  const drawn = make("div");
  const last = (each) => (isLoss ? fixed(each.at(-1), 4) : percent(each.at(-1)));
  const {
    root,
    x: toX,
    y: toY,
    line,
  } = chart(drawn, {
    label:
      `${isLoss ? "Loss" : "Accuracy"} by epoch: training ${ends(training)}, ` +
      `validation ${ends(validation)}; lowest validation loss in epoch ${best + 1}.`,
    x,
    y,
    width: WIDTH,
    height: Math.round(0.35 * WIDTH + 130),
  });
  root.append(
    svg("path", {
      class: "best-epoch",
      d: `M${toX(best + 1)} ${toY(y.min)}V${toY(y.max)}`,
    }),
  );
  const points = (each) =>
    each.map((value, i) => [i + 1, Math.min(y.max, Math.max(y.min, value))]);
  line(points(training), "one dashed");
  line(points(validation), "two");
  host.append(
    make(
      "figcaption",
      {},
      make("strong", {}, isLoss ? `Loss${soft ? ", softened," : ""}` : "Accuracy"),
      ` after the last epoch: `,
      make(
        "span",
        { className: "key" },
        swatch("one dashed"),
        `training ${last(training)}`,
      ),
      " ",
      make("span", { className: "key" }, swatch("two"), `validation ${last(validation)}`),
    ),
    drawn,
  );
  return host;
}

const ends = (values) => `from ${fixed(values[0], 3)} to ${fixed(values.at(-1), 3)}`;

/* Axes that fit: a few epochs evenly, many with a log scale, where most happens early. */
function epochs(count) {
  if (count <= 20)
    return {
      min: 1,
      max: count,
      ticks: Array.from({ length: count }, (_, i) => i + 1),
      label: "epoch",
    };
  const ticks = [1, 3, 10, 30, 100, 300, 1000].filter((tick) => tick <= count);
  return { min: 1, max: count, ticks, log: true, label: "epoch (log scale)" };
}

function losses(values) {
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
  const min = steps.findLast((step) => step <= Math.min(...values)) ?? steps[0];
  const max = steps.find((step) => step >= Math.max(...values)) ?? steps.at(-1);
  return {
    min,
    max,
    ticks: steps.filter((step) => step >= min && step <= max),
    log: true,
    label: "loss (log scale)",
    format: short,
  };
}

function accuracies(values) {
  const tenths = Math.floor(10 * Math.min(...values)) / 10,
    step = tenths < 0.8 ? 0.1 : 0.02;
  const ticks = Array.from(
    { length: Math.round((1 - tenths) / step) + 1 },
    (_, i) => 1 - i * step,
  );
  return {
    min: tenths,
    max: 1,
    ticks,
    label: "accuracy in %",
    format: (value) => String(Math.round(100 * value)),
  };
}

/* What there is to see, from the numbers themselves. */
function explainCurves({ version, history, test_accuracy: accuracy }, best) {
  const { loss, val_loss: validation } = history,
    count = loss.length;
  const rise = validation.at(-1) - validation[best];
  const fall = loss[best] - loss.at(-1);
  const found = make(
    "p",
    {},
    `Version ${version}: the upright line marks the lowest validation loss, `,
    `${fixed(validation[best], 4)} after epoch ${best + 1} of ${count}. `,
  );
  if (rise > 0.05 * validation[best] && fall > 0) {
    found.append(
      make("strong", {}, "It overfits from there on"),
      `: by the last epoch the training loss has fallen by another ${fixed(fall, 4)}, `,
      `and the validation loss has risen by ${fixed(rise, 4)}.`,
    );
  } else {
    found.append(
      `By the last epoch it is ${fixed(validation.at(-1), 4)}: no overfitting to be seen.`,
    );
  }
  return [
    found,
    make(
      "p",
      {},
      `Version ${version} reads ${percent(accuracy)} of the test images right, which no step of its training `,
      "has seen.",
    ),
  ];
}
