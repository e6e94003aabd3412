/* The answer: the digit, in words, and ten probabilities. */

import { makeBars } from "./bars.js";
import { byId } from "./dom.js";
import { verdict } from "./words.js";

/**
 * Take over the elements of an answer.
 *
 * @param {string} suffix of their ids: "" or "-beside"
 * @returns {{show: function(object): string, blank: function(string)}} `show(prediction)`
 *   returns the answer in words, and `blank(words)` shows words without an answer
 */
export function makeAnswer(suffix) {
  const [digit, said] = ["digit", "verdict"].map((id) => byId(id + suffix));
  const fill = makeBars(byId("bars" + suffix));
  return {
    show(prediction) {
      const unsure = prediction.unsure === true;
      digit.textContent = `${prediction.digit}${unsure ? "?" : ""}`;
      digit.classList.toggle("unsure", unsure);
      fill(prediction.probabilities);
      return (said.textContent = verdict(prediction));
    },
    blank(words) {
      digit.textContent = "?";
      digit.classList.remove("unsure");
      said.textContent = words;
      fill(null);
    },
  };
}
