/* Something to look at before one draws: what the network makes of a digit of the gallery. */

import { byId } from "./dom.js";
import { read } from "./frames.js";
import { forward } from "./network.js";

const DIGIT = 3; // its two bows light up much of the network
const WORDS = "This is what happens to a 3.";

/**
 * Show an example on the empty page, unless there is something to show by then.
 *
 * @param {object} page
 * @param {Promise<{digits: object[]}>} page.drawings of the gallery
 * @param {function(string): Promise<Layer[]>} page.layersOf
 * @param {string} page.version
 * @param {function(): boolean} page.isEmpty whether nothing is drawn
 * @param {function(number[][][])} page.hint shows strokes faintly on the pad
 * @param {function(object, object[], string)} page.show shows a prediction and the outcomes of
 *   the layers, with these words beside it
 */
export async function showExample({ drawings, layersOf, version, isEmpty, hint, show }) {
  if ("locked" in byId("main").dataset || !isEmpty()) return; // no answer without a key
  try {
    const { digits } = await drawings;
    const example = digits.find(({ label }) => label === DIGIT);
    // The weights come anyway, and the reply of /predict is shorter than that of /explain.
    const [layers, [prediction]] = await Promise.all([
      layersOf(version),
      read([example], version),
    ]);
    if (!isEmpty()) return;
    hint(example.strokes);
    const pixels = prediction.frame.map((level) => level / 255);
    show(prediction, forward(layers, pixels), WORDS);
  } catch {
    // The page does without.
  }
}
