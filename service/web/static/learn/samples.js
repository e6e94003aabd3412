/* Drawings in strokes become frames of 28 × 28 pixels, as MNIST has them, in the browser. */

import { PEN } from "../drawing.js";
import { normal } from "./statistics.js";

const SIDE = 28;
const GLYPH = 20; // pixels that the ink is fitted into
const THINNEST = 0.9; // pixels from a stroke's middle to its edge, in a distortion
const PEN_RANGE = 1.1;

/**
 * Distort strokes: turn, slant and stretch them, and let them wobble.
 *
 * The spreads are those of the drawings that people make of one digit: about 8 degrees of
 * turn, 0.22 of slant, 15 % of width, and waves of 3.5 % of the square.
 *
 * @param {number[][][]} strokes polylines in the unit square
 * @param {function(): number} random
 * @param {number} [strength] of 1
 */
export function bend(strokes, random, strength = 1) {
  const spread = (size) => size * strength * normal(random);
  const [turn, slant, stretch] = [spread(0.14), spread(0.22), 1 + spread(0.15)];
  const waves = Array.from({ length: 4 }, (_, i) => ({
    size: spread(0.035),
    speed: i % 2 ? 4 : 7,
    phase: 2 * Math.PI * random(),
  }));
  const wave = (i, at) => waves[i].size * Math.sin(waves[i].speed * at + waves[i].phase);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return strokes.map((stroke) =>
    stroke.map(([left, top]) => {
      const y = top - 0.5;
      const x = (left - 0.5) * stretch - slant * y;
      const [u, v] = [x * cos - y * sin, x * sin + y * cos];
      return [u + wave(0, v) + wave(1, u), v + wave(2, u) + wave(3, v)];
    }),
  );
}

/**
 * Paint strokes into a frame: fitted into 20 × 20 pixels, the centre of mass in the middle.
 *
 * @param {number[][][]} strokes
 * @param {number} [radius] of the pen in the frame's pixels; else as wide as it was drawn
 * @param {number} [pen] the width that it was drawn with, of the unit square
 * @returns {Float32Array} 784 pixels, 0 to 1
 */
export function frameOf(strokes, radius, pen = PEN) {
  const points = strokes.flat();
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const extent = Math.max(right - left, bottom - top);
  const scale = radius
    ? (GLYPH - 2 * radius) / Math.max(extent, pen)
    : GLYPH / (extent + pen);
  const half = radius ?? (pen * scale) / 2;
  const place = ([x, y]) => [
    SIDE / 2 + (x - (left + right) / 2) * scale,
    SIDE / 2 + (y - (top + bottom) / 2) * scale,
  ];
  const frame = new Float32Array(SIDE * SIDE);
  for (const stroke of strokes) {
    const places = stroke.map(place);
    for (let i = 0; i === 0 || i < places.length - 1; i++)
      paint(frame, places[i], places[i + 1] ?? places[i], half);
  }
  return centred(frame);
}

/** Return a distorted frame of a drawing, with a pen of another width. */
export const sample = ({ strokes }, random) =>
  frameOf(bend(strokes, random), THINNEST + PEN_RANGE * random());

/* A piece of a stroke, with an edge as soft as a pixel. */
function paint(frame, [ax, ay], [bx, by], radius) {
  const [dx, dy] = [bx - ax, by - ay];
  const length2 = dx * dx + dy * dy || 1e-9;
  const reach = radius + 1;
  const from = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - reach));
  const to = (a, b) => Math.min(SIDE - 1, Math.ceil(Math.max(a, b) + reach));
  for (let row = from(ay, by); row <= to(ay, by); row++) {
    for (let column = from(ax, bx); column <= to(ax, bx); column++) {
      const [px, py] = [column + 0.5 - ax, row + 0.5 - ay];
      const along = Math.max(0, Math.min(1, (px * dx + py * dy) / length2));
      const level = radius + 0.5 - Math.hypot(px - along * dx, py - along * dy);
      const at = row * SIDE + column;
      if (level > frame[at]) frame[at] = Math.min(1, level);
    }
  }
}

/* Move by whole pixels, as the server does: the centre of mass comes to 14 to 15. */
function centred(frame) {
  let [mass, x, y] = [0, 0, 0];
  frame.forEach((level, i) => {
    mass += level;
    x += level * ((i % SIDE) + 0.5);
    y += level * (Math.floor(i / SIDE) + 0.5);
  });
  const [right, down] = [x, y].map((sum) => Math.floor(SIDE / 2 + 1 - sum / mass));
  const moved = new Float32Array(frame.length);
  frame.forEach((level, i) => {
    const [row, column] = [Math.floor(i / SIDE) + down, (i % SIDE) + right];
    if (row >= 0 && row < SIDE && column >= 0 && column < SIDE)
      moved[row * SIDE + column] = level;
  });
  return moved;
}
