/* The gallery: the project's own digits, and harder ones with what makes them hard. */

import { byId, make } from "./dom.js";
import { thumbnail } from "./frames.js";
import { contentOf } from "./key.js";
import { aDigit } from "./numbers.js";
import { roving } from "./roving.js";
import { attempt } from "./trouble.js";

/**
 * Fill `#gallery`.
 *
 * @param {function(object, number)} choose called with a drawing, `{strokes, pen, about}`, and
 *   the time
 * @returns {{markNone: function, drawings: Promise<object>}} `markNone` marks none: what is
 *   drawn now is none of them
 */
export function makeGallery(choose) {
  const host = byId("gallery");
  const mark = (button) => {
    for (const other of host.querySelectorAll("button"))
      other.setAttribute("aria-pressed", String(other === button));
  };
  const choiceOf = (drawing, name, dataset) => {
    const button = make(
      "button",
      { type: "button", dataset, title: name, "aria-label": name, "aria-pressed": "false" },
      thumbnail(drawing),
    );
    button.addEventListener("click", ({ timeStamp }) => {
      choose(drawing, timeStamp);
      mark(button);
    });
    return button;
  };
  const shelf = (label, buttons) => {
    const look = { className: "shelf", role: "group", "aria-label": label };
    const row = make("div", look, ...buttons);
    roving(row, buttons);
    return row;
  };
  const fill = ({ digits, hard }) =>
    host.append(
      shelf(
        "Digits",
        digits.map((each, i) => {
          const name = `Digit ${each.label}, drawing ${Math.floor(i / 10) + 1}`;
          const about = `One of the project's own: ${aDigit(each.label)}.`;
          return choiceOf({ ...each, about }, name, { label: each.label });
        }),
      ),
      shelf(
        "Hard ones",
        hard.map((each) =>
          choiceOf(each, each.name, { label: each.label ?? "", name: each.name }),
        ),
      ),
    );
  const drawings = new Promise((resolve) =>
    attempt(async () => {
      const found = await contentOf(await fetch("gallery.json"));
      fill(found);
      resolve(found);
    }),
  );
  return { markNone: () => mark(null), drawings };
}
