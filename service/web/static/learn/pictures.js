/* Small pictures of 28 × 28 pixels, alone and to choose from. */

import { grey, largest, make, paintPixels, signed } from "../dom.js";
import { aDigit } from "../numbers.js";

export const SIDE = 28;

/** Make a canvas that is left out for who cannot see it: its label stands elsewhere. */
export const small = () =>
  make("canvas", {
    className: "pixels",
    width: SIDE,
    height: SIDE,
    "aria-hidden": "true",
  });

/** Paint grey levels, 0 to 255, and say in words what is seen. */
export function paintFrame(canvas, frame, words) {
  paintPixels(canvas, frame, grey);
  if (words) canvas.setAttribute("aria-label", words);
}

/** Paint signed values, blue above 0 and orange below; `most` is brightest. */
export function paintSigned(canvas, values, words, most = largest(values)) {
  paintPixels(canvas, values, signed(most));
  if (words) canvas.setAttribute("aria-label", words);
}

/** Return what is brightest in a picture of weights: one extreme would hide the rest. */
export function bright(weights) {
  const sizes = Float32Array.from(weights, Math.abs).sort();
  return sizes[Math.floor(0.99 * sizes.length)];
}

/**
 * Fill a place with radio buttons, each a picture or a cell.
 *
 * @param {HTMLElement} host
 * @param {string} name the control's; its value is the place in the list
 * @param {{words: string, picture: Element=}[]} items
 * @param {number} chosen
 * @returns {HTMLLabelElement[]}
 */
export function choices(host, name, items, chosen) {
  const labels = items.map(({ words, picture }, i) => {
    const input = make("input", { type: "radio", name, value: i, "aria-label": words });
    input.defaultChecked = i === chosen;
    return make("label", { className: "pick", title: words }, input, picture ?? "");
  });
  host.replaceChildren(...labels);
  // Up and down would go to the neighbours of a radio button, as left and right do.
  host.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const columns = getComputedStyle(host).gridTemplateColumns.split(" ").length;
    const at = labels.indexOf(event.target.closest("label"));
    const next = labels[at + step * columns]?.querySelector("input");
    next?.focus();
    next?.click();
  });
  return labels;
}

/** Fill a place with the frames of drawings; the control's name is "digit". */
export function chooseDigit(host, drawings, chosen) {
  const items = drawings.map((drawing, i) => {
    const picture = small();
    paintFrame(picture, drawing.frame);
    return { words: `${nameOf(drawing)}, drawing ${i + 1}`, picture };
  });
  return choices(host, "digit", items, chosen);
}

/** Name a drawing: a 7, the heart, yours. */
export function nameOf({ label, name }) {
  if (typeof label === "number") return aDigit(label);
  return name ?? "your drawing";
}

/** Return the place of the first drawing of a digit, or of the drawing that a link brought. */
export const firstOf = (drawings, digit) => {
  const linked = drawings.findIndex(({ label }) => label === undefined);
  return linked >= 0 ? linked : drawings.findIndex(({ label }) => label === digit);
};
