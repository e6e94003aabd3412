/* Random numbers that are the same for the same seed, and what a count is worth. */

/** Return a generator of numbers from 0 to 1. */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    // A linear congruential step, and the bits mixed: plain ones have patterns.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    let bits = state ^ (state >>> 16);
    bits = Math.imul(bits, 0x45d9f3b) >>> 0;
    bits = (bits ^ (bits >>> 16)) >>> 0;
    return bits / 2 ** 32;
  };
}

/** Return a normally distributed number of mean 0 and standard deviation 1 (Box and Muller). */
export const normal = (random) =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Return so many of them for a seed. */
export function normals(count, seed) {
  const random = generator(seed);
  return Float32Array.from({ length: count }, () => normal(random));
}

/** Return the standard deviation. */
export function deviation(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length,
  );
}

/**
 * Return where a share is likely to be, from how many of how many (Wilson's interval).
 *
 * @param {number} share 0 to 1, of `count`
 * @param {number} count
 * @param {number} [z] standard errors: 1.96 for 95 %
 * @returns {number[]} [low, high]
 */
export function wilson(share, count, z = 1.96) {
  const shrink = 1 + z ** 2 / count;
  const middle = (share + z ** 2 / (2 * count)) / shrink;
  const half =
    (z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2))) / shrink;
  return [middle - half, middle + half];
}
