/* A sigmoid neuron with two inputs, and the gradient of its loss on some drawings. */

import { bend } from "./samples.js";
import { deviation, generator } from "./statistics.js";

export const START = [0, 0, 0]; // two weights and the bias
const VARIANTS = 10; // of each 6 and 9: there are three of each
const STRENGTH = 2; // twice the distortions of chapter 9: with less, any line divides them

/* The two questions: which drawings, and which of them are a yes. */
export const QUESTIONS = {
  nine: { yes: "9", no: "6", is: (label) => label === 9, of: [6, 9] },
  odd: { yes: "odd", no: "even", is: (label) => label % 2 === 1, of: null },
};

/**
 * Measure drawings: the share of each one's line that lies in the upper and in the right half
 * of the box around it, both shifted and scaled to mean 0 and standard deviation 1.
 *
 * @param {{label: number, strokes: number[][][]}[]} digits
 * @param {"nine"|"odd"} question about 6s and 9s in ten distortions each, or all as they are
 * @returns {{label: number, inputs: number[], target: number}[]} target: 1 for yes, 0 for no
 */
export function points(digits, question) {
  const { is, of } = QUESTIONS[question];
  const random = generator(1);
  const chosen = of ? digits.filter(({ label }) => of.includes(label)) : digits;
  const drawings = chosen.flatMap((digit) =>
    Array.from({ length: of ? VARIANTS : 1 }, () => ({
      label: digit.label,
      strokes: of ? bend(digit.strokes, random, STRENGTH) : digit.strokes,
    })),
  );
  const measures = drawings.map(({ strokes }) => shares(strokes));
  const columns = [0, 1].map((k) => standardize(measures.map((measure) => measure[k])));
  return drawings.map(({ label }, i) => ({
    label,
    inputs: columns.map((each) => each[i]),
    target: Number(is(label)),
  }));
}

/**
 * Say how well a neuron does.
 *
 * @param {number[]} parameters two weights and the bias
 * @param {{inputs: number[], target: number}[]} points
 * @returns {{parameters: number[], loss: number, gradient: number[], right: number}} the mean of
 *   −ln p of the right answer, how fast it rises with each parameter, and how many are right
 */
export function measure(parameters, points) {
  const [a, b, bias] = parameters;
  const gradient = [0, 0, 0];
  let [loss, right] = [0, 0];
  for (const { inputs, target } of points) {
    const sum = a * inputs[0] + b * inputs[1] + bias;
    const error = 1 / (1 + Math.exp(-sum)) - target;
    [...inputs, 1].forEach((input, k) => (gradient[k] += (error * input) / points.length));
    // −ln p without overflow: p of the right answer is sigmoid of the sum, or of minus it.
    const margin = target ? sum : -sum;
    const one = Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin)));
    loss += one / points.length;
    if (margin > 0) right++;
  }
  return { parameters, loss, gradient, right };
}

function shares(strokes) {
  const all = strokes.flat();
  const [x, y] = [0, 1].map((axis) => {
    const values = all.map((point) => point[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  });
  let [length, upper, right] = [0, 0, 0];
  for (const stroke of strokes) {
    for (let i = 1; i < stroke.length; i++) {
      const [fromX, fromY] = stroke[i - 1];
      const [toX, toY] = stroke[i];
      const piece = Math.hypot(toX - fromX, toY - fromY);
      length += piece;
      if ((fromY + toY) / 2 < y) upper += piece;
      if ((fromX + toX) / 2 > x) right += piece;
    }
  }
  return [upper / length, right / length];
}

function standardize(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const spread = deviation(values);
  return values.map((value) => (value - mean) / spread);
}
