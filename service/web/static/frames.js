/* Drawings as /gallery.json has them, in strokes: shown, and sent to the server as pictures. */

import { svg } from "./chart.js";
import { fetchPatiently } from "./key.js";
import { Drawing, PEN, SIDE, fromStrokes } from "./drawing.js";
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
  const look = { viewBox: "0 0 1 1", class: "drawing", "stroke-width": pen };
  return svg("svg", { ...look, "aria-hidden": "true" }, ...lines);
}

/* A PNG as a data URL: the picture that the front page sends of the same drawing. */
function toPicture({ strokes, pen }) {
  const canvas = document.createElement("canvas");
  const drawing = new Drawing();
  for (const act of fromStrokes(strokes, pen)) drawing.add(act);
  new Surface(canvas).show(drawing, SIDE, "#000");
  return canvas.toDataURL("image/png");
}

async function ask(path, drawings) {
  const reply = await fetchPatiently(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      instances: drawings.map((drawing) => ({ b64: toPicture(drawing) })),
    }),
  });
  const content = await reply.json();
  if (!reply.ok) throw new Error(content.error);
  return content;
}

/**
 * Ask the server what every layer of its default version makes of a drawing.
 *
 * @param {{strokes: number[][][], pen: number=}} drawing
 * @returns {Promise<object>} the reply of POST /explain: `{predictions, layers, model}`
 * @throws {Error} with what the server said, in words.
 */
export const explain = (drawing) => ask("explain", [drawing]);

/**
 * Ask the server for its answers to drawings, and for their frames, in one request.
 *
 * @param {{strokes: number[][][], pen: number=}[]} drawings
 * @param {number|string} version
 * @returns {Promise<object[]>} the predictions of POST /predict, each with `frame` as 784 levels
 * @throws {Error} with what the server said, in words.
 */
export async function read(drawings, version) {
  const { predictions } = await ask(`predict?echo=frame&version=${version}`, drawings);
  return predictions.map((each) => ({ ...each, frame: each.frame.flat() }));
}

let own;
/**
 * Return the project's 30 digits with their frames, asked for once.
 *
 * @returns {Promise<{label: number, strokes: number[][][], frame: number[], pixels: Float32Array}[]>}
 *   `frame` is 0 to 255, `pixels` the same from 0 to 1
 */
export function ownDigits(context) {
  // The frame is the same for every version: the server makes it before the network.
  own ??= context.gallery().then(async ({ digits }) => {
    const answers = await read(digits, context.versions[0]);
    return digits.map((digit, i) => withFrame(digit, answers[i].frame));
  });
  return own;
}

/** Return a drawing with its frame, in both scales. */
export const withFrame = (drawing, frame) => ({
  ...drawing,
  frame,
  pixels: Float32Array.from(frame, (level) => level / 255),
});
