/* Numbers as people read them. */

/**
 * Write a probability as people read it: 57.51 %, and over 99.99 % for what rounds to 100,
 * for softmax never gives a whole.
 *
 * @param {number} share
 * @param {number} [decimals]
 * @param {string} [over] the word for more than can be written
 */
export function percent(share, decimals = 2, over = "over ") {
  const written = (share * 100).toFixed(decimals);
  return written.startsWith("100")
    ? `${over}${"99.99".slice(0, decimals ? 3 + decimals : 2)}\u00a0%`
    : `${written}\u00a0%`;
}

const minus = (text) => text.replace("-", "\u2212");

/** Write a number with as many decimals as it needs, up to `decimals`: 0.5, −0.125. */
export const short = (value, decimals = 4) =>
  minus(String(Number(value.toFixed(decimals)) || 0));

/** Write a number with that many decimals: 0.50; what rounds to zero has no sign. */
export const fixed = (value, decimals = 2) =>
  minus((Number(value.toFixed(decimals)) || 0).toFixed(decimals));

/** Write a whole number in groups of three: 109,386. */
export const whole = (value) => value.toLocaleString("en");

/** Write a digit with its article. */
export const aDigit = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;
