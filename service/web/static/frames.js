/* Drawings as /gallery.json has them, in strokes: shown, and sent to the server as pictures. */

import { svg } from "./dom.js";
import { Drawing, PEN, SIDE, fromStrokes } from "./drawing.js";
import { contentOf, fetchPatiently } from "./key.js";
import { Surface } from "./paint.js";

/**
 * Draw a drawing as an SVG, in the colour of the text around it.
 *
 * @param {{strokes: number[][][], pen: number=}} drawing polylines in the unit square
 */
export function thumbnail({ strokes, pen = PEN }) {
  const lines = strokes.map((stroke) => {
    const points = stroke.length > 1 ? stroke : [stroke[0], stroke[0]]; // one point is a dot
    return svg("polyline", { points: points.join(" ") });
  });
  const look = { viewBox: "0 0 1 1", class: "drawing", "aria-hidden": "true" };
  const drawing = svg("svg", look, ...lines);
  drawing.style.setProperty("--pen", `${pen}px`);
  return drawing;
}

/* A PNG as a data URL: the picture that the front page sends of the same drawing. */
function toPicture({ strokes, pen }) {
  const canvas = document.createElement("canvas");
  const drawing = new Drawing();
  for (const act of fromStrokes(strokes, pen)) drawing.add(act);
  new Surface(canvas).show(drawing, SIDE, "#000");
  return canvas.toDataURL("image/png");
}

/**
 * Ask the server for its answers, and for the frames: it keeps no sample of what asks so.
 *
 * @param {number|string} version
 * @param {object[]} instances as its JSON has them
 * @returns {Promise<object[]>} its predictions
 * @throws {Error} with what the server said, in words.
 */
export async function predict(version, instances) {
  const reply = await fetchPatiently(`predict?echo=frame&version=${version}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ instances }),
  });
  return (await contentOf(reply)).predictions;
}

/**
 * Ask the server for its answers to drawings, and for their frames, in one request.
 *
 * @param {{strokes: number[][][], pen: number=}[]} drawings
 * @param {number|string} version
 * @returns {Promise<object[]>} the predictions, each with `frame` as 784 levels
 * @throws {Error} with what the server said, in words.
 */
export async function read(drawings, version) {
  const instances = drawings.map((drawing) => ({ b64: toPicture(drawing) }));
  const predictions = await predict(version, instances);
  return predictions.map((each) => ({ ...each, frame: each.frame.flat() }));
}

/** Return a drawing with its frame, in both scales. */
export const withFrame = (drawing, frame) => ({
  ...drawing,
  frame,
  pixels: Float32Array.from(frame, (level) => level / 255),
});
