/* A canvas that is drawn on: by pointers, and from the keyboard. */

import { makeCells, paintCursor } from "./cells.js";
import { SIDE } from "./drawing.js";
import { Surface } from "./paint.js";
import { makePen } from "./pen.js";

/**
 * Make a canvas draw.
 *
 * @param {HTMLCanvasElement} pad
 * @param {Drawing} drawing what it changes
 * @param {object} on
 * @param {function(boolean): {kind: string, width: number}} on.tool what draws; true where a
 *   pen is turned to its eraser
 * @param {function(object)} on.add takes an act of the keyboard's, "ink" or "paper"
 * @param {function(number)} on.clear the keyboard asks for it
 * @param {function(number)} on.changed called after each change, with the time of the event
 * @param {function(CanvasRenderingContext2D, number, CSSStyleDeclaration)} [on.painted] paints
 *   over the drawing, on a square of that many pixels
 * @param {HTMLElement} on.said where the cell at which the keyboard is is said
 * @returns {{repaint: function, change: function(number), drop: function,
 *   draws: function(): boolean, canvas: HTMLCanvasElement}} `change` tells of a change from
 *   elsewhere; `drop` ends the stroke, `draws` says whether there is one; `canvas` has the
 *   drawing black on nothing, 280 × 280
 */
export function makeSketch(pad, drawing, { tool, add, clear, changed, painted, said }) {
  // What is sent is painted apart from what is seen: the same picture on every screen. It is
  // read far more often than it is painted, so it stays out of the graphics card.
  const sent = new Surface(document.createElement("canvas"), { willReadFrequently: true });
  const seen = new Surface(pad);

  const repaint = () => {
    const style = getComputedStyle(pad);
    const side = Math.round(pad.clientWidth * devicePixelRatio);
    sent.show(drawing, SIDE, "#000");
    if (!side) return; // not laid out, as on paper
    seen.show(drawing, side, style.getPropertyValue("--ink"));
    painted?.(seen.context, side, style);
    if (cursor.shown) paintCursor(seen.context, side, cursor, style);
  };
  const change = (time) => {
    repaint();
    changed(time);
  };
  const pen = makePen(pad, drawing, tool, change);
  const cursor = makeCells(pad, sent.context, {
    add(act, time) {
      add(act);
      change(time);
    },
    clear,
    moved: repaint,
    said,
  });
  new ResizeObserver(repaint).observe(pad);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  return { repaint, change, ...pen, canvas: sent.canvas };
}
