/* The six steps of section 3. Each takes what is known (`drawing`, `reply` of /explain, `layers`,
   the chosen `units` and `pixel`) and the step's text, and returns what is to be shown. */

import { svg } from "../chart.js";
import { grey, largest, make, paintPixels, signed } from "../dom.js";
import { PEN } from "../drawing.js";
import { thumbnail } from "../frames.js";
import { column, pixelWeights, SIZES } from "../network.js";
import { aDigit, fixed, percent, tiny } from "../numbers.js";
import { roving } from "../roving.js";
import { frameCanvas, wide } from "./parts.js";
import { productTable, showProducts, showSum, unitView } from "./unit.js";

const SIDE = 28;

const say = (...content) => make("p", {}, ...content);
const row = (i) => Math.floor(i / SIDE);
const columnOf = (i) => i % SIDE;

/** Show the drawing. */
export function buildDrawing({ drawing }, told) {
  const { strokes } = drawing;
  const picture = framed(thumbnail(drawing), `The drawing: ${nameOf(drawing)}`);
  const points = strokes.reduce((sum, stroke) => sum + stroke.length, 0);
  const { width, height } = bounds(strokes);
  return [
    make(
      "div",
      { className: "halves" },
      picture,
      make(
        "div",
        {},
        told,
        say(
          `${strokes.length} ${strokes.length === 1 ? "stroke" : "strokes"} through ${points} points. `,
          `The ink covers ${fixed(100 * width, 0)} % of the square's width and `,
          `${fixed(100 * height, 0)} % of its height.`,
        ),
      ),
    ),
  ];
}

/** Show how the drawing came into the frame. */
export function buildFrame({ drawing, reply }, told) {
  const { strokes } = drawing;
  const frame = reply.predictions[0].frame;
  const { top, bottom, left, right, centre } = extent(frame);
  const picture = pixels(
    frame.flat(),
    grey,
    `The frame: 28 by 28 pixels, ${nameOf(drawing)} in its middle`,
  );
  const over = svg("svg", { viewBox: "0 0 28 28", class: "over", "aria-hidden": "true" });
  over.append(
    svg("rect", {
      x: left,
      y: top,
      width: right - left,
      height: bottom - top,
      class: "box",
    }),
    svg("path", {
      d: `M${centre.x - 2} ${centre.y}h4M${centre.x} ${centre.y - 2}v4`,
      class: "centre",
    }),
  );
  const { x, y, width, height } = bounds(strokes);
  const before = thumbnail(drawing);
  before.append(svg("rect", { x, y, width, height, class: "box" }));
  return [
    make(
      "div",
      { className: "halves" },
      make(
        "div",
        { className: "pictures" },
        framed(before, "The drawing, with a box around its ink"),
        stack(picture, over),
      ),
      make(
        "div",
        {},
        told,
        make(
          "ul",
          {},
          make(
            "li",
            {},
            `The ink is ${right - left} pixels wide and ${bottom - top} high (the dashed box).`,
          ),
          make(
            "li",
            {},
            `Its centre of mass (the cross) is ${fixed(centre.x, 1)} pixels from the left and `,
            `${fixed(centre.y, 1)} from the top; the middle is at ${SIDE / 2}. `,
            "It is moved by whole pixels, so up to one is left.",
          ),
        ),
      ),
    ),
  ];
}

/** Show the frame's pixels as numbers, one by one. */
export function buildNumbers(state, told) {
  const frame = state.reply.predictions[0].frame.flat();
  const over = svg("svg", { viewBox: "0 0 28 28", class: "over", "aria-hidden": "true" });
  const cursor = svg("rect", { width: 1, height: 1, class: "cursor-cell" });
  over.append(cursor);
  const surface = make(
    "div",
    {
      className: "stack reader",
      tabIndex: 0,
      role: "application",
      "aria-label": "The 784 pixels: arrows move from one to the next",
    },
    pixels(frame, grey, "The frame"),
    over,
  );
  const near = make("tbody");
  const words = make("output", { className: "reading" });
  const read = (i) => {
    state.pixel = i;
    cursor.setAttribute("x", columnOf(i));
    cursor.setAttribute("y", row(i));
    words.textContent =
      `Row ${row(i) + 1}, column ${columnOf(i) + 1}: grey level ${frame[i]} of 255, so input ` +
      `${i + 1} of ${SIZES[0]} is ${fixed(frame[i] / 255, 3)}.`;
    near.replaceChildren(
      ...window5(row(i)).map((r) =>
        make("tr", {}, ...window5(columnOf(i)).map((c) => cell(r, c, i))),
      ),
    );
  };
  const cell = (r, c, chosen) => {
    const at = r * SIDE + c;
    const made = make(
      "td",
      { className: at === chosen ? "number here" : "number" },
      fixed(frame[at] / 255, 2),
    );
    // Ink's grey level, and the text that is legible on it.
    made.style.backgroundColor = `rgb(${frame[at]} ${frame[at]} ${frame[at]})`;
    made.style.color = frame[at] > 117 ? "#000" : "#fff";
    return made;
  };
  const point = (event) => {
    const { left, top, width, height } = surface.getBoundingClientRect();
    const inside = (share) => Math.min(SIDE - 1, Math.max(0, Math.floor(share * SIDE)));
    read(
      inside((event.clientY - top) / height) * SIDE +
        inside((event.clientX - left) / width),
    );
  };
  surface.addEventListener("pointerdown", point); // a tap does not move
  surface.addEventListener("pointermove", point);
  surface.addEventListener("keydown", (event) => {
    const [across, down] = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    }[event.key] ?? [0, 0];
    if (!across && !down) return;
    event.preventDefault();
    const wrap = (value) => (value + SIDE) % SIDE;
    read(wrap(row(state.pixel) + down) * SIDE + wrap(columnOf(state.pixel) + across));
  });
  read(state.pixel);
  return [
    make(
      "div",
      { className: "halves" },
      make("div", {}, surface),
      make(
        "div",
        {},
        told,
        say("Point at a pixel, or move the cursor with the arrow keys."),
        say(words),
        make(
          "table",
          { className: "near" },
          make("caption", {}, "The numbers around it"),
          near,
        ),
      ),
    ),
  ];
}

/* Five rows or columns around one, all inside the frame. */
function window5(at) {
  const from = Math.min(SIDE - 5, Math.max(0, at - 2));
  return Array.from({ length: 5 }, (_, i) => from + i);
}

/** Show what the units of layer 1 make of the pixels. */
export function buildFirst(state, told) {
  const { reply, layers, units } = state;
  const view = unitView();
  const named = make("h3");
  const choose = (unit) => {
    units[0] = unit;
    named.textContent = `Unit ${unit + 1} of ${layers[0].units}`;
    view.show(layers, reply, unit);
  };
  choose(units[0]);
  return [
    told,
    say(on(reply.layers[0].activations)),
    unitGrid("Units of layer 1", reply.layers[0], units[0], choose),
    named,
    view.root,
  ];
}

/** Show what the units of layer 2 make of those. */
export function buildSecond(state, told) {
  const { reply, layers, units } = state;
  const sums = make("div", { className: "working" });
  const { table, list } = productTable("Layer 1", "Output");
  const named = make("h3");
  const range = make("strong");
  const picture = frameCanvas("weights");
  const choose = (unit) => {
    units[1] = unit;
    named.textContent = `Unit ${unit + 1} of ${layers[1].units}`;
    const weights = column(layers[1], unit);
    const { activations: inputs } = reply.layers[0];
    const products = weights.map((weight, i) => weight * inputs[i]);
    showSum(
      sums,
      products,
      layers[1].biases[unit],
      reply.layers[1].sums[unit],
      reply.layers[1].activations[unit],
    );
    showProducts(list, products, (i) => [`unit\u00a0${i + 1}`, inputs[i], weights[i]]);
    const worth = pixelWeights(layers, reply.layers, 1, unit);
    paintPixels(picture, worth, signed(largest(worth)));
    range.textContent = `From ${fixed(Math.min(...worth), 2)} to ${fixed(Math.max(...worth), 2)}.`;
    picture.setAttribute(
      "aria-label",
      `What each pixel is worth to unit ${unit + 1} of layer 2, for this drawing`,
    );
  };
  choose(units[1]);
  return [
    told,
    say(on(reply.layers[1].activations)),
    unitGrid("Units of layer 2", reply.layers[1], units[1], choose),
    named,
    make(
      "div",
      { className: "thirds" },
      make(
        "figure",
        {},
        picture,
        make(
          "figcaption",
          {},
          range,
          " What a pixel is worth to this unit, through those units of layer 1 that are on for this ",
          "drawing: blue pushes its sum up, orange down. Another drawing switches others on, ",
          "and the picture changes.",
        ),
      ),
      sums,
      table,
    ),
  ];
}

/** Show logits, probabilities and the answer. */
export function buildOutput({ drawing, reply }, told) {
  const [{ digit, confidence, probabilities, unsure }] = reply.predictions;
  const { sums } = reply.layers[2];
  const top = Math.max(...sums);
  const powers = sums.map((sum) => Math.exp(sum - top));
  const total = powers.reduce((a, b) => a + b, 0);
  const totals = [fixed(total, 4), "100 %"].map((text) =>
    make("td", { className: "number" }, text),
  );
  const power = make("span", {}, "e", make("sup", {}, "z − max"));
  const heads = ["Digit", "Logit z", power, "Probability"].map((content, i) =>
    make("th", { scope: "col", className: i ? "number" : "" }, content),
  );
  const lines = sums.map((sum, i) => {
    const bar = make("span", { className: "bar" });
    bar.style.transform = `scaleX(${probabilities[i]})`;
    return make(
      "tr",
      { className: i === digit ? "best" : "" },
      make("th", { scope: "row" }, String(i)),
      make("td", { className: "number" }, fixed(sum, 3)),
      make("td", { className: "number" }, tiny(powers[i])),
      make("td", { className: "number" }, percent(probabilities[i])),
      make(
        "td",
        { className: "bar-cell", "aria-hidden": "true" },
        make("span", { className: "track" }, bar),
      ),
    );
  });
  return [
    told,
    wide(
      "Logits and probabilities",
      make(
        "table",
        { className: "outputs" },
        make("thead", {}, make("tr", {}, ...heads, make("td"))),
        make("tbody", {}, ...lines),
        make(
          "tfoot",
          {},
          make("tr", {}, make("th", { scope: "row", colSpan: 2 }, "Total"), ...totals),
        ),
      ),
    ),
    say(
      make("strong", { className: "answer" }, `The answer: ${digit}`),
      `, with a confidence of ${percent(confidence)}. `,
      verdict(digit, drawing),
      unsure ? "The server marks it as unsure." : "",
    ),
  ];
}

const nameOf = ({ label }) => (label === undefined ? "yours" : aDigit(label));

function verdict(digit, { label }) {
  if (label === undefined) return "Whether it is right, only you know. ";
  if (label === digit) return "It was drawn as one. ";
  return `It was drawn as ${aDigit(label)}: the network is wrong. `;
}

const on = (activations) => {
  const count = activations.filter((value) => value > 0).length;
  return `For this drawing ${count} of ${activations.length} are on, above 0.`;
};

/* The units as cells: the brighter, the larger the output; a unit that is off is a dot. */
function unitGrid(label, { sums, activations }, chosen, onChoose) {
  const most = Math.max(...activations);
  const cells = sums.map((sum, i) => {
    const each = make("button", {
      type: "button",
      className: activations[i] > 0 ? "unit" : "unit off",
    });
    const words = `Unit ${i + 1}: sum ${fixed(sum, 2)}, output ${fixed(activations[i], 2)}`;
    each.title = words;
    each.setAttribute("aria-label", words);
    each.setAttribute("aria-pressed", i === chosen);
    each.style.setProperty("--level", most ? activations[i] / most : 0);
    return each;
  });
  const root = make(
    "div",
    { className: "units", role: "group", "aria-label": label },
    ...cells,
  );
  roving(root, cells, chosen);
  const choose = (event) => {
    const at = cells.indexOf(event.target);
    if (at < 0) return;
    cells.forEach((each, i) => each.setAttribute("aria-pressed", i === at));
    onChoose(at);
  };
  root.addEventListener("focusin", choose);
  root.addEventListener("click", choose); // Safari gives a clicked button no focus
  const key = make(
    "p",
    { className: "muted" },
    `Brighter is larger, up to ${fixed(most, 2)}; a dot is 0. Choose a unit to see its sum.`,
  );
  return make("div", {}, root, key);
}

/* Where the ink of strokes lies, in the unit square. */
function bounds(strokes) {
  const points = strokes.flat();
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const x = Math.min(...xs) - PEN / 2,
    y = Math.min(...ys) - PEN / 2;
  return {
    x,
    y,
    width: Math.max(...xs) + PEN / 2 - x,
    height: Math.max(...ys) + PEN / 2 - y,
  };
}

/* Where a frame's ink lies, in pixels from the top and from the left, and its mean place. */
function extent(frame) {
  const rows = frame.map((line) => line.reduce((a, b) => a + b, 0));
  const columns = frame[0].map((_, x) => frame.reduce((sum, line) => sum + line[x], 0));
  const total = rows.reduce((a, b) => a + b, 0);
  const mean = (sums) => sums.reduce((sum, value, i) => sum + value * (i + 0.5), 0) / total;
  const has = (value) => value > 0;
  return {
    top: rows.findIndex(has),
    bottom: rows.findLastIndex(has) + 1,
    left: columns.findIndex(has),
    right: columns.findLastIndex(has) + 1,
    centre: { x: mean(columns), y: mean(rows) },
  };
}

function pixels(values, colour, label) {
  const canvas = frameCanvas(label);
  paintPixels(canvas, values, colour);
  return canvas;
}

const stack = (...children) => make("div", { className: "stack" }, ...children);

function framed(drawing, label) {
  drawing.removeAttribute("aria-hidden");
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", label);
  return make("div", { className: "paper" }, drawing);
}
