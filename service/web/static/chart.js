/* Charts as SVG, drawn by hand: axes, lines, marks, and the words for who does not see them. */

import { svg } from "./dom.js";

/* Marks of a radius of about 5, around 0. */
const SHAPES = {
  circle: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
  square: "M-4.5 -4.5h9v9h-9z",
  triangle: "M0 -5L5 4H-5z",
  diamond: "M0 -6L6 0L0 6L-6 0z",
};

const MARGIN = { top: 12, right: 16, bottom: 46, left: 52 };

/**
 * Start a chart that fills its host: an SVG with axes, grid, ticks and labels.
 *
 * @param {HTMLElement} host emptied; its size gives the chart's, so that text keeps its own
 * @param {object} options
 * @param {string} options.label what the chart shows, for a screen reader
 * @param {Axis} options.x `{min, max, ticks, label, log = false, format = String}`
 * @param {Axis} options.y
 * @param {object} [options.margin] room around the axes, in pixels
 * @returns {Chart} the SVG as `root`, from values to places as `x` and `y`, and what draws:
 *   `line(points, className)`, `mark(point, className, shape)`, `bar(x, low, high, className)`,
 *   `text(place, words, className)`
 */
export function chart(host, { label, x, y, margin }) {
  const { width, height } = sizeOf(host);
  const room = { ...MARGIN, ...margin };
  const box = {
    left: room.left,
    right: width - room.right,
    top: room.top,
    bottom: height - room.bottom,
  };
  const toX = scale(x, box.left, box.right);
  const toY = scale(y, box.bottom, box.top);
  const root = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": label,
  });
  const add = (name, attributes, ...children) => {
    const element = svg(name, attributes, ...children);
    root.append(element);
    return element;
  };
  drawAxes(add, { x, y, toX, toY, box, height });
  host.replaceChildren(root);
  const path = (points) =>
    points.map(([px, py]) => `${toX(px).toFixed(1)},${toY(py).toFixed(1)}`).join(" ");
  return {
    root,
    x: toX,
    y: toY,
    add,
    path,
    line: (points, className) =>
      add("polyline", { class: className, points: path(points) }),
    mark: ([px, py], className, shape = "circle") =>
      add("path", {
        class: `mark ${className}`,
        d: SHAPES[shape],
        transform: `translate(${toX(px)} ${toY(py)})`,
      }),
    bar: (at, low, high, className) =>
      add("path", {
        class: `error ${className}`,
        d: `M${toX(at)} ${toY(low)}V${toY(high)}`,
      }),
    text: ([left, top], words, className = "", anchor = "start") =>
      add("text", { x: left, y: top, class: className, "text-anchor": anchor }, words),
  };
}

/* A host that is not laid out yet has no size. */
function sizeOf(host) {
  const { clientWidth: width, clientHeight: height } = host;
  return width && height ? { width, height } : { width: 480, height: 280 };
}

function scale({ min, max, log }, from, to) {
  const of = log ? Math.log : (value) => value;
  return (value) => from + ((of(value) - of(min)) / (of(max) - of(min))) * (to - from);
}

function drawAxes(add, { x, y, toX, toY, box, height }) {
  const text = (left, top, words, anchor, attributes = {}) =>
    add("text", { x: left, y: top, "text-anchor": anchor, ...attributes }, words);
  for (const tick of x.ticks) {
    add("path", { class: "grid", d: `M${toX(tick)} ${box.top}V${box.bottom}` });
    text(toX(tick), box.bottom + 18, (x.format ?? String)(tick), "middle");
  }
  for (const tick of y.ticks) {
    add("path", { class: "grid", d: `M${box.left} ${toY(tick)}H${box.right}` });
    text(box.left - 8, toY(tick) + 4, (y.format ?? String)(tick), "end");
  }
  add("path", { class: "axis", d: `M${box.left} ${box.top}V${box.bottom}H${box.right}` });
  text((box.left + box.right) / 2, height - 8, x.label, "middle");
  const middle = (box.top + box.bottom) / 2;
  text(13, middle, y.label, "middle", { transform: `rotate(-90 13 ${middle})` });
}

/** Keep a value within an axis. */
export const within = ({ min, max }, value) => Math.min(max, Math.max(min, value));
