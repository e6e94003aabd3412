/* What every widget of the lesson is: a form whose controls are all of its state. */

import { speaking } from "../dom.js";
import { fixed, short } from "../numbers.js";
import { attempt } from "../trouble.js";

/* How a slider's number is written, by its data-format. */
const FORMATS = {
  short,
  one: (value) => fixed(value, 1),
  two: (value) => fixed(value, 2),
  three: (value) => fixed(value, 3),
  percent: (value) => `${Math.round(100 * value)} %`,
  pixels: (value) => `${fixed(value, 0)} px`,
  power: (value) => short(10 ** value, value < 0 ? 3 : 1),
};

/**
 * Take over a form.
 *
 * @param {HTMLFormElement} form
 * @returns {{parts: Object<string, Element>, bind: function}} what has a `data-part`, by its
 *   name, and `bind(render, load)`. That calls `render(values, loaded)` at once and after
 *   every change: `values` has each control by its name (a number, a string, or a boolean),
 *   `loaded` is what `load(values)` gave, which may be a promise. What `render` returns is
 *   spoken. `bind` returns a promise of the first rendering, and `update` to ask for another.
 */
export function widget(form) {
  const parts = Object.fromEntries(
    [...form.querySelectorAll("[data-part]")].map((each) => [each.dataset.part, each]),
  );
  return { parts, bind: (render, load) => bind(form, parts, render, load) };
}

async function bind(form, parts, render, load) {
  const say = speaking(parts.said);
  let asked = 0;
  const run = async () => {
    const mine = ++asked;
    writeNumbers(form);
    const loaded = load ? await load(valuesOf(form)) : undefined;
    if (mine !== asked) return; // a control was changed meanwhile
    const words = render(valuesOf(form), loaded);
    writeNumbers(form); // of sliders that the rendering has moved
    if (words) say(words);
  };
  const update = () => attempt(run);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", update);
  form.addEventListener("reset", () => setTimeout(update)); // the controls change after it
  await run();
  return update;
}

function valuesOf(form) {
  const values = {};
  for (const control of form.elements) {
    const { name, type, value } = control;
    if (!name || (type === "radio" && !control.checked)) continue;
    if (type === "range") values[name] = control.valueAsNumber;
    else values[name] = type === "checkbox" ? control.checked : value;
  }
  return values;
}

/** Write each slider's number beside it. */
function writeNumbers(form) {
  for (const input of form.querySelectorAll("input[type=range]")) {
    const text = FORMATS[input.dataset.format](input.valueAsNumber);
    input.setAttribute("aria-valuetext", text);
    const output = input.closest(".slider, li").querySelector("output");
    if (output.textContent !== text) output.textContent = text;
  }
}

/** Set controls to values, by their names, and let the form hear of it. */
export function put(form, values) {
  for (const [name, value] of Object.entries(values)) {
    const control = form.elements[name];
    if (typeof value === "boolean") control.checked = value;
    else control.value = value;
  }
  form.dispatchEvent(new Event("input"));
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
