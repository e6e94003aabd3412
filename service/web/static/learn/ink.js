/* A surface to draw a digit on, with a mouse, a finger or a pen. */

import { PEN } from "../drawing.js";

const NEAR = 0.004; // of the side: closer points add nothing but length

/**
 * Make a canvas draw.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {function()} changed called after each stroke and clearing
 * @returns {{strokes: function(): number[][][], clear: function()}} polylines in the unit square
 */
export function ink(canvas, changed) {
  let strokes = [];
  let pointer = null; // who draws the last stroke

  const place = ({ clientX, clientY }) => {
    const { left, top } = canvas.getBoundingClientRect();
    const x = (clientX - left - canvas.clientLeft) / canvas.clientWidth;
    const y = (clientY - top - canvas.clientTop) / canvas.clientHeight;
    return [x, y].map((value) => Math.round(1000 * value) / 1000);
  };
  const begin = (point) => {
    strokes.push([point]);
    paint(canvas, point, point);
  };
  let away = false; // outside, where there is no ink: a stroke ends at the edge
  const extend = (event) => {
    const point = place(event);
    const last = strokes.at(-1).at(-1);
    const was = away;
    away = point.some((value) => value < 0 || value > 1);
    if (away) return;
    if (was) begin(point);
    else if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= NEAR) {
      strokes.at(-1).push(point);
      paint(canvas, last, point);
    }
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button > 0) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    away = false;
    begin(place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    (events.length ? events : [event]).forEach(extend);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      changed();
    });
  }
  return {
    strokes: () => strokes,
    clear() {
      strokes = [];
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
      changed();
    },
  };
}

/* Paint the newest piece alone: a move costs the same however much is drawn. */
function paint(canvas, from, to) {
  const side = canvas.width;
  const context = canvas.getContext("2d");
  context.strokeStyle = getComputedStyle(canvas).color;
  context.lineWidth = PEN * side;
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(from[0] * side, from[1] * side);
  context.lineTo(to[0] * side, to[1] * side);
  context.stroke();
}
