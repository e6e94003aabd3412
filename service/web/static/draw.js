/* The page on which one draws: what happens between its parts. */

import { makeAnswer } from "./answer.js";
import { Asker } from "./asker.js";
import { byId, speaking } from "./dom.js";
import { Drawing, decode, encode, fromStrokes, toStrokes } from "./drawing.js";
import { makeGallery, markNone } from "./gallery.js";
import { makeInside } from "./inside.js";
import { makePad } from "./pad.js";
import { makePictures } from "./pictures.js";
import { makeSnippets } from "./snippets.js";

const LINK_EVERY = 400; // ms; browsers allow some hundred changes of the address in 30 s
const LATE_AFTER = 400; // ms; above what an answer takes, below what makes one wonder
const LATE = "The server has not answered to the newest drawing yet.";
const MOST_MEASURED = 5000; // a browser keeps them all, for a page that is open all day too
const NO_INK = "No ink yet: draw a digit.";
const NO_ANSWER = "No answer to this drawing yet.";

const main = byId("main");
const drawing = new Drawing();
const answers = { main: makeAnswer(""), beside: makeAnswer("-beside") };
const inside = makeInside();
const say = speaking(byId("said"));
let lastRequest = null; // what was answered last, for the snippets
let linkTimer, lateTimer;
let measured = 0;
let changedAt = 0; // the time of the event that made the newest drawing

const pad = makePad(drawing, (time) => {
  changedAt = time;
  byId("notice").textContent = "";
  markNone();
  drawingChanged();
});

const asker = new Asker({
  snapshot() {
    const body = JSON.stringify({ instances: [{ b64: pictureToSend() }] });
    const beside = byId("beside").value;
    const picture = drawing.seen.find(({ kind }) => kind === "picture");
    return [
      { where: "main", version: byId("version").value, body, changedAt, picture },
      ...(beside ? [{ where: "beside", version: beside, body }] : []),
    ];
  },
  answer(request, answer) {
    heard();
    const words = answers[request.where].show(
      request.version,
      unsureBelow(request.version),
      answer,
    );
    if (request.where !== "main") return;
    lastRequest = request;
    inside.show(request.version, answer.reply);
    keepFrame(request.picture, answer.reply.predictions[0].frame);
    for (const id of ["copy-curl", "copy-python"]) byId(id).disabled = false;
    say(words);
    measure(request.changedAt);
  },
  refuse(request, { message }) {
    heard();
    const words = /no ink/.test(message)
      ? "No ink: nothing stands out from the paper."
      : `The server refused it: ${message.replace("image 0", "the picture")}.`;
    answers[request.where].blank(words);
    if (request.where !== "main") return;
    main.dataset.state = "refused";
    inside.blank();
    say(words);
  },
  locked() {
    heard();
    main.dataset.state = "locked";
    blankAnswers(NO_ANSWER);
    inside.blank();
  },
  away(why) {
    clearTimeout(lateTimer);
    main.dataset.state = "away";
    const words = `The server does not answer: ${why}. Your drawing is kept, and asked again every second.`;
    // Set once: a screen reader would say it every second.
    if (byId("server").textContent === words) return;
    byId("server").textContent = words;
    // What is shown until now is the answer to an older drawing.
    blankAnswers(NO_ANSWER);
    inside.blank();
  },
  settle() {
    if (["asking", "away", "locked"].includes(main.dataset.state))
      main.dataset.state = "settled";
  },
});

function drawingChanged() {
  saveLink();
  if (drawing.isEmpty) {
    asker.cancel();
    heard();
    follow();
    main.dataset.state = "empty";
    blankAnswers(NO_INK);
    inside.blank();
    say(NO_INK);
    return;
  }
  if (main.dataset.state === "empty") blankAnswers(NO_ANSWER);
  main.dataset.state = "asking";
  lateTimer ??= setTimeout(() => (byId("timing").textContent = LATE), LATE_AFTER);
  asker.request();
}

function blankAnswers(words) {
  for (const answer of Object.values(answers)) answer.blank(words);
}

/** Draw something else in place of what is seen; the time is that of the event. */
function replaceDrawing(acts, time) {
  drawing.clear();
  for (const act of acts) drawing.add(act);
  changedAt = time;
  pad.repaint();
  drawingChanged();
}

/** The server has answered, or nothing is asked any more. */
function heard() {
  clearTimeout(lateTimer);
  lateTimer = undefined;
  byId("server").textContent = "";
}

/** The drawing as a data URL: a picture that nothing was drawn on goes as its own file. */
function pictureToSend() {
  const { seen } = drawing;
  return seen.length === 1 && seen[0].dataUrl ? seen[0].dataUrl : pad.picture();
}

/** Keep with a picture the frame that it became, because a link cannot hold the picture. */
function keepFrame(picture, frame) {
  if (!picture) return;
  picture.levels = frame.flat();
  saveLink();
}

function unsureBelow(version) {
  const option = [...byId("version").options].find(({ value }) => value === version);
  return Number(option.dataset.unsureBelow);
}

/** Note how long it took from the newest stroke's event until its answer was painted. */
function measure(start) {
  // A frame is painted after its callbacks, and a message comes after the painting.
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      performance.measure("stroke to answer", { start, end: performance.now() });
      if (++measured % MOST_MEASURED === 0) performance.clearMeasures();
    };
    port2.postMessage(null);
  });
}

/* The state in the address: drawing, versions and tool, so that a link brings it all back. */

const SETTINGS = ["version", "beside", "width"];
const usual = Object.fromEntries(SETTINGS.map((id) => [id, byId(id).value]));

function link() {
  const state = new URLSearchParams();
  for (const id of SETTINGS)
    if (byId(id).value !== usual[id]) state.set(id, byId(id).value);
  const tool = document.querySelector("input[name=tool]:checked").value;
  if (tool !== "brush") state.set("tool", tool);
  if (!drawing.isEmpty) state.set("drawing", encode(drawing));
  return `#${state}`;
}

function saveLink() {
  linkTimer ??= setTimeout(() => {
    linkTimer = undefined;
    history.replaceState(null, "", link());
    follow();
  }, LINK_EVERY);
}

/** Let the lesson's link bring the drawing along, if it is one that the lesson can draw. */
function follow() {
  // Its place is kept, so that nothing moves below it.
  byId("follow").style.visibility = toStrokes(drawing.seen) ? "visible" : "hidden";
  byId("follow").querySelector("a").href = `/learn#drawing=${encode(drawing)}`;
}

function restore() {
  const state = new URLSearchParams(location.hash.slice(1));
  for (const id of SETTINGS) {
    byId(id).value = state.get(id) ?? usual[id];
    if (byId(id).value || !state.get(id)) continue;
    byId(id).value = usual[id];
    const without = `This server has no version ${state.get(id)}, for which the link asks`;
    byId("notice").textContent = `${without}; here is version ${byId("version").value}.`;
  }
  const tool = state.get("tool") === "eraser" ? "eraser" : "brush";
  document.querySelector(`input[name=tool][value=${tool}]`).checked = true;
  showBeside();
  markNone();
  try {
    drawing.acts = decode(state.get("drawing") ?? "");
  } catch (error) {
    drawing.acts = [];
    byId("notice").textContent =
      `The drawing in this link cannot be read: ${error.message}. Draw a new one.`;
  }
  pad.repaint();
  drawingChanged();
}

/* The controls. */

function showBeside() {
  byId("answer-beside").hidden = !byId("beside").value;
  byId("beside-name").textContent = byId("beside").value;
}

for (const id of ["version", "beside"]) {
  byId(id).addEventListener("change", () => {
    showBeside();
    drawingChanged();
  });
}
for (const input of [byId("width"), ...document.querySelectorAll("input[name=tool]")]) {
  input.addEventListener("change", saveLink);
}
byId("share").addEventListener("click", async () => {
  history.replaceState(null, "", link());
  try {
    await navigator.clipboard.writeText(location.href);
    byId("notice").textContent =
      "The link is copied: whoever opens it sees this drawing and these settings.";
  } catch {
    byId("notice").textContent =
      "The link is this page's address: copy it from the address bar.";
  }
});
// Whoever is quick gets the newest drawing, too.
for (const name of ["pointerdown", "click"]) byId("follow").addEventListener(name, follow);
addEventListener("hashchange", () => {
  // Not for a link to a place on this page, such as the one that skips to the content.
  if (!document.getElementById(location.hash.slice(1))) restore();
});
makeSnippets(() => lastRequest);
makePictures(
  { bytes: Number(main.dataset.maxBody), pixels: Number(main.dataset.maxPixels) },
  ({ bitmap, dataUrl }, words) => {
    markNone();
    byId("notice").textContent = words;
    replaceDrawing([{ kind: "picture", bitmap, dataUrl }], performance.now());
  },
  (words) => (byId("notice").textContent = words),
);
makeGallery(({ strokes, pen }, time) => replaceDrawing(fromStrokes(strokes, pen), time));
restore();
