/* Numbers as people read them. */

/** Write a probability as people read it: 99.99 %, and never 100 for what is less. */
export function percent(share) {
  const floored = Math.floor(share * 1e4) / 100;
  return `${(share < 1 && floored >= 99.99 ? floored : share * 100).toFixed(2)} %`;
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
