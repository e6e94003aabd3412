/* What the network's picture shows of an answer: units, and their strongest connections. */

import { SIZES } from "./network.js";
import { largest } from "./dom.js";

const MOST = [120, 100, 40]; // lines into each layer; more is a haze
const LEAST = 0.06; // of a layer's strongest
const OTHERS = 0.3; // how strong lines into digits that are not the answer look
const KEYS = 1 << 17; // above the number of weights of a layer

/** Return the scene of no answer. */
export const nothing = () => ({
  units: SIZES.slice(1).map((size) => new Float32Array(size)),
  lines: new Map(),
});

/**
 * Return the scene of an answer.
 *
 * @param {Layer[]|undefined} layers without them, it has no lines and no hidden units
 * @param {ArrayLike<number>} frame 784 grey levels
 * @param {{activations: number[]}[]} outcomes of each layer, from /explain
 * @returns {{units: Float32Array[], lines: Map<number, number>}} how far each unit is on, from
 *   0 to 1 by its layer; and each line's strength, -1 to 1, by its key (see `ends`)
 */
export function sceneOf(layers, frame, outcomes) {
  const scene = nothing();
  outcomes.forEach(({ activations }, depth) => {
    const most = depth === 2 ? 1 : largest(activations) || 1;
    if (layers || depth === 2)
      scene.units[depth] = Float32Array.from(activations, (it) => it / most);
  });
  if (!layers) return scene;
  const inputs = [Array.from(frame, (level) => level / 255)];
  for (const { activations } of outcomes) inputs.push(activations);
  const answer = outcomes[2].activations.indexOf(largest(outcomes[2].activations));
  const add = (depth, on, weight = 1) => {
    for (const [key, share] of strongest(layers[depth], depth, inputs[depth], on, MOST[depth]))
      scene.lines.set(key, weight * share);
  };
  // What makes those units be on that are; and then the answer, before the others.
  for (const depth of [0, 1]) add(depth, (unit) => outcomes[depth].activations[unit] > 0);
  add(2, (unit) => unit !== answer, OTHERS);
  add(2, (unit) => unit === answer);
  return scene;
}

/** Return the strongest lines that touch one unit. */
export function linesOf(layers, frame, outcomes, depth, unit) {
  const inputs = depth ? outcomes[depth - 1].activations : Array.from(frame, (it) => it / 255);
  const lines = new Map(strongest(layers[depth], depth, inputs, (it) => it === unit, 60));
  if (depth === 2) return lines;
  const alone = outcomes[depth].activations.map((it, i) => (i === unit ? it : 0));
  for (const line of strongest(layers[depth + 1], depth + 1, alone, () => true, 20))
    lines.set(...line);
  return lines;
}

/* The keys of a layer's lines and their shares of the strongest: activation × weight. */
function strongest({ units, kernel }, depth, inputs, on, most) {
  const wanted = [...Array(units).keys()].filter(on);
  const found = [];
  let top = 0;
  inputs.forEach((input, i) => {
    if (!input) return;
    for (const unit of wanted) {
      const value = input * kernel[i * units + unit];
      const size = Math.abs(value);
      if (size > top) top = size;
      if (size > LEAST * top) found.push([depth * KEYS + i * units + unit, value]);
    }
  });
  return found
    .filter(([, value]) => Math.abs(value) >= LEAST * top)
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
    .slice(0, most)
    .map(([key, value]) => [key, value / top]);
}

/** Return what a key stands for: the layer, from 0, the input and the unit. */
export function ends(key) {
  const depth = Math.floor(key / KEYS);
  const units = SIZES[depth + 1];
  return { depth, input: Math.floor((key % KEYS) / units), unit: (key % KEYS) % units };
}

/** Return the scene between two, at a share of the way. */
export function between(from, to, share) {
  if (share >= 1) return to;
  const mix = (a, b) => a + share * (b - a);
  const lines = new Map();
  for (const [key, value] of from.lines) lines.set(key, mix(value, to.lines.get(key) ?? 0));
  for (const [key, value] of to.lines)
    if (!from.lines.has(key)) lines.set(key, mix(0, value));
  const units = to.units.map((values, depth) =>
    values.map((value, i) => mix(from.units[depth][i], value)),
  );
  return { units, lines };
}
