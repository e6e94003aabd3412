/* Features as people made them by hand, before networks learned theirs. */

const SIDE = 28;
const CELL = 4; // pixels; 7 × 7 cells
const CELLS = SIDE / CELL;
const DIRECTIONS = 9; // over 180°: a stroke's two edges count as one direction

/** Return the share of the ink that lies in the upper half, 0 to 1. */
export function upperInk(pixels) {
  const sum = (part) => part.reduce((total, pixel) => total + pixel, 0);
  return sum(pixels.slice(0, pixels.length / 2)) / sum(pixels);
}

/** The weights with which a neuron adds up the ink of the upper half. */
export const UPPER_HALF = Float32Array.from({ length: SIDE * SIDE }, (_, i) =>
  i < (SIDE * SIDE) / 2 ? 1 : 0,
);

const at = (pixels, row, column) => {
  const inside = (place) => Math.max(0, Math.min(SIDE - 1, place)); // beyond it is as at the border
  return pixels[inside(row) * SIDE + inside(column)];
};

/** Return horizontal edges: each pixel minus the one above it. */
export const horizontalEdges = (pixels) =>
  Float32Array.from(pixels, (_, i) => {
    const row = Math.floor(i / SIDE);
    return at(pixels, row, i % SIDE) - at(pixels, row - 1, i % SIDE);
  });

/**
 * Return histograms of gradients: in each cell of 4 × 4 pixels, how strongly the grey changes
 * in each of nine directions. It is the first step of the HOG features of section 7.
 *
 * @param {ArrayLike<number>} pixels
 * @returns {Float32Array} [cell row, cell column, direction]; direction d is d · 20°
 */
export function gradientHistograms(pixels) {
  const found = new Float32Array(CELLS * CELLS * DIRECTIONS);
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const right = at(pixels, row, column + 1) - at(pixels, row, column - 1);
      const down = at(pixels, row + 1, column) - at(pixels, row - 1, column);
      const size = Math.hypot(right, down);
      if (size === 0) continue;
      const turn = ((Math.atan2(down, right) / Math.PI + 1) % 1) * DIRECTIONS;
      const below = Math.floor(turn) % DIRECTIONS;
      const cell = Math.floor(row / CELL) * CELLS + Math.floor(column / CELL);
      // The two nearest directions share a vote.
      found[cell * DIRECTIONS + below] += size * (1 - (turn % 1));
      found[cell * DIRECTIONS + ((below + 1) % DIRECTIONS)] += size * (turn % 1);
    }
  }
  return found;
}

/** Return each direction's share of all change, over the whole frame. */
export function directionShares(histograms) {
  const sums = new Float64Array(DIRECTIONS);
  histograms.forEach((votes, i) => {
    sums[i % DIRECTIONS] += votes;
  });
  const total = sums.reduce((a, b) => a + b, 0) || 1;
  return sums.map((sum) => sum / total);
}

/**
 * Draw histograms of gradients: a line for each direction of a cell, along the edge that it
 * stands for (at a right angle to the gradient), brighter where it is stronger.
 */
export function drawHistograms(canvas, histograms) {
  const context2d = canvas.getContext("2d");
  const cell = canvas.width / CELLS;
  const strongest = Math.max(...histograms) || 1;
  context2d.fillStyle = "#000";
  context2d.fillRect(0, 0, canvas.width, canvas.height);
  context2d.lineWidth = canvas.width / 100;
  context2d.lineCap = "round";
  histograms.forEach((votes, i) => {
    const share = votes / strongest;
    if (share < 0.02) return;
    const place = Math.floor(i / DIRECTIONS);
    const x = ((place % CELLS) + 0.5) * cell;
    const y = (Math.floor(place / CELLS) + 0.5) * cell;
    const along = ((i % DIRECTIONS) / DIRECTIONS + 0.5) * Math.PI;
    const dx = (Math.cos(along) * cell) / 2.2;
    const dy = (Math.sin(along) * cell) / 2.2;
    context2d.strokeStyle = `rgb(255 255 255 / ${share})`;
    context2d.beginPath();
    context2d.moveTo(x - dx, y - dy);
    context2d.lineTo(x + dx, y + dy);
    context2d.stroke();
  });
}
