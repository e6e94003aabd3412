/* What sections 5 to 8 share beyond controls.js. */

import { aDigit, make, percent } from "../dom.js";
import { choice } from "./controls.js";

let made = 0; // for names: the radio buttons of a group have one of their own

/** Make a choice of one of the server's versions, which are numbers. */
export const versionChoice = (versions, value, onChange) =>
  choice({
    label: "Version",
    options: versions.map((each) => [String(each), String(each)]),
    value: String(value),
    onChange: (chosen) => onChange(Number(chosen)),
  }).root;

/**
 * Make a checkbox with its label.
 *
 * @returns {{root: HTMLElement, set: function(boolean)}}
 */
export function checkbox(label, checked, onChange) {
  const input = make("input", { type: "checkbox", checked });
  input.addEventListener("change", () => onChange(input.checked));
  const set = (on) => {
    input.checked = on;
  };
  return { root: make("label", { className: "option" }, input, label), set };
}

/** Make a canvas of 28 × 28 pixels; without words for it, it is left out for who cannot see it. */
export const frameCanvas = (label) =>
  make("canvas", {
    className: "pixels",
    width: 28,
    height: 28,
    ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }),
  });

/**
 * Make a grid of small pictures, of which one is chosen: radio buttons, with rows.
 *
 * @param {string} legend
 * @param {string[]} names what each picture is, in words
 * @param {number} chosen
 * @param {function(number)} onPick
 * @returns {{root: HTMLElement, cells: {label: HTMLElement, canvas: HTMLCanvasElement}[]}}
 */
export function picker(legend, names, chosen, onPick) {
  const name = `pick-${++made}`;
  const grid = make("div", { className: "pick-grid" });
  const cells = names.map((words, i) => {
    const input = make("input", {
      type: "radio",
      name,
      checked: i === chosen,
      "aria-label": words,
    });
    const canvas = frameCanvas();
    input.addEventListener("change", () => onPick(i));
    const label = make("label", { className: "pick", title: words }, input, canvas);
    return { label, canvas, input };
  });
  grid.append(...cells.map(({ label }) => label));
  // Up and down would go to the neighbours of a radio button, as left and right do.
  grid.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const at = cells.findIndex(({ input }) => input === document.activeElement);
    cells[at + step * columns]?.input.focus();
    cells[at + step * columns]?.input.click();
  });
  return {
    root: make("fieldset", { className: "picker" }, make("legend", {}, legend), grid),
    cells,
  };
}

/** Make a picker of the frames of the project's digits, which come in rows of ten. */
export function framePicker(legend, digits, chosen, onPick, others = []) {
  const pick = picker(legend, [...digitNames(digits), ...others], chosen, onPick);
  pick.root.classList.add("tens");
  return pick;
}

/** Name the project's digits: "a 7, drawing 8 of 30". */
const digitNames = (digits) =>
  digits.map(({ label }, i) => `${aDigit(label)}, drawing ${i + 1} of ${digits.length}`);

/**
 * Make ten bars, one a digit.
 *
 * @returns {{root: HTMLElement, show: function(ArrayLike<number>)}}
 */
export function bars() {
  const rows = Array.from({ length: 10 }, (_, digit) => {
    const bar = make("span", { className: "bar" });
    const number = make("span", { className: "percent" });
    const row = make(
      "li",
      { dataset: { digit } },
      make("span", { className: "name" }, String(digit)),
      make("span", { className: "track" }, bar),
      number,
    );
    return { row, bar, number };
  });
  const show = (probabilities) => {
    const most = Math.max(...probabilities);
    rows.forEach(({ row, bar, number }, digit) => {
      row.classList.toggle("best", probabilities[digit] === most);
      bar.style.transform = `scaleX(${probabilities[digit]})`;
      number.textContent = percent(probabilities[digit]);
    });
  };
  return { root: make("ul", { className: "bars" }, ...rows.map(({ row }) => row)), show };
}

/** Put elements in the place that the section's text keeps for them. */
export function fill(section, name, ...elements) {
  section.querySelector(`[data-place="${name}"]`).append(...elements);
}

/** Put what may be wider than the screen where it scrolls by itself, by keyboard too. */
export const wide = (label, ...children) =>
  make(
    "div",
    { className: "wide", role: "region", "aria-label": label, tabIndex: 0 },
    ...children,
  );

/** Make a table of rows of strings or elements; the first of a row is its head. */
export function table(caption, heads, rows) {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map(([first, ...rest]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, first),
      ...rest.map((cell) => make("td", {}, cell)),
    ),
  );
  return make(
    "table",
    { className: "figures" },
    make("caption", {}, caption),
    make("thead", {}, head),
    make("tbody", {}, ...body),
  );
}

/** Call a function in the next frame of animation, however often it is asked for before. */
export function inFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/** Return the place of the largest value; -1 where several are. */
export function argmax(values) {
  const most = Math.max(...values);
  const at = values.indexOf(most);
  return values.lastIndexOf(most) === at ? at : -1;
}
