/* Why this digit and not the next: the ink that speaks for each. */

import { byId, grey, largest, paintPixels, signed } from "./dom.js";
import { SIZES, difference } from "./network.js";
import { fixed } from "./numbers.js";
import { ranked } from "./words.js";

const HAZE = 45; // of 255, so that ink that says nothing is seen too
const BLACK = new Array(SIZES[0]).fill(0);

/** Take over the elements, and return `show(seen)` and `blank()`. */
export function makeWhy() {
  const [canvas, title, sum] = ["why", "why-title", "why-sum"].map(byId);
  const say = (question, account, label) => {
    title.textContent = question;
    sum.textContent = account;
    canvas.setAttribute("aria-label", label);
  };
  const blank = () => {
    paintPixels(canvas, BLACK, grey);
    say("Why?", "", "Nothing yet");
    canvas.parentElement.classList.add("empty");
  };
  return {
    blank,
    show({ layers, outcomes, frame, prediction }) {
      if (!layers) return blank();
      const [digit, other] = ranked(prediction.probabilities);
      const { weights, bias } = difference(layers, outcomes, digit, other);
      const worths = weights.map((weight, i) => (weight * frame[i]) / 255);
      const colour = signed(largest(worths));
      paintPixels(canvas, worths, (worth, i) =>
        colour(worth).map((part) => Math.min(255, part + (HAZE * frame[i]) / 255)),
      );
      const [most, least] = [1, -1].map((sign) =>
        worths.reduce((total, worth) => total + Math.max(0, sign * worth), 0),
      );
      canvas.parentElement.classList.remove("empty");
      const lead = most - least + bias;
      const sides = `${fixed(most, 1)} for ${digit}, ${fixed(least, 1)} for ${other}`;
      say(
        `Why ${digit}, not ${other}?`,
        `${sides}, bias ${fixed(bias, 1)}: ${digit} leads by ${fixed(lead, 1)}.`,
        `The ink that speaks: ${sides}`,
      );
    },
  };
}
