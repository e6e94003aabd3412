/* What the page says of an answer. */

import { aDigit, percent } from "./numbers.js";

const ALMOST = 0.9999; // from here on "almost certainly"
const LEAST_SAID = 0.005; // a runner-up of less is not worth a word
const TWO = 0.8; // two digits that share this much leave the others out
const FLAGGED = 0.02; // a 1 that may be a 7 is worth a word from here on

/** Return the digits in the order of their probabilities, the largest first. */
export const ranked = (probabilities) =>
  [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);

const betweenTwo = (first, second) => first < TWO && first + second >= TWO;

/**
 * Say an answer in a sentence.
 *
 * @param {{digit: number, probabilities: number[], unsure: boolean=, found: string=}} prediction
 */
export function verdict({ digit, probabilities, unsure, found }) {
  // The probabilities are of the one digit that was read, and say nothing of the others.
  if (found) return `Not sure. Perhaps ${aDigit(digit)}.`;
  const second = ranked(probabilities)[1];
  const [first, next] = [digit, second].map(
    (each) => `${aDigit(each)} (${percent(probabilities[each], 0)})`,
  );
  if (unsure && betweenTwo(probabilities[digit], probabilities[second]))
    return `Not sure: ${first} or ${next}?`;
  if (unsure) return `Not sure. Perhaps ${first}.`;
  if (probabilities[digit] >= ALMOST)
    return `${capital(aDigit(digit))}, almost certainly (${percent(1)}).`;
  const also = probabilities[second] < LEAST_SAID ? "" : `, or ${next}`;
  return `${capital(aDigit(digit))} (${percent(probabilities[digit])})${also}.`;
}

/**
 * Say what is worth knowing of an answer, if anything is.
 *
 * @param {object} prediction as for `verdict`, and `found` of the server
 * @param {boolean} pieces whether the ink on the pad lies in pieces side by side
 */
export function remark({ digit, probabilities, unsure, found }, pieces) {
  const second = ranked(probabilities)[1];
  if (pieces || found === "several digits")
    return "These look like two digits. It reads one at a time.";
  if (digit + second === 8 && digit * second === 7 && probabilities[second] >= FLAGGED)
    return "It was trained on American digits, where a 1 is a plain line: with a flag it looks like a 7.";
  if (unsure && !betweenTwo(probabilities[digit], probabilities[second]))
    return "It may not be a digit at all: the network can only answer with 0 to 9.";
  return "";
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
