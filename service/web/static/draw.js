/* The page on which one draws: what happens between its parts. */

import { makeAnswer } from "./answer.js";
import { Asker } from "./asker.js";
import { byId, speaking } from "./dom.js";
import { Drawing, fromStrokes } from "./drawing.js";
import { showExample } from "./example.js";
import { fool } from "./fool.js";
import { makeGallery } from "./gallery.js";
import { play } from "./game.js";
import { makeInside } from "./inside.js";
import { makeLink } from "./link.js";
import { measure } from "./measure.js";
import { makePad } from "./pad.js";
import { makePictures } from "./pictures.js";
import { sideBySide } from "./pieces.js";
import { share } from "./share.js";
import { copySnippet } from "./snippets.js";
import { remark } from "./words.js";

const LATE_AFTER = 400; // ms; above what an answer takes, below what makes one wonder
const LATE = "The server has not answered yet.";
const NO_DRAWING = "Draw a digit from 0 to 9.";
const NO_ANSWER = "No answer to this drawing yet.";

const main = byId("main");
const drawing = new Drawing();
const answers = { main: makeAnswer(""), beside: makeAnswer("-beside") };
export const inside = makeInside();
const say = speaking(byId("said"));
const listeners = new Set(); // who else hears each answer, such as the game
let lastRequest = null; // what was answered last, for the snippets
let about = ""; // what there is to say of a drawing of the gallery
let lateTimer;
let changedAt = 0; // the time of the event that made the newest drawing

const notify = (words) => (byId("notice").textContent = words);

const pad = makePad(drawing, (time) => {
  changedAt = time;
  notify("");
  markNone();
  drawingChanged();
});
const link = makeLink(drawing, (wrong) => {
  showBeside();
  markNone();
  notify(wrong);
  pad.repaint();
  drawingChanged();
});
const gallery = makeGallery((chosen, time) => {
  about = chosen.about ?? "";
  replaceDrawing(fromStrokes(chosen.strokes, chosen.pen), time);
});

const asker = new Asker({
  snapshot() {
    const body = JSON.stringify({ instances: [{ b64: pictureToSend() }] });
    const beside = byId("beside").value;
    const picture = drawing.seen.find(({ kind }) => kind === "picture");
    const file = sentAsFile() ? picture.name : undefined;
    return [
      { where: "main", version: byId("version").value, body, changedAt, picture, file },
      ...(beside ? [{ where: "beside", version: beside, body }] : []),
    ];
  },
  answer(request, answer) {
    heard();
    const [prediction] = answer.reply.predictions;
    const words = answers[request.where].show(prediction);
    if (request.where === "main") showAnswer(request, answer, words);
  },
  refuse(request, { message }) {
    heard();
    const empty = /no ink/.test(message);
    const words = empty ? "No ink." : "The server refused it.";
    answers[request.where].blank(words);
    if (request.where !== "main") return;
    main.dataset.state = "refused";
    blankInside();
    byId("note").textContent = empty
      ? "Nothing stands out from the paper."
      : `${message.replace("image 0", "the picture")}.`;
    say(`${words} ${byId("note").textContent}`);
  },
  locked() {
    heard();
    main.dataset.state = "locked";
    blank(NO_ANSWER);
  },
  away(why) {
    clearTimeout(lateTimer);
    main.dataset.state = "away";
    const words = `The server does not answer: ${why}. Your drawing is safe; trying again every second.`;
    // Set once: a screen reader would say it every second.
    if (byId("server").textContent === words) return;
    byId("server").textContent = words;
    // What is shown until now is the answer to an older drawing.
    blank(NO_ANSWER);
  },
  settle() {
    if (["asking", "away", "locked"].includes(main.dataset.state))
      main.dataset.state = "settled";
  },
});

function showAnswer(request, { reply, roundTrip, server }, words) {
  const [prediction] = reply.predictions;
  lastRequest = request;
  const frame = prediction.frame.flat();
  inside.show({ version: request.version, prediction, frame, outcomes: reply.layers });
  keepFrame(request.picture, frame);
  byId("note").textContent = about || remark(prediction, sideBySide(pad.canvas));
  byId("timing").textContent =
    `The answer took ${roundTrip.toFixed(1)} ms, ${server.toFixed(1)} ms of it in the server.`;
  for (const id of ["copy-curl", "copy-python"]) byId(id).disabled = false;
  say(`${words} ${byId("note").textContent}`);
  for (const listener of listeners) listener(prediction);
  measure(request.changedAt);
}

function drawingChanged() {
  link.save();
  if (drawing.isEmpty) {
    asker.cancel();
    heard();
    main.dataset.state = "empty";
    blank(NO_DRAWING);
    return say(NO_DRAWING);
  }
  if (main.dataset.state === "empty") blank(NO_ANSWER);
  main.dataset.state = "asking";
  lateTimer ??= setTimeout(() => (byId("note").textContent = LATE), LATE_AFTER);
  asker.request();
}

function blank(words) {
  answers.main.blank(words);
  answers.beside.blank("–");
  blankInside();
}

function blankInside() {
  byId("note").textContent = about;
  inside.blank();
}

function markNone() {
  about = "";
  gallery.markNone();
}

/** Draw something else in place of what is seen; the time is that of the event. */
function replaceDrawing(acts, time) {
  drawing.replace(acts);
  changedAt = time;
  notify("");
  pad.repaint();
  drawingChanged();
}

/** The server has answered, or nothing is asked any more. */
function heard() {
  clearTimeout(lateTimer);
  lateTimer = undefined;
  byId("server").textContent = "";
}

const sentAsFile = () => drawing.seen.length === 1 && drawing.seen[0].dataUrl !== undefined;

/** The drawing as a data URL: a picture that nothing was drawn on goes as its own file. */
const pictureToSend = () => (sentAsFile() ? drawing.seen[0].dataUrl : pad.picture());

/** Keep with a picture the frame that it became, because a link cannot hold the picture. */
function keepFrame(picture, frame) {
  if (!picture) return;
  picture.levels = frame;
  link.save();
}

/* The controls. */

function showBeside() {
  const { value } = byId("beside");
  for (const id of ["answer-beside", "bars-beside"]) byId(id).hidden = !value;
  byId("beside-name").textContent = value;
}

for (const id of ["version", "beside"]) {
  byId(id).addEventListener("change", () => {
    showBeside();
    drawingChanged();
  });
}
byId("width").addEventListener("change", link.save);
byId("eraser").addEventListener("click", ({ currentTarget }) => {
  const pressed = currentTarget.getAttribute("aria-pressed") === "true";
  currentTarget.setAttribute("aria-pressed", String(!pressed));
  link.save();
});

byId("share").addEventListener("click", () => {
  link.now();
  share({ seen: inside.seen(), paint: inside.paint });
});
byId("fool").addEventListener("click", ({ currentTarget }) => {
  if (currentTarget.getAttribute("aria-disabled") === "true") return;
  const seen = inside.seen();
  const versions = [...byId("version").options].map(({ value }) => value);
  const others = versions.filter((version) => version !== seen.version);
  fool(seen, [seen.version, ...others.slice(0, 1)], inside.layersOf);
});
for (const id of ["copy-curl", "copy-python"]) {
  byId(id).addEventListener("click", () => copySnippet(id, lastRequest));
}
byId("play").addEventListener("click", () => {
  const listen = (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  play({ pad, listen });
});

makePictures(
  { bytes: Number(main.dataset.maxBody), pixels: Number(main.dataset.maxPixels) },
  (picture, words) => {
    markNone();
    replaceDrawing([{ kind: "picture", ...picture }], performance.now());
    notify(words);
  },
  notify,
);
link.restore();
showExample({
  drawings: gallery.drawings,
  layersOf: inside.layersOf,
  version: byId("version").value,
  isEmpty: () => main.dataset.state === "empty" && drawing.acts.length === 0,
  hint: (strokes) => pad.hint(null, strokes),
  show(prediction, outcomes, words) {
    answers.main.show(prediction);
    byId("verdict").textContent = NO_DRAWING;
    byId("note").textContent = words;
    inside.show({ version: byId("version").value, prediction, frame: prediction.frame, outcomes });
  },
});
