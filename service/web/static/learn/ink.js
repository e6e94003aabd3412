/* The surface of chapter 9: the front page's pen and keys, for strokes of one width. */

import { CELLS, Drawing, PEN, STEPS, toStrokes } from "../drawing.js";
import { makeSketch } from "../sketch.js";

const TOOL = { kind: "brush", width: Math.round(100 * PEN) };
const TOUCH = (3 * STEPS) / CELLS; // the pen is nearly three cells wide
const DIGITS = 1e4; // as many as a place of 4,096 needs

/**
 * Make a canvas draw.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} said where the cell at which the keyboard is is said
 * @param {function()} changed called after each change
 * @returns {{strokes: function(): number[][][], clear: function()}} polylines in the unit square
 */
export function ink(canvas, said, changed) {
  const drawing = new Drawing();
  // Cells whose ink touches are one stroke; what is learned from has no cells.
  const add = ({ kind, points: [point] }) => {
    if (kind === "paper") return;
    const [x, y] = drawing.acts.at(-1)?.points.at(-1) ?? [Infinity, Infinity];
    if (Math.hypot(point[0] - x, point[1] - y) < TOUCH)
      drawing.acts.at(-1).points.push(point);
    else drawing.add({ ...TOOL, points: [point] });
  };
  const clear = () => {
    sketch.drop();
    drawing.load([]);
    sketch.change();
  };
  const sketch = makeSketch(canvas, drawing, { tool: () => TOOL, add, clear, changed, said });
  const rounded = (value) => Math.round(DIGITS * value) / DIGITS;
  return {
    strokes: () =>
      (toStrokes(drawing.acts)?.strokes ?? []).map((points) =>
        points.map((point) => point.map(rounded)),
      ),
    clear,
  };
}
