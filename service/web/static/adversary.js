/* Fools the network: as few pixels as can be found that change its answer. */

import { difference, forward } from "./network.js";

const TRIED = 12; // pixels that are tried at each step, the most promising ones
const MOST = 40; // pixels; a search that needs more has lost
const DIGITS = [...Array(10).keys()];

/**
 * Search for the fewest pixels that change the answer.
 *
 * For each other digit: turn on or off, one at a time, the pixel that brings it nearest, until
 * it wins; then turn back each that turns out not to be needed. It is a search, not a proof:
 * fewer may do.
 *
 * @param {Layer[]} layers
 * @param {ArrayLike<number>} frame 784 grey levels, whole numbers
 * @returns {{digit: number, frame: number[], changed: number[], probabilities: number[],
 *   before: number}|null} the new answer, the changed picture and where it is changed, in the
 *   order of the search; `before` is the answer to the picture as it was
 */
export function fewest(layers, frame) {
  const before = winner(logits(layers, frame));
  let best = null;
  for (const target of DIGITS.filter((digit) => digit !== before)) {
    const most = best ? best.changed.length - 1 : MOST;
    const found = towards(layers, frame, before, target, most);
    if (found && (!best || found.changed.length < best.changed.length)) best = found;
  }
  if (!best) return null;
  const probabilities = Array.from(run(layers, best.frame).at(-1).activations);
  return { ...best, before, probabilities, digit: winner(probabilities) };
}

function towards(layers, start, before, target, most) {
  const frame = Array.from(start);
  const changed = [];
  while (winner(logits(layers, frame)) === before) {
    if (changed.length === most) return null;
    const { weights } = difference(layers, run(layers, frame), target, before);
    // How much nearer the target comes, as long as the same units stay on.
    const gain = weights.map((weight, i) => (weight * (turned(weight) - frame[i])) / 255);
    const promising = [...gain.keys()]
      .filter((i) => frame[i] === start[i] && gain[i] > 0)
      .sort((a, b) => gain[b] - gain[a])
      .slice(0, TRIED);
    if (!promising.length) return null;
    const tried = promising.map((i) => {
      const after = logits(layers, frame.with(i, turned(weights[i])));
      return { i, lead: after[target] - after[before] };
    });
    const { i } = tried.reduce((a, b) => (b.lead > a.lead ? b : a));
    frame[i] = turned(weights[i]);
    changed.push(i);
  }
  for (const i of [...changed]) {
    const without = frame.with(i, start[i]);
    if (winner(logits(layers, without)) === before) continue;
    frame[i] = start[i];
    changed.splice(changed.indexOf(i), 1);
  }
  return { frame, changed };
}

const turned = (weight) => (weight > 0 ? 255 : 0);
const run = (layers, frame) => forward(layers, frame.map((level) => level / 255));
const logits = (layers, frame) => run(layers, frame).at(-1).sums;
const winner = (values) => values.indexOf(Math.max(...values));
