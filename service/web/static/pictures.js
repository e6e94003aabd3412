/* Pictures from elsewhere: opened, dropped on the pad, or pasted. */

import { byId } from "./dom.js";

const READ_BY_SERVER = ["png", "jpeg", "webp", "gif"].map((name) => `image/${name}`);
const LONGEST = 1120; // pixels; the server itself goes on with 560 at most

/**
 * Let files come in.
 *
 * @param {object} limits `{bytes, pixels}` that the server takes
 * @param {function(object, string)} opened called with `{bitmap, dataUrl, name}`: what is seen;
 *   what is sent, the file itself wherever the server reads it, and then its name; and with a
 *   word about it
 * @param {function(string)} refuse called with what is wrong with a file
 */
export function makePictures(limits, opened, refuse) {
  const open = async (files) => {
    const [file] = files ?? [];
    if (!file) return;
    try {
      const bitmap = await createImageBitmap(file);
      const words = files.length > 1 ? `This is the first of ${files.length} files.` : "";
      opened({ bitmap, ...(await toSend(file, bitmap, limits)) }, words);
    } catch {
      const found = `${file.name || "What was pasted"} (${file.type || "of no known type"})`;
      refuse(
        `${found} is not a picture that this browser can read, expected PNG, JPEG, WebP or GIF. Your drawing is unchanged.`,
      );
    }
  };
  const pad = byId("pad");
  byId("file").addEventListener("change", ({ target }) => {
    open([...target.files]);
    target.value = ""; // so that the same file can be opened again
  });
  document.addEventListener("paste", (event) => open(event.clipboardData?.files));
  pad.addEventListener("dragover", (event) => {
    event.preventDefault();
    pad.classList.add("over");
  });
  pad.addEventListener("dragleave", () => pad.classList.remove("over"));
  pad.addEventListener("drop", (event) => {
    event.preventDefault();
    pad.classList.remove("over");
    if (event.dataTransfer.files.length) open(event.dataTransfer.files);
    else refuse("There was no file in what you dropped. Drop a picture that is saved on this device.");
  });
  // Beside the pad, the browser would leave the page, and the drawing, for the file.
  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => {
      if (event.target === pad || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "none";
    });
  }
}

async function toSend(file, bitmap, limits) {
  const fits =
    (file.size * 4) / 3 + 1000 < limits.bytes &&
    bitmap.width * bitmap.height <= limits.pixels;
  if (fits && READ_BY_SERVER.includes(file.type)) {
    return { dataUrl: await readDataUrl(file), name: file.name };
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return { dataUrl: canvas.toDataURL("image/png") };
}

function readDataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
