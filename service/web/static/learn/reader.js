/* Chapter 3: a frame whose pixels are read one by one, by pointer or arrow keys. */

import { SIZES } from "../network.js";
import { fixed } from "../numbers.js";
import { SIDE, paintFrame } from "./pictures.js";

const AROUND = 2; // pixels on each side of the one that is read

/** Take over the parts; returns a function that shows a frame, 784 grey levels. */
export function reader({ reader: surface, pixels, cursor, reading, near }) {
  let frame = null;
  let at = null; // until the first frame: its darkest pixel says more than a corner
  const show = () => {
    const [row, column] = [Math.floor(at / SIDE), at % SIDE];
    cursor.setAttribute("x", column);
    cursor.setAttribute("y", row);
    reading.textContent =
      `Row ${row + 1}, column ${column + 1}: grey level ${frame[at]} of 255, so number ` +
      `${at + 1} of ${SIZES[0]} is ${fixed(frame[at] / 255, 3)}.`;
    const [top, left] = [row, column].map((place) =>
      Math.min(SIDE - 1 - 2 * AROUND, Math.max(0, place - AROUND)),
    );
    [...near.rows].forEach((line, r) =>
      [...line.cells].forEach((cell, c) => {
        const place = (top + r) * SIDE + left + c;
        const level = frame[place];
        cell.textContent = fixed(level / 255);
        cell.className = place === at ? "number here" : "number";
        // The pixel's grey, and the text that is legible on it.
        cell.style.backgroundColor = `rgb(${level} ${level} ${level})`;
        cell.style.color = level > 117 ? "#000" : "#fff";
      }),
    );
  };
  const move = (row, column) => {
    const wrap = (place) => (place + SIDE) % SIDE;
    at = wrap(row) * SIDE + wrap(column);
    show();
  };
  const point = ({ clientX, clientY }) => {
    const { left, top, width, height } = surface.getBoundingClientRect();
    const cell = (share) => Math.min(SIDE - 1, Math.max(0, Math.floor(share * SIDE)));
    move(cell((clientY - top) / height), cell((clientX - left) / width));
  };
  surface.addEventListener("pointerdown", point); // a tap does not move
  surface.addEventListener("pointermove", point);
  surface.addEventListener("keydown", (event) => {
    const step = {
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
    }[event.key];
    if (!step) return;
    event.preventDefault();
    move(Math.floor(at / SIDE) + step[0], (at % SIDE) + step[1]);
  });
  return (levels) => {
    frame = levels;
    at ??= frame.indexOf(Math.max(...frame));
    paintFrame(pixels, frame, "The frame");
    show();
  };
}
