/* The surface that is drawn on, and the buttons that undo, redo and clear. */

import { byId, enable } from "./dom.js";
import { PEN } from "./drawing.js";
import { makeSketch } from "./sketch.js";

const HINT = "Draw a digit here";

/**
 * Make the canvas `#pad` draw.
 *
 * @param {Drawing} drawing what it changes
 * @param {function(number)} changed called after each change, with the time of the event
 * @returns {{repaint: function, clear: function, hint: function(string|null, number[][][]=),
 *   draws: function(): boolean, canvas: HTMLCanvasElement, picture: function(): string}}
 *   `hint` sets the words on the empty pad, null the usual ones, and strokes beneath them;
 *   `draws` says whether a stroke is being drawn; `canvas` has what is sent, black on nothing,
 *   280 × 280, and `picture` gives it as the data URL of a PNG
 */
export function makePad(drawing, changed) {
  const pad = byId("pad");
  let hint = HINT;
  let example = []; // strokes that the empty pad shows faintly

  const painted = (context, side, style) => {
    const empty = drawing.seen.length === 0;
    if (drawing.acts.length) example = [];
    if (empty) paintHint(context, side, hint, example, style);
    enable(byId("undo"), drawing.acts.length > 0);
    enable(byId("redo"), drawing.canRedo);
    enable(byId("clear"), !empty);
  };
  // Each ends a stroke that a finger still draws: its points would be kept, unseen.
  const [undo, redo, clear] = ["undo", "redo", "clear"].map((name) => (time) => {
    sketch.drop();
    drawing[name]();
    sketch.change(time);
  });
  const add = (act) => drawing.add(act);
  const said = byId("cell");
  const sketch = makeSketch(pad, drawing, { tool, add, clear, changed, painted, said });

  for (const [id, step] of Object.entries({ undo, redo, clear })) {
    byId(id).addEventListener("click", ({ currentTarget, timeStamp }) => {
      if (currentTarget.getAttribute("aria-disabled") !== "true") step(timeStamp);
    });
  }
  shortcuts(undo, redo, sketch.draws);
  return {
    repaint: sketch.repaint,
    hint(words, strokes = []) {
      hint = words ?? HINT;
      example = strokes;
      sketch.repaint();
    },
    clear: () => clear(performance.now()),
    draws: sketch.draws,
    canvas: sketch.canvas,
    picture: () => sketch.canvas.toDataURL("image/png"),
  };
}

function tool(turned) {
  const erases = turned || byId("eraser").getAttribute("aria-pressed") === "true";
  // An eraser is wider than a pen of the same setting, as on a desk.
  const width = byId("width").valueAsNumber * (erases ? 1.5 : 1);
  return { kind: erases ? "eraser" : "brush", width: Math.round(width) };
}

/* Ctrl+Z, Ctrl+Y and Ctrl+Shift+Z, wherever the focus is but in a field that one writes in. */
function shortcuts(undo, redo, draws) {
  document.addEventListener("keydown", (event) => {
    const step = { z: event.shiftKey ? redo : undo, y: redo }[letterOf(event)];
    if (!step || !(event.ctrlKey || event.metaKey) || event.altKey || draws()) return;
    if (event.target.closest?.("input:not([type=range])")) return;
    event.preventDefault();
    step(event.timeStamp);
  });
}

/* The letter of a key: by the layout if it has Latin letters, else by the key's place. */
const letterOf = ({ key, code }) =>
  /^[a-z]$/i.test(key) ? key.toLowerCase() : code.replace("Key", "").toLowerCase();

/** Say what the empty surface is for. */
function paintHint(context, side, words, strokes, style) {
  context.strokeStyle = style.getPropertyValue("--ink");
  context.lineWidth = PEN * side;
  context.lineCap = context.lineJoin = "round";
  context.globalAlpha = 0.1;
  context.beginPath();
  for (const points of strokes)
    points.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x * side, y * side));
  context.stroke();
  context.globalAlpha = 1;
  context.fillStyle = style.getPropertyValue("--muted");
  context.font = `${Math.round(side / 15)}px ${style.fontFamily}`;
  context.textAlign = "center";
  context.fillText(words, side / 2, side / 2);
}
