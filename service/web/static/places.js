/* Where the units of the network stand in its picture. */

import { SIZES } from "./network.js";

const APART = 8; // px from one unit to the next, if there is room
const COLUMNS = [4, 2, 1]; // of a layer, at most
export const TITLE = 18; // px at the top, for a layer's title
const NATURAL = SIZES.slice(1).map((size) => [...Array(size).keys()]);

/**
 * Order the units so that what speaks for a digit stands near it: fewer lines cross.
 *
 * @param {Layer[]|undefined} layers
 * @returns {number[][]} of each layer its units, from the top down
 */
export function orderOf(layers) {
  if (!layers) return NATURAL;
  let at = NATURAL[2]; // the place of each unit of the layer above
  const orders = [NATURAL[2]];
  for (const { inputs, units, kernel } of layers.slice(1).reverse()) {
    const centres = Array.from({ length: inputs }, (_, i) => {
      let [sum, total] = [0, 0];
      for (let j = 0; j < units; j++) {
        // The cube: what a unit does most counts, not the sum of the small.
        const share = Math.max(0, kernel[i * units + j]) ** 3;
        sum += share * at[j];
        total += share;
      }
      return total ? sum / total : units / 2;
    });
    const order = [...centres.keys()].sort((a, b) => centres[a] - centres[b]);
    orders.unshift(order);
    at = [];
    order.forEach((unit, rank) => (at[unit] = rank));
  }
  return orders;
}

/**
 * Place them.
 *
 * @param {number} width px
 * @param {number} height px
 * @param {number[][]} orders of `orderOf`
 * @returns {{frame: {x: number, y: number, cell: number}, units: number[][][]}} `frame` has
 *   the corner and the size of a pixel of the network's, `units[layer][unit]` is [x, y]
 */
export function place(width, height, orders) {
  // As draw.css has it: half pixels, so that all are of equal size on a fine screen.
  const cell = Math.max(1, Math.floor((2 * Math.min(0.34 * width, 0.8 * height)) / 28) / 2);
  const frame = { x: 1, y: Math.round((height - 28 * cell) / 2), cell };
  const beside = width < 300 ? 7 : 9; // px from column to column
  const left = frame.x + 28 * cell;
  const units = orders.map((order, layer) => {
    // The last stand beside their bars, each in the middle of a tenth.
    const top = layer === orders.length - 1 ? 0 : TITLE;
    const wanted = Math.ceil((order.length * APART) / (height - top));
    const columns = Math.min(COLUMNS[layer], wanted);
    const middle = [left + 0.45 * (width - left), left + 0.74 * (width - left), width - 9][layer];
    const places = [];
    order.forEach((unit, rank) => {
      const x = middle + ((rank % columns) - (columns - 1) / 2) * beside;
      places[unit] = [x, top + ((rank + 0.5) / order.length) * (height - top)];
    });
    return places;
  });
  return { frame, units };
}

/** Return the place of a pixel of the frame. */
export const pixelAt = ({ frame: { x, y, cell } }, i) => [
  x + ((i % 28) + 0.5) * cell,
  y + (Math.floor(i / 28) + 0.5) * cell,
];
