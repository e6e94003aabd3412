/* "Wrong?": the server keeps what the network saw, with the digit that it is. */

import { openDialog } from "./dialog.js";
import { byId, enable, grey, make, paintPixels } from "./dom.js";
import { inside } from "./draw.js";
import { contentOf, fetchWithKey } from "./key.js";
import { aDigit } from "./numbers.js";
import { reason } from "./trouble.js";

const SIDE = 28;
const main = byId("main");
const button = byId("wrong");

// While an answer is on its way, the one before is shown, and can be told wrong.
new MutationObserver(() => {
  const { state } = main.dataset;
  if (state !== "asking") enable(button, state === "settled");
}).observe(main, { attributeFilter: ["data-state"] });

button.addEventListener("click", () => {
  if (button.getAttribute("aria-disabled") === "false") open(inside.seen());
});

/* The dialog; the answer is the one that was shown when it was opened. */
function open({ version, prediction, frame }) {
  const canvas = make("canvas", {
    className: "pixels",
    width: SIDE,
    height: SIDE,
    role: "img",
    "aria-label": "What the network saw",
  });
  paintPixels(canvas, frame, grey);
  const said = make("p", { role: "status" });
  const look = { type: "button", "aria-pressed": "false" };
  const buttons = [...Array(10).keys()].map((digit) => make("button", look, String(digit)));
  let sending = false;
  buttons.forEach((each, digit) =>
    each.addEventListener("click", async () => {
      if (sending) return;
      sending = true;
      said.textContent = await keep(version, prediction.frame, digit).then(
        () => {
          for (const other of buttons)
            other.setAttribute("aria-pressed", String(other === each));
          return `Thanks, kept as ${aDigit(digit)}.`;
        },
        (error) => `Not kept: ${reason(error)}.`,
      );
      sending = false;
    }),
  );
  const read = `The network read ${aDigit(prediction.digit)}. It was a …`;
  const dialog = openDialog(
    "Wrong?",
    canvas,
    make("p", { id: "wrong-read" }, read),
    make("div", { role: "group", "aria-labelledby": "wrong-read" }, ...buttons),
    said,
    make(
      "p",
      { className: "muted" },
      "These 28 × 28 pixels and the digit that you choose are then kept on the server, to train on, and nothing else. If you choose none, nothing is kept.",
    ),
  );
  dialog.classList.add("wrong");
}

async function keep(version, frame, digit) {
  const reply = await fetchWithKey(`feedback?version=${version}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ frame, digit }),
  });
  return contentOf(reply);
}
