/* The lesson: each section's widget is a module of its own, mounted on its <section>. */

import { decode, toStrokes } from "./drawing.js";
import { fetchPatiently } from "./key.js";
import { fetchLayers } from "./network.js";

const SECTIONS = [
  "neuron",
  "activations",
  "layers",
  "training",
  "features",
  "confidence",
  "traditional",
  "break",
];

const load = async (path, get = fetch) => {
  const reply = await get(path);
  const content = await reply.json();
  if (!reply.ok) throw new Error(content.error);
  return content;
};

/* What several widgets need is fetched once, and not before one asks. */
const once = (fetching) => {
  let promise;
  return () => (promise ??= fetching());
};
const layers = new Map();
const context = {
  /** The project's drawings: `{digits, hard}`. */
  gallery: once(() => load("/gallery.json")),
  /** What was measured: curves, calibration, baselines. */
  lesson: once(() => load("/lesson.json", fetchPatiently)),
  /** A version's layers, as in network.js. */
  layers(version) {
    const name = String(version); // replies name a version by a string, the page by a number
    if (!layers.has(name)) layers.set(name, fetchLayers(name));
    return layers.get(name);
  },
  /** The drawing that the front page's link brings, `{strokes, pen}`, or null. */
  drawn: drawnIn(location.hash),
  /** The versions that this server has, lowest first. */
  versions: document.body.querySelector("main").dataset.versions.split(" ").map(Number),
};

function drawnIn(hash) {
  try {
    return toStrokes(decode(new URLSearchParams(hash.slice(1)).get("drawing") ?? ""));
  } catch {
    return null; // cut short: the lesson has drawings of its own
  }
}

const mounted = SECTIONS.map((name) => {
  const section = document.getElementById(name);
  return import(`./learn/${name}.js`)
    .then(({ mount }) => mount(section, context))
    .catch((error) => {
      const notice = document.createElement("p");
      notice.className = "notice";
      notice.textContent = `This part of the lesson could not be started: ${error.message}`;
      section.append(notice);
    });
});
// Only when all are there: what is mounted above a section moves it.
if (context.drawn)
  Promise.all(mounted).then(() => document.getElementById("layers").scrollIntoView());
