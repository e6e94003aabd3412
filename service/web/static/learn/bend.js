/* Chapter 2: two neurons that feed a third make a straight line, or one with bends. */

import { chart, within } from "../chart.js";
import { fixed, short } from "../numbers.js";
import { widget } from "./widget.js";

// The weights into the two, and from them into the third: with ReLU the output is a tent.
const INTO = [1, 1];
const OUT = [1, -2];
const X = { min: -3, max: 3, ticks: [-3, -2, -1, 0, 1, 2, 3], label: "input x" };
const Y = { min: -6, max: 6, ticks: [-6, -4, -2, 0, 2, 4, 6], label: "output" };
const SAMPLES = Array.from({ length: 241 }, (_, i) => X.min + i / 40);

export function mount(form) {
  const { parts, bind } = widget(form);
  const { line, path } = chart(parts.chart, {
    label: "The output of the third neuron by the input",
    x: { ...X, format: short },
    y: { ...Y, format: short },
  });
  const drawn = line([], "series-a");
  return bind(({ between, a, b }) => {
    const relu = between === "relu";
    const pass = (sum) => (relu ? Math.max(0, sum) : sum);
    const output = (x) => OUT[0] * pass(INTO[0] * x + a) + OUT[1] * pass(INTO[1] * x + b);
    const points = SAMPLES.map((x) => [x, output(x)]);
    const inside = points.filter(([, value]) => value === within(Y, value));
    drawn.setAttribute("points", path(inside));
    const slope = OUT[0] * INTO[0] + OUT[1] * INTO[1];
    const bends = [-a / INTO[0], -b / INTO[1]].sort((one, two) => one - two);
    parts.words.textContent = relu
      ? `It bends where a sum passes 0: at x = ${bends.map((x) => fixed(x, 1)).join(" and ")}. ` +
        "No single neuron without ReLU can do that."
      : `A straight line: ${fixed(slope)}x + ${fixed(OUT[0] * a + OUT[1] * b)}. ` +
        "One neuron with this weight and this bias does the same.";
    return parts.words.textContent;
  });
}
