/* Chapter 4: gradient descent on a neuron with two inputs, step by step. */

import { chart, within } from "../chart.js";
import { svg } from "../dom.js";
import { fixed, short } from "../numbers.js";
import { QUESTIONS, START, measure, points } from "./problem.js";
import { put, widget } from "./widget.js";

const LOSSES = { min: 0.01, max: 30, ticks: [0.01, 0.1, 1, 10], log: true };
const REACH = { min: -3, max: 3, ticks: [-3, -2, -1, 0, 1, 2, 3], format: short };
const CORNERS = [
  [-3, -3],
  [3, -3],
  [3, 3],
  [-3, 3],
];
const KEPT = 3; // earlier runs, to compare

export async function mount(form, context) {
  const { digits } = await context.gallery();
  const { parts, bind } = widget(form);
  let [asked, map, problem, run, earlier] = [null, null, null, [], []];
  const start = (rate) => {
    run = Object.assign([measure(START, problem)], { rate });
  };
  const step = () => {
    const { parameters, gradient } = run.at(-1);
    const next = parameters.map((each, k) => each - run.rate * gradient[k]);
    run.push(measure(next, problem));
  };
  const update = await bind(({ question, rate: power }) => {
    const rate = 10 ** power;
    if (question !== asked) {
      asked = question;
      problem = points(digits, question);
      map = scatter(parts.map, problem, QUESTIONS[question]);
      earlier = [];
      start(rate);
    } else if (rate !== run.rate) {
      if (run.length > 1)
        earlier = [...earlier.filter((each) => each.rate !== run.rate), run].slice(-KEPT);
      start(rate);
    }
    const { loss, right, parameters, gradient } = run.at(-1);
    map(parameters);
    drawLosses(parts.losses, run, earlier);
    parameters.forEach((value, k) => {
      const after = value - rate * gradient[k];
      [value, gradient[k], after].forEach((each, i) => {
        parts.rows.rows[k].cells[i + 1].textContent = fixed(each, 4);
      });
    });
    parts.words.textContent =
      `Step ${run.length - 1}: loss ${fixed(loss, 4)}` +
      (run.length > 1
        ? `, ${right} of ${problem.length} right. ${judge(run)}`
        : ". All parameters are 0, so every answer is p = 0.5: a toss of a coin.");
    return `Step ${run.length - 1}, loss ${fixed(loss, 3)}`;
  });
  form.addEventListener("click", ({ target: { dataset } }) => {
    if (dataset.rate) put(form, { rate: dataset.rate });
    if (dataset.steps === "0") {
      earlier = [];
      start(run.rate);
    }
    for (let i = 0; i < Number(dataset.steps ?? 0); i++) step();
    if (dataset.steps) update();
  });
}

/* Say in words how the run goes. */
function judge(run) {
  const rises = run.filter(({ loss }, i) => i && loss > run[i - 1].loss).length;
  if (run.at(-1).loss > run[0].loss)
    return "The loss is higher than at the start: the steps leap over the valley.";
  if (rises)
    return `The loss rose in ${rises} of ${run.length - 1} steps: the steps are too long.`;
  return "The loss fell in every step.";
}

function drawLosses(host, run, earlier) {
  const longest = Math.max(20, ...[run, ...earlier].map((each) => each.length - 1));
  const { x, y, line, text, mark } = chart(host, {
    label: `The loss by step, from ${fixed(run[0].loss, 3)} to ${fixed(run.at(-1).loss, 3)}.`,
    x: {
      min: 0,
      max: longest,
      ticks: [0, 1, 2, 3, 4].map((i) => Math.round((i * longest) / 4)),
      label: "step",
    },
    y: { ...LOSSES, label: "loss (log scale)", format: short },
  });
  const places = (each) => each.map(({ loss }, i) => [i, within(LOSSES, loss)]);
  for (const each of earlier) {
    line(places(each), "earlier dashed");
    const [at, loss] = places(each).at(-1);
    text([x(at) - 4, y(loss) - 6], `rate ${short(each.rate, 3)}`, "aside", "end");
  }
  line(places(run), "series-a");
  mark(places(run).at(-1), "here");
}

/* The drawings by their two measures, and where the neuron says yes. */
function scatter(host, problem, { yes, no }) {
  const { root, x, y, add } = chart(host, {
    label: "",
    x: { ...REACH, label: "line in the upper half" },
    y: { ...REACH, label: "line in the right half" },
  });
  const side = add("path", { class: "yes-side" });
  const border = add("path", { class: "border" });
  for (const { label, inputs, target } of problem) {
    const at = `translate(${x(within(REACH, inputs[0]))} ${y(within(REACH, inputs[1]))})`;
    const mark = svg("g", { class: target ? "yes" : "no", transform: at });
    mark.append(
      target
        ? svg("rect", { x: -8, y: -8, width: 16, height: 16, rx: 2 })
        : svg("circle", { r: 8.5 }),
      svg("text", { y: 4.5, "text-anchor": "middle" }, String(label)),
    );
    root.append(mark);
  }
  const path = (corners) =>
    corners.length ? `M${corners.map(([u, r]) => `${x(u)} ${y(r)}`).join("L")}` : "";
  return ([a, b, bias]) => {
    const value = ([u, r]) => a * u + b * r + bias;
    const { corners, cuts } = clip(value);
    side.setAttribute("d", corners.length ? `${path(corners)}Z` : "");
    border.setAttribute("d", path(cuts));
    root.setAttribute(
      "aria-label",
      `${problem.length} drawings by two measures, ${no} as circles, ${yes} as squares; ` +
        (cuts.length ? `the neuron says ${yes} in the shaded part.` : "no opinion yet."),
    );
  };
}

/* The part of the chart where a linear function is positive, and where its border cuts it. */
function clip(value) {
  const cuts = [];
  const corners = CORNERS.flatMap((corner, i) => {
    const next = CORNERS[(i + 1) % CORNERS.length];
    const [from, to] = [value(corner), value(next)];
    const kept = from > 0 ? [corner] : [];
    if (from > 0 === to > 0) return kept;
    const share = from / (from - to);
    const cut = corner.map((each, k) => each + share * (next[k] - each));
    cuts.push(cut);
    return [...kept, cut];
  });
  return { corners, cuts };
}
