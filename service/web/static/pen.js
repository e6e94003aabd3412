/* A mouse, a finger or a pen on the pad becomes strokes of a drawing. */

import { place } from "./drawing.js";

const NEAR = 14; // of 4095, a pixel of 280: closer points add nothing but length
const PEN_ERASER = 32; // PointerEvent.buttons

/**
 * Cut a line to the unit square.
 *
 * @param {number[]} from [x, y]
 * @param {number[]} to
 * @returns {number[][]|null} what lies inside, from and to; null if nothing does
 */
export function clipped(from, to) {
  let [enter, leave] = [0, 1];
  for (const axis of [0, 1]) {
    const way = to[axis] - from[axis];
    const bounds = [-from[axis] / way, (1 - from[axis]) / way];
    if (way === 0 && (from[axis] < 0 || from[axis] > 1)) return null;
    if (way === 0) continue;
    enter = Math.max(enter, Math.min(...bounds));
    leave = Math.min(leave, Math.max(...bounds));
  }
  const at = (share) => from.map((value, axis) => value + share * (to[axis] - value));
  return enter > leave ? null : [enter, leave].map(at);
}

/**
 * Let pointers draw.
 *
 * @param {HTMLCanvasElement} pad
 * @param {Drawing} drawing
 * @param {function(boolean): {kind: string, width: number}} tool what draws; true where a pen
 *   is turned to its eraser
 * @param {function(number)} change called after each change, with the time of the event
 * @returns {{drop: function, draws: function(): boolean}} `drop` ends the stroke
 */
export function makePen(pad, drawing, tool, change) {
  // Who draws, with what, where last, and the act, if it is on the pad: one stroke has
  // several if the pointer leaves the pad and comes back.
  let stroke = null;

  const begin = (point, joined) => {
    const { kind, width } = stroke;
    stroke.act = { kind, width, points: [place(...point)], ...(joined && { joined }) };
    drawing.add(stroke.act);
  };
  const follow = (point) => {
    const inside = clipped(stroke.last, point);
    const leaves = inside && inside[1].some((value, axis) => value !== point[axis]);
    stroke.last = point;
    if (inside) {
      if (!stroke.act) begin(inside[0], true);
      const { points } = stroke.act;
      const next = place(...inside[1]);
      const far = Math.hypot(next[0] - points.at(-1)[0], next[1] - points.at(-1)[1]);
      if (far >= NEAR || (leaves && far > 0)) points.push(next);
    }
    if (!inside || leaves) stroke.act = null;
    return inside !== null;
  };

  pad.addEventListener("pointerdown", (event) => {
    const turned = (event.buttons & PEN_ERASER) > 0;
    if (stroke || (event.button > 0 && !turned)) return;
    pad.setPointerCapture(event.pointerId);
    const last = onto(pad, event).map((it) => Math.min(1, Math.max(0, it))); // not the border
    stroke = { pointer: event.pointerId, ...tool(turned), last };
    begin(last, false);
    change(event.timeStamp);
  });
  pad.addEventListener("pointermove", (event) => {
    if (stroke?.pointer !== event.pointerId) return;
    if (event.buttons === 0) {
      stroke = null; // its release was lost, to a dialog or another window
      return;
    }
    // Some browsers hand over fewer events than the pen has made, and the rest on demand.
    const events = event.getCoalescedEvents?.() ?? [];
    const drawn = (events.length ? events : [event]).map((each) => follow(onto(pad, each)));
    if (drawn.some(Boolean)) change(event.timeStamp);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    pad.addEventListener(name, (event) => {
      if (stroke?.pointer === event.pointerId) stroke = null;
    });
  }
  return { drop: () => (stroke = null), draws: () => stroke !== null };
}

/* Where on the pad a pointer is, from 0 to 1 each way; beside it, less or more. */
function onto(pad, { clientX, clientY }) {
  const box = pad.getBoundingClientRect();
  return [
    (clientX - box.left - pad.clientLeft) / pad.clientWidth,
    (clientY - box.top - pad.clientTop) / pad.clientHeight,
  ];
}
