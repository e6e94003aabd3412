/* A drawing: what has been done, in order, so that it can be undone, sent, and put in a link. */

export const CELLS = 28;
export const SIDE = 280; // pixels of the picture that is sent: 10 × 10 for one of the network's
export const STEPS = 4095; // a place is 12 bits each way, so that a link holds it exactly

const DAMAGED = "it is cut short or damaged";
const KINDS = ["brush", "eraser", "ink", "paper", "frame"]; // by their numbers in a link

/**
 * What one act is: `{kind, width, points}`.
 *
 * brush and eraser: a stroke through `points` ([x, y], whole numbers from 0 to 4095) of a
 * width in hundredths of the side. ink and paper: the cell that holds the one point. frame:
 * `levels`, 784 grey levels. picture: `bitmap`, what was opened, and `dataUrl` of its file.
 * clear: nothing of what was before. An act that is `joined` is undone with the one before.
 */
export class Drawing {
  acts = [];
  generation = 0; // changes when more than the last act does: what was painted is void
  #undone = []; // of each undoing the acts, the newest last

  /** The acts that are seen: those after the last clearing. */
  get seen() {
    return this.acts.slice(this.acts.findLastIndex(({ kind }) => kind === "clear") + 1);
  }

  get isEmpty() {
    return !this.seen.some(({ kind }) => kind !== "eraser" && kind !== "paper");
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  add(act) {
    this.#undone = [];
    this.acts.push(act);
  }

  undo() {
    if (!this.acts.length) return;
    const first = this.acts.findLastIndex(({ joined }) => !joined);
    this.#undone.push(this.acts.splice(Math.max(0, first)));
    this.generation++;
  }

  redo() {
    this.acts.push(...(this.#undone.pop() ?? []));
    this.generation++;
  }

  clear() {
    if (!this.seen.length) return;
    this.add({ kind: "clear" });
    this.generation++;
  }

  /** Put other acts in place of what is seen; one undoing brings it back. */
  replace(acts) {
    const joins = this.seen.length > 0;
    this.clear();
    acts.forEach((act, i) => this.add({ ...act, joined: joins || i > 0 }));
    this.generation++;
  }

  /** Begin with these acts, as if each had just been done. */
  load(acts) {
    this.#undone = [];
    this.acts = acts;
    this.generation++;
  }
}

/** Bring a place in the unit square to the nearest that a link can hold. */
export function place(x, y) {
  return [x, y].map((value) => Math.round(Math.min(1, Math.max(0, value)) * STEPS));
}

/** Return the cell, [column, row], of a place. */
export function cellOf(point) {
  return point.map((value) => Math.min(CELLS - 1, Math.floor((value / STEPS) * CELLS)));
}

/** Return the place in a cell's middle. */
export function middleOf(column, row) {
  return place((column + 0.5) / CELLS, (row + 0.5) / CELLS);
}

/** The width of a stroke as a share of the side, where a drawing names none. */
export const PEN = 0.1;

/** Turn polylines in the unit square, such as the gallery's, into acts. */
export function fromStrokes(strokes, pen = PEN) {
  return strokes.map((points) => ({
    kind: "brush",
    width: Math.round(pen * 100),
    points: points.map(([x, y]) => place(x, y)),
  }));
}

/** Turn acts back into such a drawing; null for what is more than strokes of one pen. */
export function toStrokes(acts) {
  const width = acts[0]?.width;
  if (!acts.length || acts.some((act) => act.kind !== "brush" || act.width !== width))
    return null;
  const strokes = acts.map(({ points }) =>
    points.map((point) => point.map((value) => value / STEPS)),
  );
  return { strokes, pen: width / 100 };
}

/**
 * Write what is seen in as few letters as a link can take.
 *
 * An act is the number of its kind, its width, the count of its points (2 bytes) and the
 * points (3 bytes each). Of a frame the count is of bytes, and each run of zeros is a zero
 * and its length. A picture, with all that was drawn on it, goes as the frame that the server
 * has made of it, if it has.
 *
 * @param {Drawing} drawing
 * @returns {string} base64url
 */
export function encode(drawing) {
  // The frame that a picture became holds what was drawn on it too, and in other places.
  const picture = drawing.seen.find(({ kind }) => kind === "picture");
  const bytes = (picture ? [picture] : drawing.seen).flatMap((act) => {
    if (act.kind === "picture") return act.levels ? frameBytes(act.levels) : [];
    if (act.kind === "frame") return frameBytes(act.levels);
    const { kind, width = 0, points } = act;
    const packed = points.flatMap(([x, y]) => [
      x >> 4,
      ((x & 15) << 4) | (y >> 8),
      y & 255,
    ]);
    return [KINDS.indexOf(kind), width, points.length >> 8, points.length & 255, ...packed];
  });
  const text = bytes.map((byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * Read what `encode` wrote.
 *
 * @returns {object[]} acts
 * @throws {Error} it is something else.
 */
export function decode(text) {
  const bytes = bytesOf(text);
  const acts = [];
  for (let at = 0; at < bytes.length;) {
    const [number, width, high, low] = bytes.subarray(at, (at += 4));
    const kind = KINDS[number];
    const count = (high << 8) | low;
    const content = bytes.subarray(at, (at += kind === "frame" ? count : 3 * count));
    const strokes = kind === "brush" || kind === "eraser";
    if (!kind || !count || at > bytes.length || (strokes && !width))
      throw new Error(DAMAGED);
    acts.push(
      kind === "frame"
        ? { kind, levels: levelsOf(content) }
        : { kind, width, points: pointsOf(content) },
    );
  }
  return acts;
}

function bytesOf(text) {
  let letters;
  try {
    letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw new Error(DAMAGED); // the browser's own words are of functions
  }
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

function frameBytes(levels) {
  const packed = [];
  for (let i = 0; i < levels.length; i++) {
    if (levels[i]) {
      packed.push(levels[i]);
      continue;
    }
    let run = 1;
    while (run < 255 && levels[i + run] === 0) run++;
    packed.push(0, run);
    i += run - 1;
  }
  return [KINDS.indexOf("frame"), 0, packed.length >> 8, packed.length & 255, ...packed];
}

function levelsOf(bytes) {
  const levels = [];
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i]) levels.push(bytes[i]);
    else levels.push(...new Array(bytes[++i] ?? 0).fill(0));
  }
  if (levels.length !== CELLS * CELLS) throw new Error("its frame is damaged");
  return levels;
}

function pointsOf(bytes) {
  return Array.from({ length: bytes.length / 3 }, (_, i) => {
    const [a, b, c] = bytes.subarray(3 * i, 3 * i + 3);
    return [(a << 4) | (b >> 4), ((b & 15) << 8) | c];
  });
}
