/* Chapter 4: what one answer costs. */

import { chart } from "../chart.js";
import { make } from "../dom.js";
import { fixed, short } from "../numbers.js";
import { widget } from "./widget.js";

const BLIND = 0.1; // p of a guess among ten digits
const SAMPLES = Array.from({ length: 200 }, (_, i) => Math.exp((-7 * i) / 199));
const X = {
  min: 0,
  max: 1,
  ticks: [0, 0.2, 0.4, 0.6, 0.8, 1],
  label: "p of the right digit",
};
const Y = { min: 0, max: 7, ticks: [0, 1, 2, 3, 4, 5, 6, 7], label: "loss" };

export function mount(form) {
  const { parts, bind } = widget(form);
  const drawn = chart(parts.chart, {
    label: "The loss falls steeply, then slowly, from p near 0 to 0 at p = 1",
    x: { ...X, format: short },
    y: { ...Y, format: short },
  });
  drawn.line(
    SAMPLES.map((p) => [p, -Math.log(p)]),
    "series-a",
  );
  const point = drawn.mark([1, 0], "here");
  return bind(({ p }) => {
    const loss = -Math.log(p);
    point.setAttribute("transform", `translate(${drawn.x(p)} ${drawn.y(loss)})`);
    const value = make("b", {}, fixed(loss, 4));
    parts.loss.replaceChildren(`\u2212ln ${fixed(p, 3)} = `, value);
    const gap = p - BLIND;
    parts.words.textContent =
      Math.abs(gap) < 1e-9
        ? "Exactly a blind guess."
        : gap > 0
          ? "Better than a blind guess."
          : "Worse than a blind guess.";
    return `Loss ${fixed(loss)}. ${parts.words.textContent}`;
  });
}
