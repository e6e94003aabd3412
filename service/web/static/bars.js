/* Ten probabilities as bars with numbers, one a digit. */

import { make } from "./dom.js";
import { percent } from "./numbers.js";

/**
 * Make ten bars in a list.
 *
 * @param {HTMLElement} list an empty one
 * @returns {function(ArrayLike<number>|null)} shows ten probabilities, or that there are none
 */
export function makeBars(list) {
  const rows = Array.from({ length: 10 }, (_, digit) => {
    const bar = make("span", { className: "bar" });
    const number = make("span", { className: "percent" }, "–");
    const row = make(
      "li",
      { dataset: { digit } },
      make("span", { className: "name" }, String(digit)),
      make("span", { className: "track", "aria-hidden": "true" }, bar),
      number,
    );
    list.append(row);
    return { row, bar, number };
  });
  return (probabilities) => {
    const most = probabilities && Math.max(...probabilities);
    rows.forEach(({ row, bar, number }, digit) => {
      const share = probabilities?.[digit];
      row.classList.toggle("best", probabilities !== null && share === most);
      bar.style.transform = `scaleX(${share ?? 0})`;
      number.textContent = probabilities ? percent(share, 2, "> ") : "–";
    });
  };
}
