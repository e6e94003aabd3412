/* Drawings given as strokes: drawn on a canvas, and explained by the server. */

const SIDE = 280; // pixels of the picture that is sent, ten for each of the model's
/** The width of a stroke as a share of the picture's side, as the server's own drawings have it. */
export const PEN = 0.1;

/**
 * Draw strokes with a round pen, in the context's strokeStyle.
 *
 * @param {CanvasRenderingContext2D} context2d
 * @param {number[][][]} strokes polylines of [x, y] in the unit square, x right, y down
 * @param {number} [pen] width as a share of the side
 * @param {number} [size] pixels of the square that is drawn in
 */
export function renderStrokes(
  context2d,
  strokes,
  pen = PEN,
  size = context2d.canvas.width,
) {
  context2d.lineCap = context2d.lineJoin = "round";
  context2d.lineWidth = pen * size;
  context2d.beginPath();
  for (const [[x, y], ...rest] of strokes) {
    context2d.moveTo(x * size, y * size);
    // A stroke of one point is a dot: a line back to where it starts.
    for (const [toX, toY] of rest.length ? rest : [[x, y]])
      context2d.lineTo(toX * size, toY * size);
  }
  context2d.stroke();
}

/** Return strokes as the picture that is sent: a PNG as a data URL. */
export function toPicture(strokes, pen = PEN) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context2d = canvas.getContext("2d");
  context2d.strokeStyle = "#000";
  renderStrokes(context2d, strokes, pen, SIDE);
  return canvas.toDataURL("image/png");
}

/**
 * Ask the server what every layer makes of a drawing.
 *
 * @param {number[][][]} strokes as in /gallery.json
 * @param {object} [options]
 * @param {number} [options.pen] width of the pen as a share of the picture's side
 * @param {number|string} [options.version] the server's default if left out
 * @returns {Promise<object>} the reply of POST /explain: `{predictions, layers, model}`
 * @throws {Error} with what the server said, in words.
 */
export async function explain(strokes, { pen = PEN, version } = {}) {
  const reply = await fetch(
    version === undefined ? "/explain" : `/explain?version=${version}`,
    {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ instances: [{ b64: toPicture(strokes, pen) }] }),
    },
  );
  const content = await reply.json();
  if (!reply.ok) throw new Error(content.error);
  return content;
}
