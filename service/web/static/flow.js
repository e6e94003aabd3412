/* The living network: its picture moves from one answer to the next. */

import { byId, grey, largest, paintPixels, signed, speaking } from "./dom.js";
import { paintGraph } from "./graph.js";
import { SIZES, pixelWeights } from "./network.js";
import { fixed, percent } from "./numbers.js";
import { orderOf, place } from "./places.js";
import { pointing } from "./pointing.js";
import { between, linesOf, nothing, sceneOf } from "./scene.js";

const MOTION = 120; // ms; long enough to be seen, and over before the next answer
const SLOW = 34; // ms, two frames: a machine that needs longer gets no motion
const REST = 10000; // ms, after which it is tried again
const HAZE = 0.5; // of the ink over the weights: it is seen, and they are too
const BLACK = new Array(SIZES[0]).fill(0);
const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Take over the network's elements.
 *
 * @returns {object} `show(seen)` shows an answer, `{frame, outcomes, layers}`, where layers
 *   may still be missing; `blank()` shows none; `paint(context, width, height)` paints the
 *   answer on another canvas, without motion
 */
export function makeFlow() {
  const canvas = byId("network");
  const say = speaking(byId("unit-said")); // a held unit's words change with each answer
  const usual = [...byId("unit").childNodes];
  let seen = null; // the newest answer
  const fitted = fitting(canvas);

  const moving = motion((scene) => {
    const context = canvas.getContext("2d");
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    paintGraph(context, fitted.places(), scene, lookOf(canvas), chosen());
  });
  const chosen = () => {
    const unit = pointer.unit();
    if (!unit || !seen?.layers) return unit && { ...unit, lines: new Map() };
    const { frame, outcomes } = seen;
    return { ...unit, lines: linesOf(seen.layers, frame, outcomes, unit.depth, unit.unit) };
  };
  const tell = () => {
    const unit = pointer.unit();
    const ready = seen?.layers && unit;
    const waits = unit && seen ? "The weights are still loading." : "";
    const words = ready ? inWords(seen, unit) : waits;
    byId("unit").replaceChildren(...(words ? [words] : usual));
    say(words);
    paintFrame(seen, ready ? unit : null);
    moving.later();
  };
  const pointer = pointing(canvas, () => fitted.places()?.units, tell);
  const turnTo = (answer) => {
    seen = answer;
    fitted.fit(answer?.layers);
    moving.turnTo(answer ? sceneOf(answer.layers, answer.frame, answer.outcomes) : nothing());
    tell();
  };

  new ResizeObserver(() => {
    fitted.fit(seen?.layers);
    moving.frame();
  }).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", moving.later);
  turnTo(null);
  return {
    show: turnTo,
    blank: () => turnTo(null),
    paint(context, width, height) {
      const there = fitted.on(width, height);
      const { x, y, cell } = there.frame;
      paintGraph(context, there, moving.newest(), lookOf(canvas), null);
      context.imageSmoothingEnabled = false;
      context.drawImage(byId("frame"), x, y, 28 * cell, 28 * cell);
    },
  };
}

/* Keeps the canvas as large as it is shown, and the units in their places on it. */
function fitting(canvas) {
  let places, order, layers;
  return {
    places: () => places,
    on: (width, height) => place(width, height, order),
    fit(newest) {
      if (!order || (newest && layers !== newest)) {
        layers = newest;
        order = orderOf(layers);
        places = undefined;
      }
      const [width, height] = [canvas.clientWidth, canvas.clientHeight];
      const pixels = [width, height].map((size) => Math.round(size * devicePixelRatio));
      if (places && canvas.width === pixels[0] && canvas.height === pixels[1]) return;
      [canvas.width, canvas.height] = pixels;
      places = place(width, height, order);
    },
  };
}

/* Goes from scene to scene; `paint(scene)` is called for each frame on the way. */
function motion(paint) {
  let [from, to, start] = [nothing(), nothing(), 0];
  let request;
  let before = Infinity; // when the last frame on the way was painted
  let rested = 0; // when the machine may be fast enough again
  const now = (time = performance.now()) =>
    between(from, to, still.matches || time < rested ? 1 : (time - start) / MOTION);
  const frame = () => {
    request = undefined;
    const time = performance.now();
    if (time - before > SLOW) rested = time + REST;
    const scene = now(time);
    paint(scene);
    before = scene === to ? Infinity : time;
    if (scene !== to) later();
  };
  const later = () => (request ??= requestAnimationFrame(frame));
  return {
    frame,
    later,
    newest: () => to,
    turnTo(scene) {
      [from, to, start] = [now(), scene, performance.now()];
      later();
    },
  };
}

function lookOf(canvas) {
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(`--${name}`);
  const [text, muted, mark] = ["text", "muted", "mark"].map(colour);
  const [excites, inhibits, ground] = ["for", "against", "raised"].map(colour);
  return { excites, inhibits, ground, text, muted, mark, font: style.fontFamily };
}

/* What the network saw; under the weights of a unit, if one is chosen. */
function paintFrame(seen, unit) {
  const canvas = byId("frame");
  canvas.setAttribute(
    "aria-label",
    seen ? "The 28 by 28 pixels that the network saw" : "Nothing yet",
  );
  if (!unit) return paintPixels(canvas, seen?.frame ?? BLACK, grey);
  const { layers, outcomes, frame } = seen;
  const values = pixelWeights(layers, outcomes, unit.depth, unit.unit);
  const colour = signed(largest(values));
  paintPixels(canvas, values, (value, i) =>
    colour(value).map((part) => part + ((255 - part) * HAZE * frame[i]) / 255),
  );
  canvas.setAttribute("aria-label", `What ${nameOf(unit)} looks for, over the pixels`);
}

const nameOf = ({ depth, unit }) =>
  depth === 2 ? `the output of ${unit}` : `unit ${unit + 1} of layer ${depth + 1}`;

function inWords({ outcomes }, { depth, unit }) {
  const name = nameOf({ depth, unit });
  const value = outcomes[depth].activations[unit];
  const state =
    depth === 2 ? `is ${percent(value)}` : value > 0 ? `is on, at ${fixed(value)}` : "is off";
  const through = depth ? ", by way of the units that are on" : "";
  const looks = `Blue ink excites it, orange ink inhibits it${through}.`;
  return `${name[0].toUpperCase()}${name.slice(1)} ${state}. ${looks}`;
}
