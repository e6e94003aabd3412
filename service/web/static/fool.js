/* "Fool it": the fewest pixels that change the answer, of two versions side by side. */

import { fewest } from "./adversary.js";
import { openDialog } from "./dialog.js";
import { make } from "./dom.js";
import { predict } from "./frames.js";
import { aDigit, percent } from "./numbers.js";

const PIXEL = 8; // of the screen, a side
const SIDE = 28;
const PAUSE = 180; // ms from one changed pixel to the next, so that they can be followed

/**
 * Open the dialog.
 *
 * @param {{frame: number[]}} seen the answer that is shown
 * @param {string[]} versions
 * @param {function(string): Promise<Layer[]>} layersOf
 */
export function fool({ frame }, versions, layersOf) {
  const cards = versions.map((version) => {
    const canvas = make("canvas", {
      className: "pixels",
      width: SIDE * PIXEL,
      height: SIDE * PIXEL,
      role: "img",
    });
    const words = make("p", { role: "status" }, "Searching…");
    const card = make("section", {}, make("h3", {}, `Version ${version}`), canvas, words);
    return { version, canvas, words, card };
  });
  const dialog = openDialog(
    "Fool it",
    make("p", {}, "How few pixels must change to change the answer?"),
    make("div", { className: "cards" }, ...cards.map(({ card }) => card)),
    make(
      "p",
      { className: "muted" },
      "Found by following the gradient from pixel to pixel, in your browser; fewer may do. The changed picture was then sent to the server, and the answer is its own.",
    ),
  );
  dialog.classList.add("fool");
  for (const card of cards) {
    paint(card.canvas, frame, []);
    search(card, frame, layersOf).catch(({ message }) => {
      card.words.textContent = `The search failed: ${message}`;
    });
  }
}

async function search({ version, canvas, words }, frame, layersOf) {
  const layers = await layersOf(version);
  await new Promise((resolve) => setTimeout(resolve)); // let the dialog be painted
  const found = fewest(layers, frame);
  if (!found) {
    words.textContent = "The search found no small set of pixels that changes the answer.";
    return;
  }
  const [{ digit, probabilities }] = await predict(version, [found.frame]);
  const share = percent(probabilities[digit], 0);
  const count = found.changed.length;
  const turn = count > 1 ? "pixels of 784 turn" : "pixel of 784 turns";
  words.textContent = `${count} ${turn} ${aDigit(found.before)} into ${aDigit(digit)} (${share}).`;
  canvas.setAttribute("aria-label", `The picture that it takes for ${aDigit(digit)}`);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches)
    return paint(canvas, found.frame, found.changed);
  const shown = [...frame];
  for (const [i, at] of found.changed.entries()) {
    shown[at] = found.frame[at];
    paint(canvas, shown, found.changed.slice(0, i + 1));
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/* The picture, with a frame around each pixel that was changed. */
function paint(canvas, frame, changed) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  const at = (i) => [(i % SIDE) * PIXEL, Math.floor(i / SIDE) * PIXEL];
  frame.forEach((level, i) => {
    context.fillStyle = `rgb(${level} ${level} ${level})`;
    context.fillRect(...at(i), PIXEL, PIXEL);
  });
  context.lineWidth = 2;
  context.strokeStyle = getComputedStyle(canvas).getPropertyValue("--mark");
  for (const i of changed) {
    const [x, y] = at(i);
    context.strokeRect(x + 1, y + 1, PIXEL - 2, PIXEL - 2);
  }
}
