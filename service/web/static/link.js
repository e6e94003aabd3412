/* The state in the address: drawing, versions and tool, so that a link brings it all back. */

import { byId } from "./dom.js";
import { decode, encode, toStrokes } from "./drawing.js";

const EVERY = 400; // ms; browsers allow some hundred changes of the address in 30 s
const SETTINGS = ["version", "beside", "width"];

/**
 * Keep the address and the link to the lesson in step with the drawing.
 *
 * @param {Drawing} drawing
 * @param {function(string)} restored called after another link has brought its state, with
 *   what is wrong with it, if anything is
 * @returns {{save: function, now: function, follow: function, restore: function}} `save`
 *   writes the state in a while, `now` at once; `follow` is for the lesson's link alone
 */
export function makeLink(drawing, restored) {
  const usual = Object.fromEntries(SETTINGS.map((id) => [id, byId(id).value]));
  const lesson = byId("follow");
  const page = lesson.getAttribute("href");
  let timer;

  const follow = () => {
    const drawn = toStrokes(drawing.seen) ? `#drawing=${encode(drawing)}` : "";
    lesson.href = page + drawn;
  };
  const now = () => {
    clearTimeout(timer);
    timer = undefined;
    const state = new URLSearchParams();
    for (const id of SETTINGS)
      if (byId(id).value !== usual[id]) state.set(id, byId(id).value);
    if (byId("eraser").getAttribute("aria-pressed") === "true") state.set("tool", "eraser");
    if (!drawing.isEmpty) state.set("drawing", encode(drawing));
    history.replaceState(null, "", `#${state}`);
    follow();
  };
  const restore = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    const wrong = [];
    for (const id of SETTINGS) {
      byId(id).value = state.get(id) ?? usual[id];
      if (byId(id).value || !state.get(id)) continue;
      byId(id).value = usual[id];
      wrong.push(`The link asks for version ${state.get(id)}, which this server does not have.`);
    }
    byId("eraser").setAttribute("aria-pressed", String(state.get("tool") === "eraser"));
    try {
      drawing.load(decode(state.get("drawing") ?? ""));
    } catch (error) {
      drawing.load([]);
      wrong.push(`The drawing in this link cannot be read: ${error.message}. Draw a new one.`);
    }
    restored(wrong.join(" "));
  };
  // Whoever is quick gets the newest drawing, too.
  for (const name of ["pointerdown", "click"]) lesson.addEventListener(name, follow);
  addEventListener("hashchange", () => {
    // Not for a link to a place on this page, such as the one that skips to the content.
    if (!document.getElementById(location.hash.slice(1))) restore();
  });
  return { now, restore, save: () => (timer ??= setTimeout(now, EVERY)) };
}
