/* Ways to break a network or its input; nothing here knows of the page. */

import { forward } from "../network.js";
import { deviation, normals } from "./statistics.js";

const SIDE = 28;

/** Nothing broken. */
export const WHOLE = Object.freeze({
  silent: [], // layers whose activations become 0, from 0
  noBiases: false,
  linear: false, // no ReLU
  noise: 0, // standard deviation, of the weights' own
  pruned: 0, // share of each layer's weights, the smallest, that become 0
  dx: 0, // pixels to the right
  dy: 0, // pixels down
  inverted: false,
  speckle: 0, // standard deviation of the noise on pixels, where white is 1
  seed: 1,
});

/**
 * Return a function that gives broken copies of layers; what many of them need is kept.
 *
 * @param {Layer[]} layers
 * @returns {function(object): Layer[]} from settings as in `WHOLE`
 */
export function breaker(layers) {
  const known = layers.map(({ kernel }) => ({
    spread: deviation(kernel),
    sizes: kernel.map(Math.abs).sort(),
  }));
  let noise = { seed: null };
  const noiseOf = (seed) => {
    if (noise.seed !== seed) {
      noise = {
        seed,
        values: layers.map(({ kernel }, i) => normals(kernel.length, 3 * seed + i)),
      };
    }
    return noise.values;
  };
  return (how) =>
    layers.map((layer, i) => {
      const { spread, sizes } = known[i];
      // With the smallest ones, those that are as small as the last of them go too.
      const gone = Math.round(how.pruned * sizes.length);
      const least = gone ? sizes[gone - 1] : -1;
      const added = how.noise ? noiseOf(how.seed)[i] : null;
      const kernel =
        gone || added
          ? layer.kernel.map((weight, at) =>
              Math.abs(weight) <= least
                ? 0
                : weight + (added ? how.noise * spread * added[at] : 0),
            )
          : layer.kernel;
      return {
        ...layer,
        kernel,
        biases: how.noBiases ? layer.biases.map(() => 0) : layer.biases,
      };
    });
}

/**
 * Take an image through layers that may lack ReLU or be silent.
 *
 * @returns {Float32Array} the ten probabilities
 */
export function probabilities(layers, image, { silent, linear }) {
  return layers.reduce((inputs, layer, i) => {
    const { sums, activations } = forward([layer], inputs)[0];
    if (silent.includes(i)) return activations.map(() => 0);
    return linear && layer.activation === "relu" ? sums : activations;
  }, image);
}

/**
 * Shift, invert and speckle an image; what is shifted out is lost.
 *
 * @param {Float32Array} pixels 784, from 0 to 1
 */
export function distort(pixels, { dx, dy, inverted, speckle, seed }) {
  const found = new Float32Array(pixels.length);
  for (let i = 0; i < found.length; i++) {
    const row = Math.floor(i / SIDE) - dy;
    const column = (i % SIDE) - dx;
    const inside = row >= 0 && row < SIDE && column >= 0 && column < SIDE;
    const pixel = inside ? pixels[row * SIDE + column] : 0;
    found[i] = inverted ? 1 - pixel : pixel;
  }
  if (!speckle) return found;
  const added = normals(found.length, seed);
  return found.map((pixel, i) => Math.min(1, Math.max(0, pixel + speckle * added[i])));
}
