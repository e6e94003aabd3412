/* A sigmoid neuron with two inputs, and the gradient of its loss on the gallery's drawings. */

export const START = [0, 0, 0]; // two weights and the bias

/**
 * Measure drawings: the share of each one's line that lies in the upper and in the right half
 * of the box around it, both shifted and scaled to mean 0 and standard deviation 1.
 *
 * @param {{label: number, strokes: number[][][]}[]} digits
 * @returns {{label: number, inputs: number[], target: number}[]} target: 1 if odd, 0 if even
 */
export function points(digits) {
  const measures = digits.map(({ strokes }) => shares(strokes));
  const columns = [0, 1].map((k) => standardize(measures.map((measure) => measure[k])));
  return digits.map(({ label }, i) => ({
    label,
    inputs: columns.map((each) => each[i]),
    target: label % 2,
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
  let loss = 0,
    right = 0;
  for (const {
    inputs: [u, r],
    target,
  } of points) {
    const sum = a * u + b * r + bias;
    const error = 1 / (1 + Math.exp(-sum)) - target;
    [error * u, error * r, error].forEach(
      (each, k) => (gradient[k] += each / points.length),
    );
    // −ln p without overflow: p of the right answer is sigmoid of the sum, or of minus it.
    const margin = target ? sum : -sum;
    loss +=
      (Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin)))) / points.length;
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
  let length = 0,
    upper = 0,
    right = 0;
  for (const stroke of strokes) {
    for (let i = 1; i < stroke.length; i++) {
      const [fromX, fromY] = stroke[i - 1],
        [toX, toY] = stroke[i];
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
  const variance =
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return values.map((value) => (value - mean) / Math.sqrt(variance));
}
