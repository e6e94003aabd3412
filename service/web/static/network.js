/* The network in the browser: the weights that the server runs, and the same sums. */

import { contentOf, fetchPatiently } from "./key.js";

export const SIZES = [784, 128, 64, 10];

/**
 * Fetch a version's weights.
 *
 * @param {number|string} version
 * @returns {Promise<Layer[]>} a layer: `{inputs, units, kernel, biases, activation}`, where
 *   `kernel[i * units + j]` is the weight from input i to unit j.
 * @throws {Error} with what the server said, in words.
 */
export async function fetchLayers(version) {
  // With the hash of its model in the URL, a browser keeps the reply for good.
  const sha256 = document.querySelector("main").dataset[`sha256-${version}`] ?? "";
  const query = new URLSearchParams({ version, sha256 });
  const reply = await fetchPatiently(`weights?${query}`);
  if (!reply.ok) await contentOf(reply); // which throws
  return parseLayers(decodeFloat32(await reply.arrayBuffer()));
}

/** Decode little-endian single-precision numbers, on machines of any byte order. */
function decodeFloat32(buffer) {
  const view = new DataView(buffer);
  const numbers = new Float32Array(buffer.byteLength / 4);
  for (let i = 0; i < numbers.length; i++) numbers[i] = view.getFloat32(4 * i, true);
  return numbers;
}

/** Cut the numbers of `/weights` into layers. */
function parseLayers(numbers) {
  let at = 0;
  const take = (count) => numbers.slice(at, (at += count));
  const layers = SIZES.slice(1).map((units, number) => ({
    inputs: SIZES[number],
    units,
    kernel: take(SIZES[number] * units),
    biases: take(units),
    activation: number === SIZES.length - 2 ? "softmax" : "relu",
  }));
  if (at !== numbers.length) {
    throw new Error(
      `found ${numbers.length} weights, expected ${at}, those of ${SIZES.join("-")}`,
    );
  }
  return layers;
}

export const ACTIVATIONS = {
  relu: (sums) => sums.map((sum) => Math.max(0, sum)),
  sigmoid: (sums) => sums.map((sum) => 1 / (1 + Math.exp(-sum))),
  softmax(sums) {
    const largest = Math.max(...sums); // without it, e to the power of 710 is infinite
    const powers = sums.map((sum) => Math.exp(sum - largest));
    const total = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / total);
  },
};

/**
 * Take an image through the layers.
 *
 * @param {Layer[]} layers
 * @param {ArrayLike<number>} image 784 pixels, 0 to 1
 * @returns {{sums: Float32Array, activations: Float32Array}[]} of each layer
 */
export function forward(layers, image) {
  let inputs = Float32Array.from(image);
  return layers.map(({ units, kernel, biases, activation }) => {
    const sums = Float32Array.from(biases);
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i];
      if (input === 0) continue; // most pixels are
      for (let j = 0, at = i * units; j < units; j++, at++) sums[j] += input * kernel[at];
    }
    inputs = ACTIVATIONS[activation](sums);
    return { sums, activations: inputs };
  });
}

/**
 * Say what each pixel is worth to a unit, for one image.
 *
 * With the hidden units that are on for this image, and without those that ReLU holds at 0,
 * everything before a unit is one weighted sum of the pixels. In the first layer it is the
 * unit's own weights, whatever the image.
 *
 * @param {Layer[]} layers
 * @param {{sums: ArrayLike<number>}[]} outcomes what `forward` or `/explain` gave for the image
 * @param {number} depth the unit's layer, from 0
 * @param {number} unit
 * @returns {Float32Array} 784 weights
 */
export function pixelWeights(layers, outcomes, depth, unit) {
  return down(layers, outcomes, depth, column(layers[depth], unit)).weights;
}

/* Take weights of a layer's inputs down to the pixels; `bias` is what the layers add. */
function down(layers, outcomes, depth, weights) {
  let bias = 0;
  for (let below = depth - 1; below >= 0; below--) {
    const { inputs, units, kernel, biases } = layers[below];
    const on = weights.map((weight, j) => (outcomes[below].sums[j] > 0 ? weight : 0));
    bias += on.reduce((sum, weight, j) => sum + weight * biases[j], 0);
    weights = new Float32Array(inputs);
    for (let i = 0; i < inputs; i++) {
      let sum = 0;
      for (let j = 0, at = i * units; j < units; j++, at++) sum += on[j] * kernel[at];
      weights[i] = sum;
    }
  }
  return { weights, bias };
}

/**
 * Say why one digit's logit is larger than another's, for one image.
 *
 * With the units that are on for the image, the difference is one weighted sum of its pixels
 * and a bias, so that nothing is left out: weights times pixels, plus the bias, are it.
 *
 * @param {Layer[]} layers
 * @param {{sums: ArrayLike<number>}[]} outcomes what `forward` or `/explain` gave for it
 * @param {number} digit
 * @param {number} other
 * @returns {{weights: Float32Array, bias: number}} 784 weights
 */
export function difference(layers, outcomes, digit, other) {
  const depth = layers.length - 1;
  const { biases } = layers[depth];
  const [one, two] = [digit, other].map((each) => column(layers[depth], each));
  const start = one.map((weight, i) => weight - two[i]);
  const { weights, bias } = down(layers, outcomes, depth, start);
  return { weights, bias: bias + biases[digit] - biases[other] };
}

/** Return the weights of a unit's inputs. */
export function column({ inputs, units, kernel }, unit) {
  return Float32Array.from({ length: inputs }, (_, i) => kernel[i * units + unit]);
}

/** Return the place of the largest value; -1 where several are. */
export function argmax(values) {
  const most = Math.max(...values);
  const at = values.indexOf(most);
  return values.lastIndexOf(most) === at ? at : -1;
}
