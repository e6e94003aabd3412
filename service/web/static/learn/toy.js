/* Chapter 1: one neuron by hand. */

import { make } from "../dom.js";
import { fixed, short } from "../numbers.js";
import { widget } from "./widget.js";

const ACTIVATIONS = {
  sigmoid: {
    name: "sigmoid",
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
    name: "no activation",
    of: (sum) => sum,
    work: () => ["the sum itself"],
    range: [-8, 8],
  },
};
const REACH = 8; // the furthest a sum of these sliders goes from 0
const PLOT = { left: 302, top: 93, side: 90 }; // of the curve, in the diagram's units

export function mount(form) {
  const { parts, bind } = widget(form);
  const show = diagramOf(parts);
  return bind((values) => {
    const inputs = [0, 1, 2].map((i) => values[`input${i}`]);
    const weights = [0, 1, 2].map((i) => values[`weight${i}`]);
    const { bias, activation } = values;
    const sum = inputs.reduce((total, input, i) => total + input * weights[i], bias);
    const { of, work, name } = ACTIVATIONS[activation];
    const output = of(sum);
    const products = inputs.map((input, i) => `${short(input)} × ${signed(weights[i])}`);
    parts.products.textContent = [...products, signed(bias)].join(" + ");
    parts.sum.textContent = short(sum);
    parts.applied.replaceChildren(...work(sum));
    parts.output.textContent = fixed(output, 4);
    show({ inputs, weights, bias, sum, output, activation });
    parts.diagram.setAttribute(
      "aria-label",
      `A neuron: inputs ${list(inputs)}, weights ${list(weights)}, bias ${short(bias, 2)}, ` +
        `sum ${short(sum)}, ${name}, output ${fixed(output, 4)}. A line is as thick as its ` +
        "weight is large, and broken where the weight is negative.",
    );
    return `Sum ${short(sum)}, output ${fixed(output, 4)}.`;
  });
}

const signed = (value) => (value < 0 ? `(${short(value)})` : short(value));
const list = (values) => values.map((value) => short(value, 2)).join(", ");

/* The neuron as a picture: lines as thick as their weights, sum, curve, output. */
function diagramOf({ diagram, zero, function: curve, point, name }) {
  const links = diagram.querySelectorAll(".link");
  const texts = diagram.querySelectorAll(".value");
  const labels = diagram.querySelectorAll(".weight");
  const toX = (value) => PLOT.left + ((value + REACH) / (2 * REACH)) * PLOT.side;
  return ({ inputs, weights, bias, sum, output, activation }) => {
    const {
      of,
      range: [low, high],
      name: title,
    } = ACTIVATIONS[activation];
    const toY = (value) => PLOT.top + PLOT.side * (1 - (value - low) / (high - low));
    [...weights, bias].forEach((weight, i) => {
      links[i].setAttribute("stroke-width", weight ? 1.5 + 4.5 * Math.abs(weight) : 1);
      const kind = weight < 0 ? "below" : weight > 0 ? "above" : "none";
      links[i].setAttribute("class", `link ${kind}`);
    });
    weights.forEach((weight, i) => (labels[i].textContent = `× ${short(weight, 2)}`));
    const shown = [...inputs.map((each) => short(each, 2)), fixed(sum), short(bias, 2)];
    shown.push(fixed(output, activation === "sigmoid" ? 3 : 2));
    shown.forEach((text, i) => (texts[i].textContent = text));
    const samples = Array.from({ length: 81 }, (_, i) => -REACH + (i * REACH) / 40);
    const points = samples.map((x) => `${toX(x).toFixed(1)},${toY(of(x)).toFixed(1)}`);
    curve.setAttribute("points", points.join(" "));
    const axes = `M${toX(-REACH)} ${toY(0)}H${toX(REACH)}M${toX(0)} ${toY(low)}V${toY(high)}`;
    zero.setAttribute("d", axes);
    point.setAttribute("cx", toX(sum));
    point.setAttribute("cy", toY(output));
    name.textContent = title;
  };
}
