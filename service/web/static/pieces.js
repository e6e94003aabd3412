/* Whether the ink on the pad lies in pieces side by side, as two digits do. */

const CELLS = 56; // a side; fine enough for a gap of a pen's width
const LEAST_INK = 40; // of 255, in a cell
const HEIGHT = 0.45; // of the tallest piece: less is a dot, a serif or the hat of a 5
const OVERLAP = 0.25; // of the narrower piece: more stands above or below the other

/**
 * Return whether there are two pieces of ink side by side.
 *
 * @param {HTMLCanvasElement} canvas ink on nothing
 */
export function sideBySide(canvas) {
  const small = new OffscreenCanvas(CELLS, CELLS).getContext("2d");
  small.drawImage(canvas, 0, 0, CELLS, CELLS);
  const { data } = small.getImageData(0, 0, CELLS, CELLS);
  const ink = Array.from({ length: CELLS * CELLS }, (_, i) => data[4 * i + 3] >= LEAST_INK);
  const found = connected(ink);
  const tallest = Math.max(...found.map(({ top, bottom }) => bottom - top));
  const tall = found.filter(({ top, bottom }) => bottom - top >= HEIGHT * tallest);
  return tall.some((one, i) => tall.slice(i + 1).some((other) => apart(one, other)));
}

function apart(one, other) {
  const common = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const narrower = Math.min(one.right - one.left, other.right - other.left);
  return common <= OVERLAP * narrower;
}

/** Return the boxes of connected cells, corners included; the ends are exclusive. */
function connected(ink) {
  const boxes = [];
  for (let start = 0; start < ink.length; start++) {
    if (!ink[start]) continue;
    const box = { left: CELLS, right: 0, top: CELLS, bottom: 0 };
    const queue = [start];
    ink[start] = false;
    for (const at of queue) {
      const [x, y] = [at % CELLS, Math.floor(at / CELLS)];
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
      for (let down = Math.max(0, y - 1); down <= Math.min(CELLS - 1, y + 1); down++) {
        for (let right = Math.max(0, x - 1); right <= Math.min(CELLS - 1, x + 1); right++) {
          const next = down * CELLS + right;
          if (ink[next]) queue.push(next);
          ink[next] = false;
        }
      }
    }
    boxes.push(box);
  }
  return boxes;
}
