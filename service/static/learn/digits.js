/* The gallery's drawings as the network sees them: the server's own frames. */

import { toPicture } from "../frames.js";

/**
 * Ask the server for its answers to drawings, and for their frames, in one request.
 *
 * @param {{strokes: number[][][], pen: number=}[]} drawings
 * @param {number|string} version
 * @returns {Promise<object[]>} the predictions of POST /predict, each with `frame` as 784 levels
 * @throws {Error} with what the server said, in words.
 */
export async function read(drawings, version) {
  const reply = await fetch(`/predict?echo=frame&version=${version}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      instances: drawings.map(({ strokes, pen }) => ({ b64: toPicture(strokes, pen) })),
    }),
  });
  const content = await reply.json();
  if (!reply.ok) throw new Error(content.error);
  return content.predictions.map((prediction) => ({
    ...prediction,
    frame: prediction.frame.flat(),
  }));
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
