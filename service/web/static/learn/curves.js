/* Chapter 2: activation functions, and their slopes. */

import { chart, within } from "../chart.js";
import { fixed, short } from "../numbers.js";
import { put, widget } from "./widget.js";

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const FUNCTIONS = {
  step: { of: (x) => (x > 0 ? 1 : 0), slope: (x) => (x === 0 ? NaN : 0) },
  sigmoid: { of: sigmoid, slope: (x) => sigmoid(x) * (1 - sigmoid(x)) },
  tanh: { of: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2 },
  relu: {
    of: (x) => Math.max(0, x),
    slope: (x) => (x === 0 ? NaN : x > 0 ? 1 : 0),
  },
  linear: { of: (x) => x, slope: () => 1 },
};
const NAMES = Object.keys(FUNCTIONS);
const X = { min: -5, max: 5, ticks: [-4, -2, 0, 2, 4], label: "x", format: short };
const SAMPLES = Array.from({ length: 201 }, (_, i) => X.min + i / 20);

export function mount(form) {
  const { parts, bind } = widget(form);
  const plots = [
    plot(parts.values, "of", { min: -2, max: 3, ticks: [-2, -1, 0, 1, 2, 3] }),
    plot(parts.slopes, "slope", { min: -0.1, max: 1.1, ticks: [0, 0.25, 0.5, 0.75, 1] }),
  ];
  for (const { host, toValue } of plots) {
    const move = (event) => put(form, { x: within(X, toValue(event)) });
    host.addEventListener("pointerdown", (event) => {
      host.setPointerCapture(event.pointerId);
      move(event);
    });
    host.addEventListener("pointermove", (event) => {
      if (host.hasPointerCapture(event.pointerId)) move(event);
    });
  }
  return bind(({ x, ...shown }) => {
    plots.forEach(({ show }) => show(x, shown));
    NAMES.forEach((name, i) => {
      const { of, slope } = FUNCTIONS[name];
      const [, , value, steepness] = parts.rows.rows[i].cells;
      value.textContent = fixed(of(x), 4);
      steepness.textContent = Number.isNaN(slope(x)) ? "none" : fixed(slope(x), 4);
    });
    const named = NAMES.filter((name) => shown[name]);
    return `At x = ${fixed(x)}: ${named.map((name) => `${name} ${fixed(FUNCTIONS[name].of(x))}`).join(", ")}.`;
  });
}

/* One of the two charts: the curves are drawn once, the line at x and its points move. */
function plot(host, what, y) {
  const label = what === "of" ? "value" : "slope";
  const axes = { x: X, y: { ...y, label, format: short } };
  const drawn = chart(host, { label: `The ${label} of five functions by x`, ...axes });
  const pieces = NAMES.map((name) => {
    const of = FUNCTIONS[name][what];
    const jumps = name === "step" || (name === "relu" && what === "slope");
    // A jump is two pieces, not a slanted line; what leaves the chart stops at its edge.
    const halves = jumps
      ? [
          SAMPLES.filter((x) => x < 0).concat(-1e-9),
          [1e-9, ...SAMPLES.filter((x) => x > 0)],
        ]
      : [SAMPLES.filter((x) => of(x) === within(y, of(x)))];
    return halves.map((xs) =>
      drawn.line(
        xs.map((x) => [x, of(x)]),
        `curve ${name}`,
      ),
    );
  });
  const cursor = drawn.add("path", { class: "cursor-line" });
  const spots = NAMES.map((name) => drawn.mark([0, 0], `spot ${name}`));
  const show = (x, shown) => {
    cursor.setAttribute("d", `M${drawn.x(x)} ${drawn.y(y.min)}V${drawn.y(y.max)}`);
    NAMES.forEach((name, i) => {
      const value = FUNCTIONS[name][what](x);
      const inside = value === within(y, value); // not where there is no slope, either
      spots[i].style.display = shown[name] && inside ? "" : "none";
      spots[i].setAttribute("transform", `translate(${drawn.x(x)} ${drawn.y(value || 0)})`);
      for (const piece of pieces[i]) piece.style.display = shown[name] ? "" : "none";
    });
  };
  const toValue = ({ clientX }) => {
    const { left, width } = drawn.root.getBoundingClientRect();
    const scale = width / drawn.root.viewBox.baseVal.width;
    const [from, to] = [drawn.x(X.min), drawn.x(X.max)];
    const share = ((clientX - left) / scale - from) / (to - from);
    return X.min + share * (X.max - X.min);
  };
  return { host, show, toValue };
}
