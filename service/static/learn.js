/* The lesson: each section's widget is a module of its own, mounted on its <section>. */

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

const load = async (path) => {
  const reply = await fetch(path);
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
  lesson: once(() => load("/lesson.json")),
  /** A version's layers, as in network.js. */
  layers(version) {
    const name = String(version); // replies name a version by a string, the page by a number
    if (!layers.has(name)) layers.set(name, fetchLayers(name));
    return layers.get(name);
  },
  /** The versions that this server has, lowest first. */
  versions: document.body.querySelector("main").dataset.versions.split(" ").map(Number),
};

for (const name of SECTIONS) {
  const section = document.getElementById(name);
  import(`./learn/${name}.js`)
    .then(({ mount }) => mount(section, context))
    .catch((error) => {
      const notice = document.createElement("p");
      notice.className = "notice";
      notice.textContent = `This part of the lesson could not be started: ${error.message}`;
      section.append(notice);
    });
}
