/* The gallery: the project's own digits, and harder ones with what makes them hard. */

import { aDigit, byId, make } from "./dom.js";
import { thumbnail } from "./frames.js";

/**
 * Fill `#gallery`.
 *
 * @param {function(object, number)} choose called with a drawing, `{strokes, pen}`, and the time
 */
export async function makeGallery(choose) {
  const reply = await fetch("/gallery.json");
  const { digits, hard } = await reply.json();
  const shelf = (drawings, className, title, button) =>
    make(
      "div",
      {},
      make("h3", {}, title),
      make("div", { className: `shelf ${className}` }, ...drawings.map(button)),
    );
  byId("gallery").append(
    shelf(digits, "", "Digits", (drawing) =>
      choiceOf(drawing, `Digit ${drawing.label}`, { label: drawing.label }, []),
    ),
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
      for (const other of byId("gallery").querySelectorAll("button"))
        other.setAttribute("aria-pressed", String(other === button));
      byId("about").textContent =
        drawing.about ?? `One of the project's own: ${aDigit(drawing.label)}.`;
    });
    return button;
  }
}
