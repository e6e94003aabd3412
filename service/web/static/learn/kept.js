/* The reader's own drawings: kept in this browser, and saved as files that others can read. */

const NAME = "drawings";
const FOLDER = "digits";
const BLOCK = 512; // bytes of a tar file

/** @returns {{label: number, strokes: number[][][]}[]} what was kept; none if it is damaged */
export function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return []; // another page's, or a browser that keeps nothing
  }
}

/** Keep drawings in place of those before. */
export function keep(drawings) {
  if (drawings.length) localStorage.setItem(NAME, JSON.stringify(drawings));
  else localStorage.removeItem(NAME);
}

/**
 * Write images and labels as IDX files, as MNIST is published: big-endian heads, then bytes.
 *
 * @param {{pixels: ArrayLike<number>, label: number}[]} images pixels 0 to 1
 * @returns {{images: Uint8Array, labels: Uint8Array}}
 */
export function toIdx(images) {
  const head = (type, ...sizes) => {
    const view = new DataView(new ArrayBuffer(4 + 4 * sizes.length));
    view.setUint32(0, type);
    sizes.forEach((size, i) => view.setUint32(4 + 4 * i, size));
    return [...new Uint8Array(view.buffer)];
  };
  const levels = images.flatMap(({ pixels }) => Array.from(pixels, toLevel));
  return {
    images: Uint8Array.from([...head(0x803, images.length, 28, 28), ...levels]),
    labels: Uint8Array.from([
      ...head(0x801, images.length),
      ...images.map(({ label }) => label),
    ]),
  };
}

const toLevel = (pixel) => Math.round(255 * pixel);

/** Pack a training and a test set into a tar file, by the names that MNIST's files have. */
export function toTar(training, test) {
  const files = [
    ["train", toIdx(training)],
    ["t10k", toIdx(test)],
  ].flatMap(([name, { images, labels }]) => [
    [`${FOLDER}/${name}-images-idx3-ubyte`, images],
    [`${FOLDER}/${name}-labels-idx1-ubyte`, labels],
  ]);
  const blocks = files.flatMap(([name, content]) => {
    const padding = new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [tarHead(name, content.length), content, padding];
  });
  return new Blob([...blocks, new Uint8Array(2 * BLOCK)], { type: "application/x-tar" });
}

/* The head of a file in a tar archive, POSIX 1003.1 "ustar": text in fields of fixed places. */
function tarHead(name, size) {
  const head = new Uint8Array(BLOCK);
  const put = (at, text) => head.set(new TextEncoder().encode(text), at);
  const octal = (value, digits) => value.toString(8).padStart(digits, "0");
  put(0, name);
  put(100, "0000644\0"); // permissions
  put(108, "0000000\0"); // owner
  put(116, "0000000\0"); // group
  put(124, `${octal(size, 11)}\0`);
  put(136, `${octal(0, 11)}\0`); // time
  put(148, " ".repeat(8)); // the checksum, as spaces while it is added up
  put(156, "0"); // a plain file
  put(257, "ustar\x0000");
  const sum = head.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return head;
}

/** Write images as lines of a label and 784 grey levels. */
export function toCsv(images) {
  const lines = images.map(({ pixels, label }) => [label, ...Array.from(pixels, toLevel)]);
  const names = Array.from({ length: 784 }, (_, i) => `pixel${i}`);
  const rows = [["label", ...names], ...lines].map((line) => line.join(","));
  return new Blob([rows.join("\n"), "\n"], { type: "text/csv" });
}

/** Let the browser save a file. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href)); // once the download has begun
}
