/* "Share": a picture of the network with one's own digit, and the link to it. */

import { openDialog } from "./dialog.js";
import { byId, make } from "./dom.js";
import { verdict } from "./words.js";

const [WIDTH, HEIGHT] = [1200, 630]; // what chats and networks show whole
const SCALE = 1.6; // so that dots and lines are seen on a phone
const NAME = "my-digit.png";

/**
 * Open the dialog.
 *
 * @param {object} what
 * @param {object|null} what.seen the answer that is shown, if any
 * @param {function(CanvasRenderingContext2D, number, number)} what.paint paints the network
 */
export async function share({ seen, paint }) {
  const said = make("p", { role: "status" });
  const link = make("input", { type: "text", readOnly: true, "aria-label": "Link" });
  link.value = location.href;
  const canvas = seen?.layers ? pictureOf(seen, paint) : null;
  const blob = canvas && (await new Promise((resolve) => canvas.toBlob(resolve)));
  const button = (words, act) => {
    const made = make("button", { type: "button" }, words);
    made.addEventListener("click", act);
    return made;
  };
  const copy = async (what, words) => {
    try {
      await what();
      said.textContent = `The ${words} is copied.`;
    } catch {
      said.textContent = `This browser does not let the page copy the ${words}.`;
      link.select();
    }
  };
  const buttons = [
    button("Copy link", () => copy(() => navigator.clipboard.writeText(link.value), "link")),
  ];
  if (blob) {
    const file = new File([blob], NAME, { type: "image/png" });
    const items = () => [new ClipboardItem({ "image/png": blob })];
    buttons.push(
      button("Save picture", () => save(blob)),
      button("Copy picture", () => copy(() => navigator.clipboard.write(items()), "picture")),
    );
    const data = { files: [file], url: location.href };
    if (navigator.canShare?.(data))
      buttons.push(button("Send …", () => navigator.share(data).catch(() => {})));
  }
  const shown = canvas
    ? [canvas]
    : [make("p", {}, "Draw a digit to get a picture of the network with it.")];
  const dialog = openDialog(
    "Share",
    ...shown,
    make("div", { className: "row" }, ...buttons),
    make("p", {}, link),
    said,
  );
  dialog.classList.add("share");
}

function save(blob) {
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: NAME }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/* The network at the left, the answer at the right. */
function pictureOf({ prediction }, paint) {
  const words = verdict(prediction);
  const label = `A picture to share: ${words}`;
  const size = { width: WIDTH, height: HEIGHT };
  const canvas = make("canvas", { ...size, role: "img", "aria-label": label });
  const context = canvas.getContext("2d");
  const style = getComputedStyle(byId("network"));
  const colour = (name) => style.getPropertyValue(`--${name}`);
  context.fillStyle = colour("raised");
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.save();
  context.scale(SCALE, SCALE);
  context.translate(24, 16);
  paint(context, 510, HEIGHT / SCALE - 32);
  context.restore();
  context.textAlign = "center";
  const write = (text, y, font, ink) => {
    context.font = `${font} ${style.fontFamily}`;
    context.fillStyle = colour(ink);
    context.fillText(text, 1035, y, 290);
  };
  write(`${prediction.digit}${prediction.unsure ? "?" : ""}`, 350, "bold 260px", "text");
  // One line for each part of the sentence.
  const lines = words.split(/(?<=[,.]) | (?=\(|or )/);
  lines.forEach((line, i) => write(line, 430 + 40 * i, "28px", i ? "muted" : "text"));
  write(location.host, 600, "20px", "muted");
  return canvas;
}
