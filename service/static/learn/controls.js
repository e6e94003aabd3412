/* Controls that several widgets of the lesson share. */

import { svg } from "../chart.js";
import { make } from "../dom.js";
import { PEN } from "../frames.js";

/** How wide a chart is drawn, in its own units: narrow where the screen is, so that its text stays legible. */
export const chartWidth = () =>
  matchMedia("(max-width: 36rem)").matches
    ? 300
    : matchMedia("(max-width: 62rem)").matches
      ? 380
      : 540;

let made = 0; // for ids: a label and its control must find each other

const minus = (text) => text.replace("-", "\u2212");

/** Write a number with as many decimals as it needs, up to `decimals`: 0.5, −0.125. */
export const short = (value, decimals = 4) =>
  minus(String(Number(value.toFixed(decimals)) || 0));

/** Write a number with that many decimals: 0.50; what rounds to zero has no sign. */
export const fixed = (value, decimals = 2) =>
  minus((Number(value.toFixed(decimals)) || 0).toFixed(decimals));

/** Write a number from 0 to 1, legible however small: 0.0156, 9.2 × 10⁻⁵. */
export function tiny(value) {
  if (value >= 0.001 || value === 0) return fixed(value, 4);
  const [digits, power] = value.toExponential(1).split("e-");
  const raised = [...power].map(
    (digit) => "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[digit],
  );
  return `${digits} × 10\u207b${raised.join("")}`;
}

/** Write a whole number in groups of three: 109,386. */
export const whole = (value) => value.toLocaleString("en");

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
  let timer;
  const say = (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => (root.textContent = text), 700);
  };
  return { root, say };
}

/**
 * Make one tab stop of many buttons: arrows, Home and End move among them.
 *
 * @param {HTMLElement} host
 * @param {HTMLButtonElement[]} buttons in reading order, in rows of equal length
 * @param {number} [first] the one that Tab comes to
 */
export function roving(host, buttons, first = 0) {
  const stop = (at) => buttons.forEach((each, i) => (each.tabIndex = i === at ? 0 : -1));
  stop(first);
  host.addEventListener("focusin", (event) => stop(buttons.indexOf(event.target)));
  host.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    const columns = buttons.filter(
      (each) => each.offsetTop === buttons[0].offsetTop,
    ).length;
    const to = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - columns,
      ArrowDown: at + columns,
      Home: 0,
      End: buttons.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons[to]?.focus();
  });
}

/** Draw a drawing's strokes as an SVG, in the colour of the text around it. */
export function thumbnail(strokes, pen = PEN) {
  const lines = strokes.map((stroke) => {
    const points = stroke.length > 1 ? stroke : [stroke[0], stroke[0]];
    return svg("polyline", { points: points.join(" ") });
  });
  return svg(
    "svg",
    { viewBox: "0 0 1 1", class: "drawing", "stroke-width": pen, "aria-hidden": "true" },
    ...lines,
  );
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
  const buttons = digits.map(({ label: digit, strokes }, i) => {
    const nth = (seen[digit] = (seen[digit] ?? 0) + 1);
    const name = `Digit ${digit}, drawing ${nth}`;
    const each = make("button", {
      type: "button",
      className: "digit",
      title: name,
      "aria-label": name,
    });
    each.append(thumbnail(strokes));
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
