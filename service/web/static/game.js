/* Ten digits against the clock. */

import { openDialog } from "./dialog.js";
import { byId, make } from "./dom.js";
import { aDigit } from "./numbers.js";

const TICK = 100; // ms
const PAUSE = 600; // ms without a pointer on the pad, so that a digit's next stroke can begin
let stop = null; // ends the game that runs

/**
 * Play a game: each digit once, in any order; the next comes when the network is sure of it.
 *
 * @param {object} page
 * @param {object} page.pad of `makePad`
 * @param {function(function): function} page.listen hears each answer; returns what ends that
 */
export function play({ pad, listen }) {
  stop?.();
  const digits = shuffled([...Array(10).keys()]);
  const start = performance.now();
  const missed = [];
  let at = 0;
  let newest = null; // the answer to what is drawn

  const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
  const { bar, task, clock, skip, quit } = makeBar();
  const show = () => {
    task.textContent = `Draw ${aDigit(digits[at])}`;
    pad.hint(task.textContent);
    pad.clear();
  };
  const next = () => {
    newest = null;
    at++;
    if (at < digits.length) return show();
    const time = seconds();
    end();
    result(digits.length - missed.length, time, missed);
  };
  let drew = start; // when the pointer was last on the pad
  // A digit on its way to another is not the one: not before the pen rests.
  const check = () => {
    if (pad.draws()) drew = performance.now();
    const answered = byId("main").dataset.state === "settled";
    const rests = performance.now() - drew > PAUSE;
    const right = newest && !newest.unsure && newest.digit === digits[at];
    if (answered && rests && right) next();
  };
  const silence = listen((prediction) => (newest = prediction));
  const tick = () => {
    clock.textContent = `${at + 1} of 10 · ${seconds()} s`;
    check();
  };
  const timer = setInterval(tick, TICK);
  const end = () => {
    stop = null;
    clearInterval(timer);
    silence();
    bar.remove();
    pad.hint(null);
    pad.clear();
    byId("play").focus();
  };
  skip.addEventListener("click", () => {
    missed.push(digits[at]);
    next();
  });
  quit.addEventListener("click", end);
  stop = end;
  byId("gallery").before(bar);
  tick();
  show();
  byId("pad").focus();
}

function makeBar() {
  const task = make("strong", { role: "status" });
  const clock = make("span", { className: "clock" });
  const skip = make("button", { type: "button" }, "Skip");
  const quit = make("button", { type: "button" }, "Stop");
  const look = { id: "game", role: "group", "aria-label": "Game" };
  return { bar: make("div", look, task, clock, skip, quit), task, clock, skip, quit };
}

function result(read, time, missed) {
  const words = `It read ${read} of my 10 digits in ${time}\u00a0s.`;
  const said = make("p", { role: "status" });
  const again = make("button", { type: "button" }, "Again");
  const copy = make("button", { type: "button" }, "Copy result");
  const dialog = openDialog(
    "Ten against the clock",
    make("p", { className: "score" }, words.replace("my", "your")),
    missed.length ? make("p", {}, `Not read: ${missed.sort().join(", ")}.`) : "",
    make("div", { className: "row" }, again, copy),
    said,
  );
  again.addEventListener("click", () => {
    dialog.close();
    byId("play").click();
  });
  copy.addEventListener("click", async () => {
    const text = `${words} ${new URL(".", location.href)}`;
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "Copied.";
    } catch {
      said.textContent = text;
    }
  });
}

function shuffled(values) {
  const left = [...values];
  return values.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]);
}
