/* Paints the network: its units, and lines between them. */

import { TITLE, pixelAt } from "./places.js";
import { ends } from "./scene.js";

const LEVELS = 6; // of strength: lines of one level are painted in one go

/**
 * Paint it.
 *
 * @param {CanvasRenderingContext2D} context its unit is a px
 * @param {object} places of `place`
 * @param {{units: Float32Array[], lines: Map<number, number>}} scene
 * @param {{excites: string, inhibits: string, text: string}} look CSS colours
 * @param {{depth: number, unit: number, lines: Map}|null} chosen a unit, and its lines
 */
export function paintGraph(context, places, scene, look, chosen) {
  if (chosen) paintLines(context, places, scene.lines, look, 0.12);
  paintLines(context, places, chosen?.lines ?? scene.lines, look, 1);
  scene.units.forEach((shares, depth) => {
    if (depth < 2) paintUnits(context, places.units[depth], shares, look);
    else paintOutputs(context, places.units[depth], shares, look);
  });
  title(context, places, look);
  if (chosen) ring(context, places.units[chosen.depth][chosen.unit], look);
}

function paintLines(context, places, lines, look, opacity) {
  const levels = Array.from({ length: 2 * LEVELS }, () => new Path2D());
  for (const [key, strength] of lines) {
    const { depth, input, unit } = ends(key);
    const level = Math.min(LEVELS - 1, Math.floor(Math.abs(strength) * LEVELS));
    const [x, y] = depth ? places.units[depth - 1][input] : pixelAt(places, input);
    const [toX, toY] = places.units[depth][unit];
    const path = levels[level + (strength > 0 ? LEVELS : 0)];
    const middle = x + 0.55 * (toX - x);
    path.moveTo(x, y);
    path.bezierCurveTo(middle, y, middle, toY, toX, toY);
  }
  levels.forEach((path, i) => {
    const strength = ((i % LEVELS) + 0.5) / LEVELS;
    context.globalAlpha = opacity * Math.min(1, 0.1 + 0.85 * strength);
    context.lineWidth = 0.6 + 1.9 * strength;
    context.strokeStyle = i < LEVELS ? look.inhibits : look.excites;
    context.stroke(path);
  });
  context.globalAlpha = 1;
}

/* The brighter and larger, the further on; what is off is a faint dot. */
function paintUnits(context, places, shares, look) {
  context.fillStyle = look.text;
  places.forEach(([x, y], unit) => {
    const share = Math.sqrt(shares[unit]); // an area looks like the square of its radius
    context.globalAlpha = 0.4 + 0.6 * share;
    disc(context, x, y, 1.3 + 2.9 * share);
  });
  context.globalAlpha = 1;
}

function paintOutputs(context, places, shares, look) {
  places.forEach(([x, y], unit) => {
    context.fillStyle = look.ground;
    disc(context, x, y, 7);
    context.fillStyle = context.strokeStyle = look.text;
    context.globalAlpha = shares[unit];
    disc(context, x, y, 7);
    context.globalAlpha = 0.5 + 0.5 * shares[unit];
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(x, y, 7, 0, 2 * Math.PI);
    context.stroke();
    context.globalAlpha = 1;
  });
}

/* How many units a layer has, above it. */
function title(context, { frame: { x, y, cell }, units }, look) {
  context.fillStyle = look.muted;
  context.font = `${TITLE - 6}px ${look.font}`;
  context.textAlign = "start";
  context.fillText(28 * cell < 65 ? "784" : "784 pixels", x, y - 6);
  context.textAlign = "center";
  for (const layer of [0, 1]) {
    const { length } = units[layer];
    const middle = units[layer].reduce((sum, [unitX]) => sum + unitX, 0) / length;
    context.fillText(`${length}`, middle, TITLE - 7);
  }
}

function disc(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function ring(context, [x, y], { mark }) {
  context.strokeStyle = mark;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, 8.5, 0, 2 * Math.PI);
  context.stroke();
}
