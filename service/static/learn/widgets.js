/* What the widgets of the lesson are operated with. */

import { make, percent } from "../dom.js";

let made = 0;
const newId = (kind) => `${kind}-${(made += 1)}`;

/**
 * Make a slider with its label and its value.
 *
 * @param {string} label
 * @param {{min: number, max: number, step: number, value: number, format: function=}} options
 * @param {function(number)} onInput
 * @returns {{element: HTMLElement, set: function(number)}} `set` does not call `onInput`
 */
export function slider(label, { min, max, step, value, format = String }, onInput) {
  const id = newId("slider");
  const input = make("input", { type: "range", id, min, max, step });
  // Not an <output>: the slider itself tells its value, and twice is once too often.
  const number = make("span", { className: "number", "aria-hidden": "true" });
  const set = (next) => {
    input.value = next;
    number.textContent = format(next);
    input.setAttribute("aria-valuetext", format(next));
  };
  input.addEventListener("input", () => {
    set(Number(input.value));
    onInput(Number(input.value));
  });
  set(value);
  const element = make("div", { className: "knob" }, make("label", { for: id }, label), number, input);
  return { element, set };
}

/**
 * Make a group of radio buttons.
 *
 * @param {string} legend
 * @param {{value: *, label: string}[]} options
 * @param {*} value the one that is chosen
 * @param {function(*)} onChange
 */
export function radios(legend, options, value, onChange) {
  const name = newId("radio");
  const buttons = options.map((option) => {
    const input = make("input", { type: "radio", name, checked: option.value === value });
    input.addEventListener("change", () => onChange(option.value));
    return make("label", { className: "option" }, input, option.label);
  });
  return make("fieldset", { className: "options" }, make("legend", {}, legend), ...buttons);
}

/** Make a radio group of the server's versions. */
export const versionRadios = (versions, value, onChange) =>
  radios("Version", versions.map((each) => ({ value: each, label: String(each) })), value, onChange);

/**
 * Make a checkbox with its label.
 *
 * @returns {{element: HTMLElement, set: function(boolean)}}
 */
export function checkbox(label, checked, onChange) {
  const input = make("input", { type: "checkbox", checked });
  input.addEventListener("change", () => onChange(input.checked));
  const set = (on) => {
    input.checked = on;
  };
  return { element: make("label", { className: "option" }, input, label), set };
}

/** Make a button. */
export function button(label, onClick) {
  const element = make("button", { type: "button" }, label);
  element.addEventListener("click", onClick);
  return element;
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
 * @returns {{element: HTMLElement, cells: {label: HTMLElement, canvas: HTMLCanvasElement}[],
 *   select: function(number)}}
 */
export function picker(legend, names, chosen, onPick) {
  const name = newId("pick");
  const grid = make("div", { className: "pick-grid" });
  const cells = names.map((words, i) => {
    const input = make("input", { type: "radio", name, checked: i === chosen, "aria-label": words });
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
    element: make("fieldset", { className: "picker" }, make("legend", {}, legend), grid),
    cells,
    select(i) {
      cells[i].input.checked = true;
    },
  };
}

/** Make a picker of the project's digits, which come in rows of ten. */
export function digitPicker(legend, digits, chosen, onPick, others = []) {
  const pick = picker(legend, [...digitNames(digits), ...others], chosen, onPick);
  pick.element.classList.add("tens");
  return pick;
}

/** Name the project's digits: "a 7, drawing 8 of 30". */
const digitNames = (digits) =>
  digits.map(({ label }, i) => `a ${label}, drawing ${i + 1} of ${digits.length}`);

/**
 * Make ten bars, one a digit.
 *
 * @returns {{element: HTMLElement, show: function(ArrayLike<number>)}}
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
  return { element: make("ul", { className: "bars" }, ...rows.map(({ row }) => row)), show };
}

/** Put what may be wider than the screen where it scrolls by itself, by keyboard too. */
export const wide = (label, ...children) =>
  make("div", { className: "wide", role: "region", "aria-label": label, tabIndex: 0 }, ...children);

/** Make a table of rows of strings or elements; the first of a row is its head. */
export function table(caption, heads, rows) {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map(([first, ...rest]) =>
    make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((cell) => make("td", {}, cell))),
  );
  return make(
    "table",
    { className: "figures" },
    make("caption", {}, caption),
    make("thead", {}, head),
    make("tbody", {}, ...body),
  );
}

/**
 * Return a function that says a sentence in a live region once it has been still for a while.
 *
 * @param {HTMLElement} region
 */
export function announcer(region) {
  let waiting;
  return (sentence) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (region.textContent !== sentence) region.textContent = sentence;
    }, 500);
  };
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

/** Write a number with a true minus. */
export const signedText = (value, digits = 2) => value.toFixed(digits).replace(/^-(0\.?0*)$/, "$1").replace("-", "−");
