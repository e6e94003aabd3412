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
    ? `${over}${"99.99".slice(0, decimals ? 3 + decimals : 2)} %`
    : `${written} %`;
}

const minus = (text) => text.replace("-", "\u2212");

/** Write a number with as many decimals as it needs, up to `decimals`: 0.5, −0.125. */
export const short = (value, decimals = 4) =>
  minus(String(Number(value.toFixed(decimals)) || 0));

/** Write a number with that many decimals: 0.50; what rounds to zero has no sign. */
export const fixed = (value, decimals = 2) =>
  minus((Number(value.toFixed(decimals)) || 0).toFixed(decimals));

/** Write a number from 0 to 1, legible however small: 0.0156, 9.2 × 10⁻⁵. */
export function tiny(value) {
  if (value >= 0.001 || value === 0) return fixed(value, 4);
  const [digits, power] = value.toExponential(1).split("e-");
  const raised = [...power].map(
    (digit) => "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[digit],
  );
  return `${digits} × 10\u207b${raised.join("")}`;
}

/** Write a whole number in groups of three: 109,386. */
export const whole = (value) => value.toLocaleString("en");

/** Write a digit with its article. */
export const aDigit = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;
