/* Charts as SVG, drawn by hand: axes, lines, and the words for who does not see them. */

const NAMESPACE = "http://www.w3.org/2000/svg";

/** Make an SVG element with attributes and children; a string becomes text. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/**
 * Start a chart: an SVG with axes, grid, ticks and labels.
 *
 * @param {HTMLElement} host emptied, and given the chart
 * @param {object} options
 * @param {string} options.label what the chart shows, for a screen reader
 * @param {Axis} options.x `{min, max, ticks, label, log = false, format = String}`
 * @param {Axis} options.y
 * @param {number} [options.width] in the chart's own units, as is all else
 * @param {number} [options.height]
 * @param {number} [options.left] room for the labels of y
 * @param {number} [options.right] room for what is written at the lines' ends
 * @returns {{root: SVGElement, x: function, y: function, line: function}} the SVG, from
 *   values to places, and `line(points, className)`, which draws and returns a polyline
 */
export function chart(
  host,
  { label, x, y, width = 560, height = 300, left = 58, right = 16 },
) {
  const top = 12,
    bottom = 46;
  const place = ({ min, max, log }, from, to) => {
    const of = log ? Math.log : (value) => value;
    return (value) => from + ((of(value) - of(min)) / (of(max) - of(min))) * (to - from);
  };
  const toX = place(x, left, width - right);
  const toY = place(y, height - bottom, top);
  const root = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": label,
  });
  for (const tick of x.ticks) {
    root.append(
      svg("path", { class: "grid", d: `M${toX(tick)} ${top}V${height - bottom}` }),
      svg(
        "text",
        { x: toX(tick), y: height - bottom + 18, "text-anchor": "middle" },
        (x.format ?? String)(tick),
      ),
    );
  }
  for (const tick of y.ticks) {
    root.append(
      svg("path", { class: "grid", d: `M${left} ${toY(tick)}H${width - right}` }),
      svg(
        "text",
        { x: left - 8, y: toY(tick) + 4, "text-anchor": "end" },
        (y.format ?? String)(tick),
      ),
    );
  }
  root.append(
    svg("path", {
      class: "axis",
      d: `M${left} ${top}V${height - bottom}H${width - right}`,
    }),
    svg(
      "text",
      { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" },
      x.label,
    ),
    svg(
      "text",
      {
        x: 14,
        y: (top + height - bottom) / 2,
        "text-anchor": "middle",
        transform: `rotate(-90 14 ${(top + height - bottom) / 2})`,
      },
      y.label,
    ),
  );
  host.replaceChildren(root);
  const line = (points, className) => {
    const drawn = svg("polyline", {
      class: className,
      points: points
        .map(([px, py]) => `${toX(px).toFixed(1)},${toY(py).toFixed(1)}`)
        .join(" "),
    });
    root.append(drawn);
    return drawn;
  };
  return { root, x: toX, y: toY, line };
}
