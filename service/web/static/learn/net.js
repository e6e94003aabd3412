/* A small network that learns in the browser: one hidden layer of ReLU units, and Adam. */

import { column, forward } from "../network.js";
import { normal } from "./statistics.js";

export const HIDDEN = 32;
const [INPUTS, OUTPUTS] = [784, 10];
// Keras's default is 0.001; three times as much learns faster here, and as well.
const RATE = 0.003;
const [FIRST, SECOND] = [0.9, 0.999]; // how slowly Adam's two means forget
const TINY = 1e-8; // Adam's epsilon

/** A network of 784-32-10; parameters are those of its two layers, in one list. */
export class Net {
  steps = 0;

  /** @param {function(): number} random draws the weights that it starts from (He). */
  constructor(random) {
    const drawn = (count, inputs) =>
      Float32Array.from({ length: count }, () => normal(random) * Math.sqrt(2 / inputs));
    this.parameters = [
      drawn(INPUTS * HIDDEN, INPUTS),
      new Float32Array(HIDDEN),
      drawn(HIDDEN * OUTPUTS, HIDDEN),
      new Float32Array(OUTPUTS),
    ];
    const layer = (inputs, units, at, activation) => {
      const [kernel, biases] = this.parameters.slice(at); // the same arrays, which Adam moves
      return { inputs, units, kernel, biases, activation };
    };
    this.layers = [
      layer(INPUTS, HIDDEN, 0, "relu"),
      layer(HIDDEN, OUTPUTS, 2, "softmax"),
    ];
    const zeros = () => this.parameters.map(({ length }) => new Float32Array(length));
    [this.gradients, this.means, this.squares] = [zeros(), zeros(), zeros()];
  }

  /** The weights of a hidden unit, 784. */
  weightsOf(unit) {
    return column(this.layers[0], unit);
  }

  /**
   * Take an image through it.
   *
   * @param {ArrayLike<number>} pixels 784, 0 to 1
   * @returns {{hidden: Float32Array, shares: Float32Array}} of the ten digits
   */
  forward(pixels) {
    const [hidden, shares] = forward(this.layers, pixels).map((it) => it.activations);
    return { hidden, shares };
  }

  /**
   * Learn from a batch: one step of backpropagation and Adam.
   *
   * @param {{pixels: ArrayLike<number>, label: number}[]} batch
   * @returns {number} the mean loss before the step
   */
  learn(batch) {
    for (const gradient of this.gradients) gradient.fill(0);
    const loss = batch.reduce((sum, image) => sum + this.#add(image, batch.length), 0);
    this.#move();
    return loss / batch.length;
  }

  /* Add an image's part to the gradients: from the loss back to the pixels. */
  #add({ pixels, label }, count) {
    const [kernel, biases, upper, upperBiases] = this.gradients;
    const { hidden, shares } = this.forward(pixels);
    const loss = -Math.log(Math.max(shares[label], TINY));
    // Of cross-entropy after softmax: the probability, less 1 for the right digit.
    const errors = shares.map((share, k) => (share - (k === label)) / count);
    for (let k = 0; k < OUTPUTS; k++) upperBiases[k] += errors[k];
    const back = new Float32Array(HIDDEN);
    for (let j = 0; j < HIDDEN; j++) {
      if (hidden[j] === 0) continue; // the slope of a ReLU that is off
      for (let k = 0, at = j * OUTPUTS; k < OUTPUTS; k++, at++) {
        upper[at] += hidden[j] * errors[k];
        back[j] += this.parameters[2][at] * errors[k];
      }
      biases[j] += back[j];
    }
    for (let i = 0; i < INPUTS; i++) {
      const pixel = pixels[i];
      if (pixel === 0) continue;
      for (let j = 0, at = i * HIDDEN; j < HIDDEN; j++, at++) kernel[at] += pixel * back[j];
    }
    return loss;
  }

  /* Adam's step. */
  #move() {
    this.steps++;
    const rate = (RATE * Math.sqrt(1 - SECOND ** this.steps)) / (1 - FIRST ** this.steps);
    this.parameters.forEach((values, p) => {
      const [gradient, mean, square] = [this.gradients[p], this.means[p], this.squares[p]];
      for (let i = 0; i < values.length; i++) {
        mean[i] += (1 - FIRST) * (gradient[i] - mean[i]);
        square[i] += (1 - SECOND) * (gradient[i] ** 2 - square[i]);
        values[i] -= (rate * mean[i]) / (Math.sqrt(square[i]) + TINY);
      }
    });
  }
}
