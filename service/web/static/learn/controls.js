/* What the lesson's widgets are operated with. */

import { make, speaking } from "../dom.js";
import { thumbnail } from "../frames.js";
import { aDigit, short } from "../numbers.js";
import { roving } from "../roving.js";
import { frameCanvas } from "./parts.js";

let made = 0; // for ids: a label and its control must find each other

/**
 * Make a slider with its label before it and its number after it.
 *
 * @param {object} options `label, min, max, step, value`; `format` writes the number;
 *   `onInput(value)` is called while it moves
 * @returns {{root: HTMLElement, input: HTMLInputElement, value: number, set: function}}
 *   `set(value)` moves it without calling `onInput`
 */
export function slider({ label, min, max, step, value, format = short, onInput }) {
  const id = `slider-${++made}`;
  const input = make("input", { type: "range", id, min, max, step, value });
  const number = make("span", { className: "number", "aria-hidden": "true" });
  const write = () => {
    number.textContent = format(input.valueAsNumber);
    input.setAttribute("aria-valuetext", number.textContent);
  };
  input.addEventListener("input", () => {
    write();
    onInput(input.valueAsNumber);
  });
  write();
  return {
    root: make(
      "div",
      { className: "slider" },
      make("label", { for: id }, label),
      input,
      number,
    ),
    input,
    get value() {
      return input.valueAsNumber;
    },
    set(to) {
      input.value = to;
      write();
    },
  };
}

/**
 * Make a choice of one among a few.
 *
 * @param {object} options `label`; `options`, pairs of value and text; `value`, the one
 *   chosen; `onChange(value)`
 * @returns {{root: HTMLElement, value: string, set: function}}
 */
export function choice({ label, options, value, onChange }) {
  const name = `choice-${++made}`;
  const inputs = options.map(([each]) =>
    make("input", { type: "radio", name, value: each, checked: each === value }),
  );
  const root = make(
    "fieldset",
    { className: "choice" },
    make("legend", {}, label),
    ...inputs.map((input, i) => make("label", {}, input, options[i][1])),
  );
  root.addEventListener("change", (event) => onChange(event.target.value));
  return {
    root,
    get value() {
      return inputs.find((input) => input.checked).value;
    },
    set(to) {
      for (const input of inputs) input.checked = input.value === to;
    },
  };
}

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

/** Make a button. */
export function button(text, onClick) {
  const made = make("button", { type: "button" }, text);
  made.addEventListener("click", onClick);
  return made;
}

/**
 * Make a live region for those who hear the page: it speaks when changes come to rest.
 *
 * @returns {{root: HTMLElement, say: function(string)}}
 */
export function speaker() {
  const root = make("p", { className: "hidden", role: "status" });
  return { root, say: speaking(root) };
}

/**
 * Make a choice of one of the gallery's drawings.
 *
 * @param {object} options `label`; `digits`, as in /gallery.json; `chosen`, an index;
 *   `onPick(index)`
 * @returns {HTMLElement}
 */
export function digitPicker({ label, digits, chosen, onPick }) {
  const seen = {};
  const buttons = digits.map((drawing, i) => {
    const { label: digit } = drawing;
    const nth = (seen[digit] = (seen[digit] ?? 0) + 1);
    const name = digit === undefined ? "Your drawing" : `Digit ${digit}, drawing ${nth}`;
    const each = make("button", {
      type: "button",
      className: "digit",
      title: name,
      "aria-label": name,
    });
    each.append(thumbnail(drawing));
    each.addEventListener("click", () => pick(i));
    return each;
  });
  const press = (at) =>
    buttons.forEach((each, i) => each.setAttribute("aria-pressed", i === at));
  const pick = (at) => {
    press(at);
    onPick(at);
  };
  press(chosen);
  const root = make(
    "div",
    { className: "digits", role: "group", "aria-label": label },
    ...buttons,
  );
  roving(root, buttons, chosen);
  return root;
}

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
  const name = `picker-${++made}`;
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
