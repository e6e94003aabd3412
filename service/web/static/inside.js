/* Inside the network: the frame that it saw, and its units, with the weights of one over it. */

import { byId, grey, largest, make, paintPixels, signed, speaking } from "./dom.js";
import { roving } from "./roving.js";
import { SIZES, column, fetchLayers, pixelWeights } from "./network.js";
import { fixed, percent } from "./numbers.js";

const HAZE = 0.55; // of the drawing over the weights: it is seen, and they are too

/** Take over the elements, and return `show(version, reply)` and `blank()`. */
export function makeInside() {
  const weights = new Map(); // by version
  const rows = SIZES.slice(1).map((size, depth) => makeUnits(depth, size));
  let pinned = null; // the unit that a click holds: {depth, unit}
  let pointed = null; // the one under the pointer or the focus
  let seen = null; // {version, frame, layers} of the newest answer
  const say = speaking(byId("unit-said")); // a held unit's words change with each answer

  const tell = (words) => {
    byId("unit").textContent = words;
    say(words);
  };

  const draw = () => {
    const chosen = pointed ?? pinned;
    const canvas = byId("frame");
    const frame = seen?.frame ?? new Array(SIZES[0]).fill(0);
    const layers = weights.get(seen?.version);
    canvas.setAttribute(
      "aria-label",
      seen ? "The 28 by 28 pixels that the network saw" : "Nothing yet",
    );
    const shown = chosen && seen && layers;
    rows.forEach((buttons, row) => {
      const feeds = shown && row === chosen.depth - 1;
      const worths = () => worthsOf(layers[row + 1], seen.layers[row], chosen.unit);
      ring(buttons, feeds ? worths() : []);
    });
    if (!shown) {
      paintPixels(canvas, frame, grey);
      tell(seen && chosen ? "The weights are on their way." : "");
      return;
    }
    const { depth, unit } = chosen;
    const values = pixelWeights(layers, seen.layers, depth, unit);
    const colour = signed(largest(values));
    paintPixels(canvas, values, (value, i) =>
      colour(value).map((part) => part + ((255 - part) * HAZE * frame[i]) / 255),
    );
    canvas.setAttribute(
      "aria-label",
      `The network's pixels under the weights of ${nameOf(depth, unit)}`,
    );
    tell(inWords(seen, values, depth, unit));
  };

  const choose = (event) => {
    const button = event.target.closest(".unit");
    pointed = button && unitOf(button);
    draw();
  };
  const hold = (event) => {
    const button = event.target.closest(".unit");
    if (!button) return;
    const held = button.getAttribute("aria-pressed") === "true";
    for (const other of rows.flat()) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(!held));
    pinned = held ? null : unitOf(button);
    draw();
  };
  const leave = () => {
    pointed = null;
    draw();
  };
  rows.forEach((buttons, depth) => {
    const group = byId(`layer-${depth + 1}`);
    group.append(...buttons);
    group.addEventListener("pointerover", choose);
    group.addEventListener("focusin", choose);
    group.addEventListener("pointerleave", leave);
    group.addEventListener("focusout", leave);
    group.addEventListener("click", hold);
    roving(group, buttons);
  });

  return {
    show(version, { predictions: [{ frame }], layers }) {
      seen = { version, frame: frame.flat(), layers };
      rows.forEach((buttons, depth) => {
        const { activations } = layers[depth];
        const most = largest(activations) || 1;
        buttons.forEach((button, i) =>
          button.style.setProperty("--on", (activations[i] / most).toFixed(3)),
        );
      });
      draw();
      if (!weights.has(version)) {
        weights.set(version, null);
        fetchLayers(version)
          .then(
            (found) => weights.set(version, found),
            () => weights.delete(version),
          )
          .then(draw);
      }
    },
    blank() {
      seen = null;
      for (const button of rows.flat()) button.style.setProperty("--on", "0");
      draw();
    },
  };
}

/** Return what each input gives to a unit: its activation times the weight. */
const worthsOf = (layer, { activations }, unit) =>
  column(layer, unit).map((weight, i) => weight * activations[i]);

const LEAST_WORTH = 0.15; // of the largest; rings around all would say nothing

/** Mark the units that matter most, by what they are worth. */
function ring(buttons, worths) {
  const most = largest(worths) || 1;
  buttons.forEach((button, i) => {
    const share = (worths[i] ?? 0) / most;
    const marked = Math.abs(share) >= LEAST_WORTH;
    button.classList.toggle("for", marked && share > 0);
    button.classList.toggle("against", marked && share < 0);
    button.style.setProperty(
      "--worth",
      marked ? Math.max(0.35, Math.abs(share)).toFixed(2) : "0",
    );
  });
}

const unitOf = ({ dataset: { depth, unit } }) => ({
  depth: Number(depth),
  unit: Number(unit),
});

const NAMES = { relu: "ReLU" };
const nameOf = (depth, unit) =>
  depth === 2 ? `the output of ${unit}` : `unit ${unit + 1} of layer ${depth + 1}`;

function makeUnits(depth, size) {
  return Array.from({ length: size }, (_, unit) => {
    const name = depth === 2 ? `Digit ${unit}` : `Unit ${unit + 1}`;
    return make(
      "button",
      {
        type: "button",
        className: "unit",
        dataset: { depth, unit },
        "aria-label": name,
        "aria-pressed": "false",
      },
      make("span", {}, depth === 2 ? String(unit) : ""),
    );
  });
}

function inWords({ frame, layers }, values, depth, unit) {
  const { sums, activations, activation } = layers[depth];
  let [speaksFor, against] = [0, 0];
  values.forEach((weight, i) => {
    const worth = (weight * frame[i]) / 255;
    if (worth > 0) speaksFor += worth;
    else against -= worth;
  });
  const rest = sums[unit] - speaksFor + against;
  const name = nameOf(depth, unit);
  const through = depth ? ", by way of the units that are on for this drawing" : "";
  const outcome =
    activation === "softmax" ? percent(activations[unit]) : fixed(activations[unit]);
  return [
    `${name[0].toUpperCase()}${name.slice(1)}: ink that speaks for it ${fixed(speaksFor)}`,
    `ink against it ${fixed(-against)}`,
    `biases ${fixed(rest)}${through}; together ${fixed(sums[unit])}`,
    `of which ${NAMES[activation] ?? activation} makes ${outcome}.`,
  ].join(", ");
}
