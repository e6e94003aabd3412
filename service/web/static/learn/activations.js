/* Section 2: activation functions, their slopes, and what would be without them. */

import { chart, svg } from "../chart.js";
import { byId, make } from "../dom.js";
import { SIZES } from "../network.js";
import { fixed, short, tiny, whole } from "../numbers.js";
import { choice, slider, speaker } from "./controls.js";
import { chartWidth, swatch, wide } from "./parts.js";

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const FUNCTIONS = [
  {
    key: "step",
    name: "Step",
    formula: "1 if x > 0, else 0",
    of: (x) => (x > 0 ? 1 : 0),
    slope: (x) => (x === 0 ? NaN : 0),
  },
  {
    key: "sigmoid",
    name: "Sigmoid",
    formula: "1 / (1 + e\u207b\u02e3)",
    of: sigmoid,
    slope: (x) => sigmoid(x) * (1 - sigmoid(x)),
  },
  {
    key: "tanh",
    name: "Tanh",
    formula: "(e\u02e3 \u2212 e\u207b\u02e3) / (e\u02e3 + e\u207b\u02e3)",
    of: Math.tanh,
    slope: (x) => 1 - Math.tanh(x) ** 2,
  },
  {
    key: "relu",
    name: "ReLU",
    formula: "max(0, x)",
    of: (x) => Math.max(0, x),
    slope: (x) => (x === 0 ? NaN : x > 0 ? 1 : 0),
  },
  { key: "linear", name: "Linear", formula: "x", of: (x) => x, slope: () => 1 },
];
const REACH = 5;
const WIDTH = chartWidth();
const SAMPLES = Array.from({ length: 40 * REACH + 1 }, (_, i) => (i - 20 * REACH) / 20);

export function mount() {
  mountCurves(byId("activations-curves"));
  mountDepth(byId("activations-depth"));
  mountLinear(byId("activations-linear"));
}

function mountCurves(host) {
  const shown = new Set(FUNCTIONS.map(({ key }) => key));
  const values = plot("value", { min: -2, max: 3, ticks: [-2, -1, 0, 1, 2, 3] });
  const slopes = plot("slope", { min: -0.1, max: 1.1, ticks: [0, 0.25, 0.5, 0.75, 1] });
  const { root: spoken, say } = speaker();
  const rows = FUNCTIONS.map(({ key, name, formula }) => {
    const box = make("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => {
      shown[box.checked ? "add" : "delete"](key);
      update();
    });
    const cells = [0, 1].map(() => make("td", { className: "number" }));
    const label = make("label", {}, box, swatch(`curve ${key}`), name);
    const row = make(
      "tr",
      {},
      make("th", { scope: "row" }, label),
      make("td", {}, make("code", {}, formula)),
      ...cells,
    );
    return { row, cells };
  });
  const x = slider({
    label: "x",
    min: -REACH,
    max: REACH,
    step: 0.05,
    value: 1,
    format: (value) => fixed(value, 2),
    onInput: () => update(),
  });
  const numbers = [0, 1].map(() => make("th", { scope: "col", className: "number" }));
  const update = () => {
    const at = x.value;
    values.show(shown, at, "of");
    slopes.show(shown, at, "slope");
    numbers[0].textContent = `Value at ${fixed(at, 2)}`;
    numbers[1].textContent = "Slope there";
    rows.forEach(({ cells }, i) => {
      cells[0].textContent = fixed(FUNCTIONS[i].of(at), 4);
      const slope = FUNCTIONS[i].slope(at);
      cells[1].textContent = Number.isNaN(slope) ? "none" : fixed(slope, 4);
    });
    say(
      `At x = ${fixed(at, 2)}: ${FUNCTIONS.filter(({ key }) => shown.has(key))
        .map((each) => `${each.name} ${fixed(each.of(at), 2)}`)
        .join(", ")}.`,
    );
  };
  for (const { root, toValue } of [values, slopes]) {
    const move = (event) => {
      x.set(Math.min(REACH, Math.max(-REACH, toValue(event))));
      update();
    };
    root.addEventListener("pointerdown", (event) => {
      root.setPointerCapture(event.pointerId);
      move(event);
    });
    root.addEventListener(
      "pointermove",
      (event) => root.hasPointerCapture(event.pointerId) && move(event),
    );
  }
  const head = ["Function", "Formula"].map((text) => make("th", { scope: "col" }, text));
  const table = make(
    "table",
    { className: "functions" },
    make("thead", {}, make("tr", {}, ...head, ...numbers)),
    make("tbody", {}, ...rows.map(({ row }) => row)),
  );
  update();
  host.append(
    make(
      "div",
      { className: "panel" },
      make("div", { className: "twin" }, values.root, slopes.root),
      x.root,
      make(
        "p",
        { className: "muted" },
        "Move x with the slider, or drag in a chart. A tick shows or hides a curve.",
      ),
      wide("Values and slopes", table),
      spoken,
    ),
  );
}

/* One of the two charts: the curves are drawn once, the line at x and its points move. */
function plot(what, y) {
  const root = make("div", { className: "draggable" });
  const {
    root: drawn,
    x: toX,
    y: toY,
    line,
  } = chart(root, {
    label: "", // said anew with every move
    x: { min: -REACH, max: REACH, ticks: [-4, -2, 0, 2, 4], label: "x", format: short },
    y: { ...y, label: what, format: short },
    width: WIDTH,
    height: Math.round(0.4 * WIDTH + 110),
  });
  const of = what === "value" ? "of" : "slope";
  const curves = FUNCTIONS.map((each) => {
    const inside = (value) => Math.min(y.max, Math.max(y.min, value));
    // What leaves the chart stops at its edge; a jump is two pieces, not a slanted line.
    const pieces =
      each.key === "step" || (each.key === "relu" && of === "slope")
        ? [
            SAMPLES.filter((at) => at < 0).concat(-1e-9),
            [1e-9].concat(SAMPLES.filter((at) => at > 0)),
          ]
        : [SAMPLES.filter((at) => each[of](at) === inside(each[of](at)))];
    return pieces.map((piece) =>
      line(
        piece.map((at) => [at, each[of](at)]),
        `curve ${each.key}`,
      ),
    );
  });
  const cursor = svg("path", { class: "cursor" });
  const points = FUNCTIONS.map(({ key }) => svg("circle", { r: 5, class: `spot ${key}` }));
  drawn.append(cursor, ...points);
  const show = (shown, at) => {
    cursor.setAttribute("d", `M${toX(at)} ${toY(y.min)}V${toY(y.max)}`);
    FUNCTIONS.forEach((each, i) => {
      const value = each[of](at),
        on = shown.has(each.key);
      for (const piece of curves[i]) piece.toggleAttribute("hidden", !on);
      points[i].toggleAttribute("hidden", !on || !(value >= y.min && value <= y.max));
      points[i].setAttribute("cx", toX(at));
      if (!Number.isNaN(value)) points[i].setAttribute("cy", toY(value));
    });
    const said = FUNCTIONS.filter(({ key }) => shown.has(key))
      .map(
        (each) =>
          `${each.name} ${Number.isNaN(each[of](at)) ? "none" : fixed(each[of](at), 3)}`,
      )
      .join(", ");
    drawn.setAttribute(
      "aria-label",
      `The ${what}s of the activation functions; at x = ${fixed(at, 2)}: ${said || "no curve is shown"}.`,
    );
  };
  const toValue = (event) => {
    const { left, width } = drawn.getBoundingClientRect();
    const place = ((event.clientX - left) / width) * WIDTH;
    return -REACH + ((place - toX(-REACH)) / (toX(REACH) - toX(-REACH))) * 2 * REACH;
  };
  return { root, show, toValue };
}

/* How much of a correction is left after so many layers. */
function mountDepth(host) {
  const body = make("tbody");
  const cases = [
    ["Sigmoid at its steepest, x = 0", FUNCTIONS[1].slope(0)],
    ["Sigmoid at x = 3", FUNCTIONS[1].slope(3)],
    ["Tanh at its steepest, x = 0", FUNCTIONS[2].slope(0)],
    ["Tanh at x = 3", FUNCTIONS[2].slope(3)],
    ["ReLU that is on, x > 0", 1],
  ];
  const layers = slider({
    label: "Layers",
    min: 1,
    max: 20,
    step: 1,
    value: 3,
    format: String,
    onInput: () => update(),
  });
  const last = make("th", { scope: "col", className: "number" });
  const update = () => {
    last.textContent = `Product of ${layers.value}`;
    body.replaceChildren(
      ...cases.map(([name, slope]) =>
        make(
          "tr",
          {},
          make("th", { scope: "row" }, name),
          make("td", { className: "number" }, fixed(slope, 4)),
          make("td", { className: "number" }, tiny(slope ** layers.value)),
        ),
      ),
    );
  };
  update();
  const table = make(
    "table",
    {},
    make(
      "thead",
      {},
      make(
        "tr",
        {},
        make("th", { scope: "col" }, "Activation"),
        make("th", { scope: "col", className: "number" }, "Slope"),
        last,
      ),
    ),
    body,
  );
  host.append(make("div", { className: "panel narrow" }, layers.root, table));
}

/* Two inputs, two units and one output: small enough to multiply out by hand. */
const FIRST = {
  weights: [
    [1, -2],
    [0.5, 1],
  ],
  biases: [0.5, -1],
};
const SECOND = { weights: [2, -1], bias: 0.25 };

function mountLinear(host) {
  const inputs = [1, -1].map((value, i) =>
    slider({
      label: `Input ${i + 1}`,
      min: -2,
      max: 2,
      step: 0.1,
      value,
      format: (each) => fixed(each, 1),
      onInput: () => update(),
    }),
  );
  const between = choice({
    label: "Between",
    options: [
      ["none", "Nothing"],
      ["relu", "ReLU"],
    ],
    value: "none",
    onChange: () => update(),
  });
  const working = make("div", { className: "working" });
  // Multiplied out: each input's way through either unit, and the biases' ways.
  const merged = [0, 1].map((input) =>
    FIRST.weights.reduce(
      (sum, weights, unit) => sum + weights[input] * SECOND.weights[unit],
      0,
    ),
  );
  const bias = FIRST.biases.reduce(
    (sum, each, unit) => sum + each * SECOND.weights[unit],
    SECOND.bias,
  );
  const { root: spoken, say } = speaker();
  const update = () => {
    const x = inputs.map(({ value }) => value);
    const relu = between.value === "relu";
    const sums = FIRST.weights.map(
      (weights, unit) => weights[0] * x[0] + weights[1] * x[1] + FIRST.biases[unit],
    );
    const passed = sums.map((sum) => (relu ? Math.max(0, sum) : sum));
    const output =
      passed[0] * SECOND.weights[0] + passed[1] * SECOND.weights[1] + SECOND.bias;
    const single = merged[0] * x[0] + merged[1] * x[1] + bias;
    const same = Math.abs(output - single) < 1e-9;
    const terms = (weights, values, constant) =>
      weights.map((weight, i) => `${paren(weight)} × ${paren(values[i])}`).join(" + ") +
      ` + ${paren(constant)}`;
    working.replaceChildren(
      part("Two layers"),
      ...sums.map((sum, unit) =>
        row(
          `unit ${unit + 1}`,
          `${terms(FIRST.weights[unit], x, FIRST.biases[unit])} = ${short(sum)}`,
          relu ? `, after ReLU ${short(passed[unit])}` : "",
        ),
      ),
      row(
        "output",
        `${terms(SECOND.weights, passed, SECOND.bias)} = `,
        make("strong", { className: "layered" }, short(output)),
      ),
      part("One neuron"),
      row(
        "output",
        `${terms(merged, x, bias)} = `,
        make("strong", { className: "single" }, short(single)),
      ),
      make(
        "p",
        { className: "verdict" },
        same
          ? verdict(relu)
          : "Not the same: with ReLU between, no single neuron agrees for all inputs.",
      ),
    );
    say(`Two layers ${short(output)}, one neuron ${short(single)}.`);
  };
  update();
  const [first, last] = [SIZES[0], SIZES.at(-1)];
  const all = SIZES.slice(1).reduce((sum, units, i) => sum + (SIZES[i] + 1) * units, 0);
  host.append(
    make(
      "div",
      { className: "panel duo" },
      working,
      make(
        "div",
        { className: "controls" },
        ...inputs.map(({ root }) => root),
        between.root,
        spoken,
      ),
    ),
    make(
      "p",
      {},
      `Without its ReLUs this server's network would be a single layer too: its ${whole(all)} ` +
        `weights and biases could do no more than the ${whole((first + 1) * last)} of one layer from ` +
        `${first} pixels to ${last} digits.`,
    ),
  );
}

const verdict = (relu) =>
  relu
    ? "The same here: for these inputs ReLU changed nothing that matters. Move the inputs."
    : "The same, whatever the inputs.";
const paren = (value) => (value < 0 ? `(${short(value)})` : short(value));
const part = (text) => make("p", { className: "part" }, make("strong", {}, text));
const row = (name, ...content) =>
  make(
    "p",
    { className: "step" },
    make("span", { className: "of" }, `${name} =`),
    make("span", {}, ...content),
  );
