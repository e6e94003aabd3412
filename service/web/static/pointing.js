/* Points at a unit of the network: by mouse, finger or arrow keys. */

const NEAR = 16; // px; the nearest unit that is not further
const far = ([x, y], [toX, toY]) => Math.hypot(toX - x, toY - y);

/**
 * Let units be pointed at.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {function(): number[][][]|undefined} places gives [x, y] of each unit of each layer
 * @param {function} changed called when another unit is chosen, or none
 * @returns {{unit: function(): {depth: number, unit: number}|null}}
 */
export function pointing(canvas, places, changed) {
  let held = null; // the unit that a click holds
  let pointed = null; // the one under the pointer, or at which the keyboard is

  const nearest = (at, layers) => {
    let best = null;
    layers.forEach((units, depth) =>
      units.forEach((place, unit) => {
        const distance = far(at, place);
        if (!best || distance < best.distance) best = { depth, unit, distance };
      }),
    );
    return best;
  };
  const under = ({ offsetX, offsetY }) => {
    const best = nearest([offsetX, offsetY], places() ?? []);
    return best?.distance <= NEAR ? { depth: best.depth, unit: best.unit } : null;
  };
  const point = (unit) => {
    if (same(unit, pointed)) return;
    pointed = unit;
    changed();
  };
  const hold = (unit) => {
    held = same(unit, held) ? null : unit;
    if (!held) pointed = null;
    changed();
  };

  canvas.addEventListener("pointermove", (event) => point(under(event)));
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("click", (event) => hold(under(event)));
  canvas.addEventListener("focus", () => {
    if (canvas.matches(":focus-visible")) point(held ?? { depth: 0, unit: topOf(places()[0]) });
  });
  canvas.addEventListener("blur", () => point(null));
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !places()) return;
    const at = pointed ?? held ?? { depth: 0, unit: topOf(places()[0]) };
    const next = step(event.key, at, places());
    if (next) point(next);
    else if (event.key === "Enter" || event.key === " ") hold(at);
    else if (event.key === "Escape") hold(held);
    else return;
    event.preventDefault();
  });
  return { unit: () => pointed ?? held };
}

const same = (a, b) => a?.depth === b?.depth && a?.unit === b?.unit;
const inOrder = (units) => [...units.keys()].sort((a, b) => units[a][1] - units[b][1]);
const topOf = (units) => inOrder(units)[0];

/* Up and down through a layer, left and right to the nearest of the next; or null. */
function step(key, { depth, unit }, places) {
  const order = inOrder(places[depth]);
  const rank = order.indexOf(unit);
  const to = {
    ArrowUp: Math.max(0, rank - 1),
    ArrowDown: Math.min(order.length - 1, rank + 1),
    Home: 0,
    End: order.length - 1,
  }[key];
  if (to !== undefined) return { depth, unit: order[to] };
  const next = { ArrowLeft: depth - 1, ArrowRight: depth + 1 }[key];
  if (next === undefined) return null;
  if (!places[next]) return { depth, unit };
  const y = places[depth][unit][1];
  const near = places[next].map((place) => Math.abs(place[1] - y));
  return { depth: next, unit: near.indexOf(Math.min(...near)) };
}
