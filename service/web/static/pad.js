/* The surface that is drawn on: mouse, touch, pen and keyboard become acts of a drawing. */

import { byId } from "./dom.js";
import { CELLS, SIDE, middleOf, place } from "./drawing.js";

const NEAR = 14; // of 4095, a pixel of 280: closer points add nothing but length
const ARROWS = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};
const PEN_ERASER = 32; // PointerEvent.buttons

/**
 * Make the canvas `#pad` draw.
 *
 * @param {Drawing} drawing what it changes
 * @param {function(number)} changed called after each change, with the time of the event
 * @returns {{repaint: function, picture: function(): string}} `picture` gives the drawing as
 *   the data URL of a PNG, black on nothing, 280 × 280
 */
export function makePad(drawing, changed) {
  const pad = byId("pad");
  // What is sent is painted apart from what is seen: the same picture on every screen. It is
  // read far more often than it is painted, so it stays out of the graphics card.
  const sent = document.createElement("canvas");
  sent.width = sent.height = SIDE;
  const plain = sent.getContext("2d", { willReadFrequently: true });
  const cursor = { column: 13, row: 6, shown: false };
  let stroke = null; // the act that is being drawn, and who draws it: {act, pointer}

  const repaint = () => {
    const pixels = Math.round(pad.clientWidth * devicePixelRatio);
    if (pad.width !== pixels) pad.width = pad.height = pixels;
    const context = pad.getContext("2d");
    const style = getComputedStyle(pad);
    drawing.paint(plain, SIDE, "#000");
    drawing.paint(context, pixels, style.getPropertyValue("--ink"));
    if (drawing.seen.length === 0) paintHint(context, pixels, style);
    if (cursor.shown) paintCursor(context, pixels, cursor, style);
    byId("undo").disabled = drawing.acts.length === 0;
    byId("clear").disabled = drawing.seen.length === 0;
  };
  const change = (time) => {
    repaint();
    changed(time);
  };

  const at = ({ clientX, clientY }) => {
    const box = pad.getBoundingClientRect();
    const border = pad.clientLeft;
    return place(
      (clientX - box.left - border) / pad.clientWidth,
      (clientY - box.top - border) / pad.clientHeight,
    );
  };
  const extend = (event) => {
    const { points } = stroke.act;
    // Some browsers hand over fewer events than the pen has made, and the rest on demand.
    const events = event.getCoalescedEvents?.() ?? [];
    const before = points.length;
    for (const each of events.length ? events : [event]) {
      const point = at(each);
      const [x, y] = points.at(-1);
      if (Math.hypot(point[0] - x, point[1] - y) >= NEAR) points.push(point);
    }
    if (points.length > before) change(event.timeStamp);
  };

  pad.addEventListener("pointerdown", (event) => {
    if (stroke || (event.button > 0 && !(event.buttons & PEN_ERASER))) return;
    pad.setPointerCapture(event.pointerId);
    cursor.shown = false;
    const tool = document.querySelector("input[name=tool]:checked").value;
    const kind = event.buttons & PEN_ERASER ? "eraser" : tool;
    // An eraser is wider than a pen of the same setting, as on a desk.
    const width = byId("width").valueAsNumber * (kind === "eraser" ? 1.5 : 1);
    stroke = {
      act: { kind, width: Math.round(width), points: [at(event)] },
      pointer: event.pointerId,
    };
    drawing.add(stroke.act);
    change(event.timeStamp);
  });
  pad.addEventListener("pointermove", (event) => {
    if (stroke?.pointer === event.pointerId) extend(event);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    pad.addEventListener(name, (event) => {
      if (stroke?.pointer === event.pointerId) stroke = null;
    });
  }

  const isInk = ({ column, row }) => {
    const size = SIDE / CELLS;
    const middle = plain.getImageData((column + 0.5) * size, (row + 0.5) * size, 1, 1);
    const [red, green, blue, alpha] = middle.data;
    return alpha > 127 && red + green + blue < 3 * 127; // a picture has paper of its own
  };
  const tell = () => {
    byId("cell").textContent =
      `Row ${cursor.row + 1}, column ${cursor.column + 1}: ${isInk(cursor) ? "ink" : "paper"}`;
  };
  const set = (kind, time) => {
    drawing.add({ kind, points: [middleOf(cursor.column, cursor.row)] });
    change(time);
  };
  const move = ([right, down], inks, time) => {
    cursor.column = Math.min(CELLS - 1, Math.max(0, cursor.column + right));
    cursor.row = Math.min(CELLS - 1, Math.max(0, cursor.row + down));
    if (inks && !isInk(cursor)) set("ink", time);
    else repaint();
  };
  pad.addEventListener("keydown", (event) => {
    const { key, shiftKey, timeStamp } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    cursor.shown = true;
    if (ARROWS[key]) move(ARROWS[key], shiftKey, timeStamp);
    else if (key === " ") set(isInk(cursor) ? "paper" : "ink", timeStamp);
    else if (key === "Delete" || key === "Backspace") clear(timeStamp);
    else return;
    event.preventDefault();
    tell();
  });
  pad.addEventListener("focus", () => {
    cursor.shown = pad.matches(":focus-visible");
    repaint();
    if (cursor.shown) tell();
  });
  pad.addEventListener("blur", () => {
    cursor.shown = false;
    repaint();
  });

  // Either ends a stroke that another finger still draws: its points would be kept, unseen.
  const undo = (time) => {
    stroke = null;
    drawing.undo();
    change(time);
  };
  const clear = (time) => {
    stroke = null;
    drawing.clear();
    change(time);
  };
  byId("undo").addEventListener("click", (event) => undo(event.timeStamp));
  byId("clear").addEventListener("click", (event) => clear(event.timeStamp));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || stroke)
      return;
    event.preventDefault();
    undo(event.timeStamp);
  });

  new ResizeObserver(repaint).observe(pad);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  return { repaint, picture: () => sent.toDataURL("image/png") };
}

/** Say what the empty surface is for. */
function paintHint(context, side, style) {
  context.fillStyle = style.getPropertyValue("--muted");
  context.font = `${Math.round(side / 16)}px ${style.fontFamily}`;
  context.textAlign = "center";
  context.fillText("Draw a digit here", side / 2, side / 2);
}

/** Show the cells' grid and the cell that the keyboard is at. */
function paintCursor(context, side, { column, row }, style) {
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
  context.strokeStyle = style.getPropertyValue("--accent");
  context.lineWidth = Math.max(2, size / 5);
  context.strokeRect(column * size, row * size, size, size);
}
