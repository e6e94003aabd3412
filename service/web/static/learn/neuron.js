/* Section 1: one neuron by hand, then a unit of the served model. */

import { svg } from "../chart.js";
import { byId, make } from "../dom.js";
import { explain } from "../frames.js";
import { fixed, short } from "../numbers.js";
import { button, choice, digitPicker, slider, speaker } from "./controls.js";
import { unitView } from "./unit.js";

const START = {
  inputs: [0.5, 0.3, 0.2],
  weights: [0.4, 0.6, 0.8],
  bias: 0.1,
  activation: "sigmoid",
};
const ACTIVATIONS = {
  sigmoid: {
    name: "Sigmoid",
    of: (sum) => 1 / (1 + Math.exp(-sum)),
    work: (sum) => ["1 / (1 + e", make("sup", {}, short(-sum)), ")"],
    range: [0, 1],
  },
  relu: {
    name: "ReLU",
    of: (sum) => Math.max(0, sum),
    work: (sum) => [`max(0, ${short(sum)})`],
    range: [0, 8],
  },
  none: {
    name: "None",
    of: (sum) => sum,
    work: (sum) => [`the sum itself, ${short(sum)}`],
    range: [-8, 8],
  },
};
const REACH = 8; // the furthest a sum of these sliders goes from 0

export async function mount(section, context) {
  mountToy(byId("neuron-toy"));
  await mountReal(byId("neuron-real"), context);
}

function mountToy(host) {
  const picture = diagram();
  const working = make("div", { className: "working" });
  const { root: spoken, say } = speaker();
  const of = (label, [min, max], value) =>
    slider({
      label,
      min,
      max,
      step: 0.05,
      value,
      onInput: update,
      format: (each) => short(each, 2),
    });
  const inputs = START.inputs.map((value, i) => of(`Input ${i + 1}`, [0, 1], value));
  const weights = START.weights.map((value, i) => of(`Weight ${i + 1}`, [-2, 2], value));
  const bias = of("Bias", [-2, 2], START.bias);
  const activation = choice({
    label: "Activation",
    options: Object.entries(ACTIVATIONS).map(([value, { name }]) => [value, name]),
    value: START.activation,
    onChange: update,
  });
  const reset = button("Back to the start", () => {
    inputs.forEach((each, i) => each.set(START.inputs[i]));
    weights.forEach((each, i) => each.set(START.weights[i]));
    bias.set(START.bias);
    activation.set(START.activation);
    update();
  });

  function update() {
    const x = inputs.map((each) => each.value);
    const w = weights.map((each) => each.value);
    const products = x.map((each, i) => each * w[i]);
    const sum = products.reduce((a, b) => a + b, bias.value);
    const { of: apply, work } = ACTIVATIONS[activation.value];
    const output = apply(sum);
    picture.show({ x, w, bias: bias.value, sum, output, activation: activation.value });
    const signed = (value) =>
      value < 0 ? ` \u2212 ${short(-value)}` : ` + ${short(value)}`;
    working.replaceChildren(
      step(
        "sum",
        x
          .map(
            (each, i) => `${short(each)} × ${w[i] < 0 ? `(${short(w[i])})` : short(w[i])}`,
          )
          .join(" + ") + signed(bias.value),
      ),
      step(
        "",
        short(products[0]) + products.slice(1).map(signed).join("") + signed(bias.value),
      ),
      step("", make("strong", { className: "sum" }, short(sum))),
      step("output", ...work(sum)),
      step("", make("strong", { className: "output" }, fixed(output, 4))),
    );
    say(`Sum ${short(sum)}, output ${fixed(output, 4)}.`);
  }
  update();
  host.append(
    make(
      "div",
      { className: "panel duo" },
      make("div", {}, picture.root, working),
      make(
        "div",
        { className: "controls" },
        ...inputs.flatMap((each, i) => [
          make("div", { className: "pair" }, each.root, weights[i].root),
        ]),
        bias.root,
        activation.root,
        make("div", { className: "row" }, reset),
        spoken,
      ),
    ),
  );
}

/* A line of the computation: what is computed, and how. */
function step(name, ...content) {
  return make(
    "p",
    { className: "step" },
    make("span", { className: "of" }, name ? `${name} =` : "="),
    make("span", {}, ...content),
  );
}

const list = (values) => values.map((value) => short(value, 2)).join(", ");

/* The neuron as a picture: inputs, lines as thick as their weights, sum, curve, output. */
function diagram() {
  const heights = [48, 138, 228],
    middle = 138,
    summer = 222,
    plot = { left: 292, top: 83, side: 110 };
  const root = svg("svg", { viewBox: "0 0 520 304", class: "diagram", role: "img" });
  const text = (x, y, className = "") =>
    svg("text", { x, y, class: className, "text-anchor": "middle" });
  const circle = (x, y, r) => svg("circle", { cx: x, cy: y, r, class: "node" });
  const lines = heights.map((y) => svg("line", { x1: 40, y1: y, x2: summer, y2: middle }));
  const biasLine = svg("line", { x1: summer, y1: 262, x2: summer, y2: middle });
  const values = heights.map((y) => text(40, y));
  const labels = heights.map((y) => text(125, middle + (y - middle) * 0.55, "on-line"));
  const biasValue = text(summer, 262),
    sumValue = text(summer, middle),
    outputValue = text(474, middle);
  const curve = svg("polyline", { class: "curve" });
  const point = svg("circle", { r: 6, class: "point" });
  const name = text(plot.left + plot.side / 2, plot.top + plot.side + 22);
  root.append(
    ...lines,
    biasLine,
    svg("line", { x1: summer, y1: middle, x2: 474, y2: middle, class: "wire" }),
    ...heights.map((y) => circle(40, y, 34)),
    ...values,
    ...labels,
    circle(summer, middle, 38),
    sumValue,
    Object.assign(text(summer, 86), { textContent: "sum" }),
    circle(summer, 262, 36),
    biasValue,
    Object.assign(text(summer + 68, 262), { textContent: "bias" }),
    svg("rect", {
      x: plot.left,
      y: plot.top,
      width: plot.side,
      height: plot.side,
      rx: 8,
      class: "node",
    }),
    svg("path", { class: "zero" }),
    curve,
    point,
    name,
    circle(474, middle, 40),
    outputValue,
    Object.assign(text(474, 82), { textContent: "output" }),
    Object.assign(text(40, 284), { textContent: "inputs" }),
  );
  const zero = root.querySelector(".zero");
  const weigh = (element, weight) => {
    element.setAttribute("stroke-width", weight === 0 ? 1 : 1.5 + 4.5 * Math.abs(weight));
    element.setAttribute("class", weight < 0 ? "below" : weight > 0 ? "above" : "none");
  };
  const show = ({ x, w, bias, sum, output, activation }) => {
    const {
      of,
      range: [low, high],
      name: title,
    } = ACTIVATIONS[activation];
    const pad = 10,
      inner = plot.side - 2 * pad;
    const toX = (value) => plot.left + pad + ((value + REACH) / (2 * REACH)) * inner;
    const toY = (value) =>
      plot.top + plot.side - pad - ((value - low) / (high - low)) * inner;
    lines.forEach((line, i) => weigh(line, w[i]));
    weigh(biasLine, bias);
    values.forEach((each, i) => (each.textContent = short(x[i], 2)));
    labels.forEach((each, i) => (each.textContent = `× ${short(w[i], 2)}`));
    biasValue.textContent = short(bias, 2);
    sumValue.textContent = fixed(sum, 2);
    outputValue.textContent = fixed(output, activation === "sigmoid" ? 3 : 2);
    name.textContent = activation === "none" ? "no activation" : title;
    const samples = Array.from({ length: 81 }, (_, i) => -REACH + (i * REACH) / 40);
    curve.setAttribute(
      "points",
      samples
        .map((each) => `${toX(each).toFixed(1)},${toY(of(each)).toFixed(1)}`)
        .join(" "),
    );
    zero.setAttribute(
      "d",
      `M${toX(-REACH)} ${toY(0)}H${toX(REACH)}M${toX(0)} ${toY(low)}V${toY(high)}`,
    );
    point.setAttribute("cx", toX(sum));
    point.setAttribute("cy", toY(output));
    root.setAttribute(
      "aria-label",
      `A neuron: inputs ${list(x)}, weights ${list(w)}, ` +
        `bias ${short(bias, 2)}, sum ${short(sum)}, activation ${title}, output ${fixed(output, 4)}. ` +
        "A line is as thick as its weight is large, and broken where the weight is below 0.",
    );
  };
  return { root, show };
}

async function mountReal(host, context) {
  const { digits } = await context.gallery();
  const firsts = Array.from({ length: 10 }, (_, digit) =>
    digits.find(({ label }) => label === digit),
  );
  const view = unitView();
  const { root: spoken, say } = speaker();
  let reply, layers;
  const choose = slider({
    label: "Unit",
    min: 1,
    max: 128,
    step: 1,
    value: 1,
    format: (value) => `${value} of 128`,
    onInput: () => show(),
  });
  const strongest = button("The unit with the largest output", () => {
    const { activations } = reply.layers[0];
    choose.set(activations.indexOf(Math.max(...activations)) + 1);
    show();
  });
  const show = () => {
    const sum = view.show(layers, reply, choose.value - 1);
    say(
      `Unit ${choose.value}: sum ${fixed(sum, 3)}, output ${fixed(Math.max(0, sum), 3)}.`,
    );
  };
  let asked = 0;
  const ask = async (digit) => {
    const mine = ++asked;
    const answer = await explain(firsts[digit]);
    if (mine !== asked) return; // another digit was chosen meanwhile
    reply = answer;
    layers = await context.layers(reply.model.version);
    show();
  };
  const failed = make("p", { className: "notice", role: "alert" });
  const picker = digitPicker({
    label: "Drawings",
    digits: firsts,
    chosen: 3,
    onPick: (digit) =>
      ask(digit).then(
        () => (failed.textContent = ""),
        (error) => (failed.textContent = error.message),
      ),
  });
  await ask(3);
  strongest.click();
  host.append(
    make(
      "div",
      { className: "panel" },
      picker,
      make("div", { className: "row" }, choose.root, strongest),
      failed,
      view.root,
      spoken,
    ),
  );
}
