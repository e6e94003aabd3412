/* One unit of layer 1 on one image: its 784 products, in pictures and in numbers. */

import { grey, largest, make, paintPixels, signed } from "../dom.js";
import { column, SIZES } from "../network.js";
import { fixed, whole } from "../numbers.js";
import { frameCanvas } from "./parts.js";

const SIDE = 28;
const MOST = 5; // products that are listed

/**
 * Make the view; `show` fills it.
 *
 * @returns {{root: HTMLElement, show: function}} `show(layers, reply, unit)`: the layers as
 *   in network.js, the reply of /explain, and which unit, from 0
 */
export function unitView() {
  const pictures = ["The frame", "Its weights", "Their products"].map((title) => {
    const canvas = frameCanvas(title);
    const caption = make("figcaption");
    return { canvas, caption, title, figure: make("figure", {}, canvas, caption) };
  });
  const signs = ["×", "="].map((sign) =>
    make("span", { className: "sign", "aria-hidden": "true" }, sign),
  );
  const sums = make("div", { className: "working" });
  const { table, list } = productTable("Row, column", "Value");
  const show = (layers, reply, unit) => {
    const frame = reply.predictions[0].frame.flat();
    const weights = column(layers[0], unit);
    const products = weights.map((weight, i) => (weight * frame[i]) / 255);
    const [one, two, three] = pictures;
    paint(
      one,
      frame,
      grey,
      `${frame.filter(Boolean).length} of ${whole(SIZES[0])} pixels have ink`,
    );
    paint(two, weights, signed(largest(weights)), range(weights));
    paint(three, products, signed(largest(products)), range(products));
    const { sums: served, activations } = reply.layers[0];
    const sum = showSum(
      sums,
      products,
      layers[0].biases[unit],
      served[unit],
      activations[unit],
    );
    showProducts(list, products, (i) => [
      `${Math.floor(i / SIDE) + 1}, ${(i % SIDE) + 1}`,
      frame[i] / 255,
      weights[i],
    ]);
    return sum;
  };
  const root = make(
    "div",
    { className: "unit-view" },
    make(
      "div",
      { className: "product" },
      pictures[0].figure,
      signs[0],
      pictures[1].figure,
      signs[1],
      pictures[2].figure,
    ),
    make(
      "p",
      { className: "muted" },
      "In the last two, blue is above 0, orange below, black 0: the brighter, the further from it.",
    ),
    make("div", { className: "halves" }, sums, table),
  );
  return { root, show };
}

/**
 * Make the table of a unit's largest products.
 *
 * @param {string} what what an input is
 * @param {string} value what its number is called
 * @returns {{table: HTMLElement, list: HTMLElement}}
 */
export function productTable(what, value) {
  const list = make("tbody");
  const heads = [value, "Weight", "Product"].map((text) =>
    make("th", { scope: "col", className: "number" }, text),
  );
  const table = make(
    "table",
    {},
    make("caption", {}, `The ${MOST} largest of the products`),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, what), ...heads)),
    list,
  );
  return { table, list };
}

/** Fill it; `describe(i)` gives an input's name, value and weight. */
export function showProducts(list, products, describe) {
  const order = Array.from(products.keys()).sort(
    (a, b) => Math.abs(products[b]) - Math.abs(products[a]),
  );
  list.replaceChildren(
    ...order.slice(0, MOST).map((i) => {
      const [name, value, weight] = describe(i);
      const cells = [value, weight, products[i]].map((each) =>
        make("td", { className: "number" }, fixed(each, 3)),
      );
      return make("tr", {}, make("th", { scope: "row" }, name), ...cells);
    }),
  );
}

/**
 * Write out a unit's sum, beside the server's.
 *
 * @returns {number} the sum, added here
 */
export function showSum(host, products, bias, served, activation) {
  const up = total(products, (product) => product > 0);
  const down = total(products, (product) => product < 0);
  const sum = up + down + bias;
  host.replaceChildren(
    line("products above 0", up),
    line("products below 0", down),
    line("bias", bias),
    line("sum", sum, "total"),
    line("ReLU of the sum", activation, "total"),
    make(
      "p",
      { className: "muted" },
      `The server's own sum: ${fixed(served, 3)}. The two are ${Math.abs(sum - served).toFixed(7)} apart: `,
      "it adds in float32, this page in float64.",
    ),
  );
  return sum;
}

const total = (values, wanted) =>
  values.reduce((sum, value) => sum + (wanted(value) ? value : 0), 0);
const range = (values) =>
  `from ${fixed(Math.min(...values), 2)} to ${fixed(Math.max(...values), 2)}`;

/* A line of a sum: what it is, and the number. */
function line(name, value, className = "") {
  const number = make("span", { className: "number" }, fixed(value, 3));
  return make("p", { className: `line ${className}` }, make("span", {}, name), number);
}

function paint({ canvas, caption, title }, values, colour, words) {
  paintPixels(canvas, values, colour);
  canvas.setAttribute("aria-label", `${title}, 28 by 28: ${words}`);
  caption.replaceChildren(make("strong", {}, title), ` ${words}`);
}
