/* The lesson: starts each widget when it comes near the window, and keeps links exact. */

import { decode, toStrokes } from "./drawing.js";
import { read, withFrame } from "./frames.js";
import { contentOf, fetchPatiently } from "./key.js";
import { fetchLayers } from "./network.js";
import { attempt } from "./trouble.js";

const WIDGETS = {
  toy: () => import("./learn/toy.js"),
  unit: () => import("./learn/unit.js"),
  curves: () => import("./learn/curves.js"),
  bend: () => import("./learn/bend.js"),
  walk: () => import("./learn/walk.js"),
  loss: () => import("./learn/loss.js"),
  descent: () => import("./learn/descent.js"),
  history: () => import("./learn/history.js"),
  filters: () => import("./learn/filters.js"),
  byhand: () => import("./learn/byhand.js"),
  softmax: () => import("./learn/softmax.js"),
  calibration: () => import("./learn/calibration.js"),
  strange: () => import("./learn/strange.js"),
  methods: () => import("./learn/methods.js"),
  break: () => import("./learn/break.js"),
  yours: () => import("./learn/yours.js"),
};
const NEAR = "25% 0px"; // of the window: ready when it comes into sight, and not long before

const main = document.getElementById("main");
const versions = main.dataset.versions.split(" ").map(Number);

/* What several widgets need is fetched once; what failed can be asked for again. */
function kept(fetching) {
  const found = new Map();
  return (name) => {
    if (!found.has(name)) {
      found.set(name, fetching(name));
      found.get(name).catch(() => found.delete(name));
    }
    return found.get(name);
  };
}

const context = {
  versions,
  /** The version that answers where none is asked for. */
  version: Number(main.dataset.version),
  /** The project's drawings: `{digits, hard}`. */
  gallery: kept(async () => contentOf(await fetch("gallery.json"))),
  /** What was measured: learning curves, calibration, the comparison of methods. */
  lesson: kept(async () => contentOf(await fetchPatiently("lesson.json"))),
  /** A version's layers, as in network.js. */
  layers: kept(fetchLayers),
  /**
   * The 30 digits, and after them the drawing that a link brought, if any: `{label, strokes,
   * frame, pixels}`, where `frame` is 0 to 255 and `pixels` the same from 0 to 1.
   */
  digits: kept(async () => {
    const { digits } = await context.gallery();
    const drawings = context.drawn ? [...digits, context.drawn] : digits;
    // The frame is the same for every version: the server makes it before the network.
    const answers = await read(drawings, context.version);
    return drawings.map((drawing, i) => withFrame(drawing, answers[i].frame));
  }),
  /** The drawing in the link from the front page, `{strokes, pen}`, or null. */
  drawn: drawnIn(location.hash),
};

function drawnIn(hash) {
  try {
    return toStrokes(decode(new URLSearchParams(hash.slice(1)).get("drawing") ?? ""));
  } catch {
    return null; // cut short: the lesson has drawings of its own
  }
}

const forms = [...document.querySelectorAll("[data-widget]")];
const started = new Map();

/** Start a widget, once. */
function start(form) {
  observer.unobserve(form);
  if (!started.has(form)) {
    const mount = async () => {
      const module = await WIDGETS[form.dataset.widget]();
      await module.mount(form, context);
      form.dataset.ready = "";
    };
    started.set(form, attempt(mount));
  }
  return started.get(form);
}
const startAll = () => Promise.all(forms.map(start));

const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) start(target);
  },
  { rootMargin: NEAR },
);
forms.forEach((form) => observer.observe(form));
addEventListener("beforeprint", startAll);
document.getElementById("print").addEventListener("click", async () => {
  await startAll();
  print();
});

/* Mark the chapter that is being read: the one across a line in the window's upper third. */
const links = new Map(
  [...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]),
);
const reading = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      const link = links.get(target.id);
      if (!isIntersecting) link.removeAttribute("aria-current");
      else {
        link.setAttribute("aria-current", "location");
        const list = link.closest("ol"); // a row that scrolls, on a narrow screen
        list.scrollTo({ left: link.offsetLeft - list.offsetLeft - 16 });
      }
    }
  },
  { rootMargin: "-30% 0px -70% 0px" },
);
for (const id of links.keys()) reading.observe(document.getElementById(id));

/* Widgets that start above a link's target move it: follow it until the reader scrolls. */
function follow() {
  const id = context.drawn && !started.size ? "layers" : location.hash.slice(1);
  const target = document.getElementById(id);
  if (!target) return;
  document.documentElement.classList.add("following"); // without the browser's own anchoring
  let at = null;
  const sizes = new ResizeObserver(() => {
    if (at !== null && Math.abs(scrollY - at) > 1) {
      sizes.disconnect();
      document.documentElement.classList.remove("following");
      return;
    }
    target.scrollIntoView({ behavior: "instant" });
    at = scrollY;
  });
  sizes.observe(main);
  addEventListener("hashchange", () => sizes.disconnect(), { once: true });
}
addEventListener("hashchange", follow);
follow();
