/* What the lesson's widgets are put together from, beside their controls. */

import { svg } from "../chart.js";
import { make } from "../dom.js";

/** How wide a chart is drawn, in its own units: narrow where the screen is, so that its text stays legible. */
export const chartWidth = () =>
  matchMedia("(max-width: 36rem)").matches
    ? 300
    : matchMedia("(max-width: 62rem)").matches
      ? 380
      : 540;

/** Make a piece of a line in the style of a chart's, for its key. */
export function swatch(className) {
  const line = svg("path", { d: "M2 6H38", class: className });
  const look = { viewBox: "0 0 40 12", class: "chart swatch", "aria-hidden": "true" };
  return svg("svg", look, line);
}

/** Make a canvas of 28 × 28 pixels; without words for it, it is left out for who cannot see it. */
export const frameCanvas = (label) =>
  make("canvas", {
    className: "pixels",
    width: 28,
    height: 28,
    ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }),
  });

/** Put elements in the place that the section's text keeps for them. */
export function fill(section, name, ...elements) {
  section.querySelector(`[data-place="${name}"]`).append(...elements);
}

/** Put what may be wider than the screen where it scrolls by itself, by keyboard too. */
export const wide = (label, ...children) =>
  make(
    "div",
    { className: "wide", role: "region", "aria-label": label, tabIndex: 0 },
    ...children,
  );

/** Make a table of rows of strings or elements; the first of a row is its head. */
export function table(caption, heads, rows) {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map(([first, ...rest]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, first),
      ...rest.map((cell) => make("td", {}, cell)),
    ),
  );
  return make(
    "table",
    { className: "figures" },
    make("caption", {}, caption),
    make("thead", {}, head),
    make("tbody", {}, ...body),
  );
}

/** Call a function in the next frame of animation, however often it is asked for before. */
export function inFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}
