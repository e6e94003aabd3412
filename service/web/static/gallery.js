/* The gallery: the project's own digits, and harder ones with what makes them hard. */

import { byId, make } from "./dom.js";
import { thumbnail } from "./frames.js";
import { aDigit } from "./numbers.js";
import { roving } from "./roving.js";

/**
 * Fill `#gallery`.
 *
 * @param {function(object, number)} choose called with a drawing, `{strokes, pen}`, and the time
 */
export async function makeGallery(choose) {
  let digits, hard;
  try {
    ({ digits, hard } = await (await fetch("/gallery.json")).json());
  } catch {
    byId("about").textContent = "The drawings could not be fetched: load the page again.";
    return;
  }
  const shelf = (drawings, className, title, button) => {
    const buttons = drawings.map(button);
    const row = make("div", { className: `shelf ${className}` }, ...buttons);
    roving(row, buttons);
    return make("div", {}, make("h3", {}, title), row);
  };
  byId("gallery").append(
    shelf(digits, "", "Digits", (drawing, i) => {
      const name = `Digit ${drawing.label}, drawing ${Math.floor(i / 10) + 1}`;
      return choiceOf(drawing, name, { label: drawing.label }, []);
    }),
    shelf(hard, "hard", "Hard ones", (drawing) =>
      choiceOf(drawing, null, { label: drawing.label ?? "", name: drawing.name }, [
        drawing.name,
      ]),
    ),
  );

  function choiceOf(drawing, label, dataset, words) {
    const button = make(
      "button",
      { type: "button", dataset, "aria-pressed": "false" },
      thumbnail(drawing),
      ...words,
    );
    if (label) button.setAttribute("aria-label", label);
    button.addEventListener("click", ({ timeStamp, detail }) => {
      choose(drawing, timeStamp);
      // Who has clicked wants to see it; who has pressed a key would lose sight of the focus.
      if (detail) byId("pad").scrollIntoView({ block: "center" });
      mark(button, drawing.about ?? `One of the project's own: ${aDigit(drawing.label)}.`);
    });
    return button;
  }
}

/** Mark none: what is drawn now is none of them. */
export function markNone() {
  if (byId("gallery").querySelector('[aria-pressed="true"]')) mark(null, "");
}

function mark(button, about) {
  for (const other of byId("gallery").querySelectorAll("button"))
    other.setAttribute("aria-pressed", String(other === button));
  byId("about").textContent = about;
}
