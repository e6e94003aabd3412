/* What could not be loaded, said once for all parts of a page, and a button that tries again. */

import { byId } from "./dom.js";

const notice = byId("trouble");
const failed = new Set();

/** Run an action; if it fails, say why, and run it again when the reader asks for it. */
export async function attempt(action) {
  try {
    await action();
    failed.delete(action);
  } catch (error) {
    failed.add(action);
    const words = `Part of this page could not be loaded: ${reason(error)}.`;
    const said = notice.querySelector("span");
    if (said.textContent !== words) said.textContent = words; // or it is read out each time
  }
  notice.hidden = failed.size === 0;
}

/* What fails without a reply, or with one that another server has made, has no words of ours. */
export const reason = (error) =>
  error instanceof TypeError || error instanceof SyntaxError
    ? "the server cannot be reached"
    : error.message;

notice.querySelector("button").addEventListener("click", () => {
  for (const action of failed) attempt(action);
});
