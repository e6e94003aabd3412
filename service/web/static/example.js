/* Something to look at before one draws: what the network makes of a digit of the gallery. */

import { byId } from "./dom.js";
import { explain } from "./frames.js";

const DIGIT = 3; // its two bows light up much of the network
const WORDS = "This is what happens to a 3.";

/**
 * Show an example on the empty page, unless there is something to show by then.
 *
 * @param {object} page
 * @param {Promise<{digits: object[]}>} page.drawings of the gallery
 * @param {function(): boolean} page.isEmpty whether nothing is drawn
 * @param {string} page.version
 * @param {function(object[])} page.hint shows strokes faintly on the pad
 * @param {function(object, string)} page.show shows an answer, with these words beside it
 */
export async function showExample({ drawings, isEmpty, version, hint, show }) {
  if ("locked" in byId("main").dataset || !isEmpty()) return; // without a key there is no answer
  try {
    const { digits } = await drawings;
    const example = digits.find(({ label }) => label === DIGIT);
    const reply = await explain(example, version);
    if (!isEmpty()) return;
    hint(example.strokes);
    show(reply, WORDS);
  } catch {
    // The page does without.
  }
}
