/* Acts become ink on a canvas, and what is finished is painted once. */

import { CELLS, STEPS, cellOf } from "./drawing.js";

const PIECE = 32; // points of a stroke that are painted in one go
const CORNER = 0.42; // the cosine of 65°: a sharper turn was meant, and stays one

/** Return whether a stroke turns sharply at a point. */
function turns([ax, ay], [bx, by], [cx, cy]) {
  const [ux, uy, vx, vy] = [bx - ax, by - ay, cx - bx, cy - by];
  return ux * vx + uy * vy < CORNER * Math.hypot(ux, uy) * Math.hypot(vx, vy);
}

const middle = ([ax, ay], [bx, by]) => [(ax + bx) / 2, (ay + by) / 2];

/* How many pieces of an act will not change however much longer it gets. */
const finished = ({ kind, points }) =>
  kind === "brush" || kind === "eraser"
    ? Math.max(0, Math.floor((points.length - 2) / PIECE))
    : 0;

/**
 * Paint a stroke, or only its pieces from `first` up to `last`.
 *
 * The curve goes through the middles between points, with the points as what it bends to,
 * and through the points themselves where it turns sharply.
 */
function stroke(context, side, { kind, width, points }, first = 0, last = undefined) {
  const at = (i) => points[i].map((value) => (value / STEPS) * side);
  const end = points.length - 1;
  context.lineWidth = (width / 100) * side;
  context.lineCap = context.lineJoin = "round";
  if (end === 0) {
    context.beginPath();
    context.arc(...at(0), context.lineWidth / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  const corner = (i) => turns(at(i - 1), at(i), at(i + 1));
  const piece = (begin, stop, tail) => {
    context.beginPath();
    const onCurve = begin > 0 && !corner(begin);
    context.moveTo(...(onCurve ? middle(at(begin), at(begin + 1)) : at(begin)));
    for (let i = begin + 1; i < stop; i++) {
      if (corner(i)) context.lineTo(...at(i));
      else context.quadraticCurveTo(...at(i), ...middle(at(i), at(i + 1)));
    }
    if (tail) context.lineTo(...at(end));
    context.stroke();
  };
  const whole = last ?? finished({ kind, points });
  for (let i = first; i < whole; i++) piece(i * PIECE, (i + 1) * PIECE + 1, false);
  if (last === undefined) piece(whole * PIECE, end, true);
}

function cell(context, side, { points: [point] }) {
  const size = side / CELLS;
  const [column, row] = cellOf(point);
  context.fillRect(column * size, row * size, size, size);
}

function frame(context, side, { levels }) {
  const small = document.createElement("canvas");
  small.width = small.height = CELLS;
  const pixels = small.getContext("2d");
  pixels.fillStyle = context.fillStyle;
  levels.forEach((level, i) => {
    pixels.globalAlpha = level / 255;
    pixels.fillRect(i % CELLS, Math.floor(i / CELLS), 1, 1);
  });
  context.imageSmoothingEnabled = false; // sharp cells, and no seams between them
  context.drawImage(small, 0, 0, side, side);
  context.imageSmoothingEnabled = true;
}

function picture(context, side, { bitmap }) {
  const scale = side / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  context.drawImage(bitmap, (side - width) / 2, (side - height) / 2, width, height);
}

const PAINT = { brush: stroke, eraser: stroke, ink: cell, paper: cell, frame, picture };

function paint(context, side, ink, act, ...pieces) {
  const erases = act.kind === "eraser" || act.kind === "paper";
  context.globalCompositeOperation = erases ? "destination-out" : "source-over";
  context.fillStyle = context.strokeStyle = ink;
  PAINT[act.kind](context, side, act, ...pieces);
  context.globalCompositeOperation = "source-over";
}

/**
 * A square canvas that shows a drawing.
 *
 * What is finished of it is kept in a bitmap, so that one more point costs the same on an
 * empty surface and on one with 300 strokes. The same acts always give the same pixels.
 */
export class Surface {
  #base = document.createElement("canvas");
  #of = {}; // what the bitmap is of: the drawing's generation, and the ink
  #acts = 0; // how many of its acts are in the bitmap,
  #pieces = 0; // and how many pieces of the next

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {CanvasRenderingContext2DSettings} [settings]
   */
  constructor(canvas, settings) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", settings);
    this.base = this.#base.getContext("2d", settings);
  }

  /**
   * Show a drawing as it is now.
   *
   * @param {Drawing} drawing
   * @param {number} side pixels
   * @param {string} ink a CSS colour
   */
  show({ generation, seen }, side, ink) {
    const { canvas, context, base } = this;
    if (canvas.width !== side || this.#of.generation !== generation || this.#of.ink !== ink) {
      if (canvas.width !== side) canvas.width = canvas.height = side;
      this.#base.width = this.#base.height = side; // which clears it, too
      this.#of = { generation, ink };
      this.#acts = this.#pieces = 0;
    }
    for (; this.#acts < seen.length - 1; this.#acts++, this.#pieces = 0)
      paint(base, side, ink, seen[this.#acts], this.#pieces);
    context.clearRect(0, 0, side, side);
    const newest = seen.at(-1);
    if (!newest) return;
    const pieces = finished(newest);
    if (pieces > this.#pieces) paint(base, side, ink, newest, this.#pieces, pieces);
    this.#pieces = pieces;
    context.drawImage(this.#base, 0, 0);
    paint(context, side, ink, newest, pieces);
  }
}
