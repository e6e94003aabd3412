/* The answer: the digit, in words, and ten probabilities. */

import { makeBars } from "./bars.js";
import { byId } from "./dom.js";
import { aDigit, percent } from "./numbers.js";

const LEAST_SAID = 0.001; // a runner-up of less is not worth a word
const DIGITS = [...Array(10).keys()];

/**
 * Take over the elements of an answer.
 *
 * @param {string} suffix of their ids: "" or "-beside"
 * @returns {{show: function, blank: function}} `show(version, unsureBelow, answer)` returns
 *   the answer in words, and `blank(words)` shows words without an answer
 */
export function makeAnswer(suffix) {
  const [digit, verdict, timing] = ["digit", "verdict", "timing"].map((id) =>
    byId(id + suffix),
  );
  const fill = makeBars(byId("bars" + suffix));
  return {
    show(version, unsureBelow, { reply, roundTrip, server }) {
      const [prediction] = reply.predictions;
      const words = inWords(version, unsureBelow, prediction);
      digit.textContent = prediction.unsure
        ? `${prediction.digit}?`
        : String(prediction.digit);
      digit.classList.toggle("unsure", prediction.unsure === true);
      verdict.textContent = words;
      fill(prediction.probabilities);
      const [there, whole] = [server, roundTrip].map((ms) => `${ms.toFixed(1)} ms`);
      timing.textContent = `Round trip ${whole}, of which the server took ${there}.`;
      return words;
    },
    blank(words) {
      digit.textContent = "–";
      digit.classList.remove("unsure");
      verdict.textContent = words;
      fill(null);
      timing.textContent = "";
    },
  };
}

function inWords(version, unsureBelow, { digit, confidence, probabilities, unsure }) {
  const second = DIGITS.filter((name) => name !== digit).reduce((a, b) =>
    probabilities[b] > probabilities[a] ? b : a,
  );
  const next =
    probabilities[second] < LEAST_SAID
      ? ""
      : `, then ${second}: ${percent(probabilities[second])}`;
  if (unsure) {
    const guess = `Below ${percent(unsureBelow)} version ${version} takes its answer for a guess.`;
    return `Unsure, perhaps ${aDigit(digit)}: ${percent(confidence)}${next}. ${guess}`;
  }
  return `Version ${version} reads ${aDigit(digit)}: ${percent(confidence)}${next}.`;
}
