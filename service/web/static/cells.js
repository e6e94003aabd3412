/* The pad from the keyboard: a cursor over 28 × 28 cells that inks them. */

import { CELLS, SIDE, middleOf } from "./drawing.js";

const ARROWS = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};
const within = (cell) => Math.min(CELLS - 1, Math.max(0, cell));

/**
 * Let the keyboard draw.
 *
 * @param {HTMLCanvasElement} pad
 * @param {CanvasRenderingContext2D} plain what is sent, 280 × 280
 * @param {object} on
 * @param {function(object, number)} on.add called with an act and the time of the event
 * @param {function(number)} on.clear
 * @param {function} on.moved the cursor looks different
 * @param {HTMLElement} on.said a live region for the cell
 * @returns {{shown: boolean, column: number, row: number}} the cursor
 */
export function makeCells(pad, plain, on) {
  const cursor = { column: 13, row: 6, shown: false };
  const isInk = () => {
    const size = SIDE / CELLS;
    const [x, y] = [cursor.column, cursor.row].map((cell) => (cell + 0.5) * size);
    const [red, green, blue, alpha] = plain.getImageData(x, y, 1, 1).data;
    return alpha > 127 && red + green + blue < 3 * 127; // a picture has paper of its own
  };
  const tell = () => {
    on.said.textContent =
      `Row ${cursor.row + 1}, column ${cursor.column + 1}: ${isInk() ? "ink" : "paper"}`;
  };
  const set = (kind, time) =>
    on.add({ kind, points: [middleOf(cursor.column, cursor.row)] }, time);
  const move = ([right, down], inks, time) => {
    cursor.column = within(cursor.column + right);
    cursor.row = within(cursor.row + down);
    if (inks && !isInk()) set("ink", time);
    else on.moved();
  };
  pad.addEventListener("keydown", (event) => {
    const { key, shiftKey, timeStamp } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    cursor.shown = true;
    if (ARROWS[key]) move(ARROWS[key], shiftKey, timeStamp);
    else if (key === " ") set(isInk() ? "paper" : "ink", timeStamp);
    else if (key === "Delete" || key === "Backspace") on.clear(timeStamp);
    else return;
    event.preventDefault();
    tell();
  });
  const show = (shown) => {
    cursor.shown = shown;
    on.moved();
  };
  pad.addEventListener("focus", () => {
    show(pad.matches(":focus-visible"));
    if (cursor.shown) tell();
  });
  pad.addEventListener("blur", () => show(false));
  // Before the pen paints.
  pad.addEventListener("pointerdown", () => (cursor.shown = false), { capture: true });
  return cursor;
}

/** Show the cells' grid and the cell that the keyboard is at. */
export function paintCursor(context, side, { column, row }, style) {
  const size = side / CELLS;
  context.strokeStyle = style.getPropertyValue("--line");
  context.lineWidth = 1;
  context.beginPath();
  for (let i = 1; i < CELLS; i++) {
    context.moveTo(i * size, 0);
    context.lineTo(i * size, side);
    context.moveTo(0, i * size);
    context.lineTo(side, i * size);
  }
  context.stroke();
  // A light line beside a dark one is seen on ink and on paper.
  for (const [name, width] of [["--paper", 3], ["--mark", 1.5]]) {
    context.strokeStyle = style.getPropertyValue(name);
    context.lineWidth = width * Math.max(1.5, size / 8);
    context.strokeRect(column * size, row * size, size, size);
  }
}
