/* The little that every module needs of the document. */

const NAMESPACE = "http://www.w3.org/2000/svg";

/** Return the element of an id. */
export const byId = (id) => document.getElementById(id);

/** Make an element with properties (`dataset` and attributes with "-" too) and children. */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "dataset") Object.assign(element.dataset, value);
    else if (key.includes("-") || key === "role" || key === "for")
      element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children);
  return element;
}

/** Make an SVG element with attributes and children; a string becomes text. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/**
 * Paint grey levels or signed weights, one pixel each, on a canvas of that many pixels.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values row by row
 * @param {function(number): number[]} colour from a value to red, green, blue (0 to 255)
 */
export function paintPixels(canvas, values, colour) {
  const picture = new ImageData(canvas.width, canvas.height);
  for (let i = 0; i < values.length; i++) {
    const [red, green, blue] = colour(values[i], i);
    picture.data.set([red, green, blue, 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

export const grey = (level) => [level, level, level];

/**
 * Return the colours of signed values on black: blue above 0, orange below, bright where far;
 * by the power of 0.7, for an eye sees no difference among the darkest.
 *
 * @param {number} largest the absolute value that is brightest
 */
export const signed = (largest) => (value) => {
  const share = Math.min(1, Math.abs(value) / (largest || 1)) ** 0.7;
  return (value >= 0 ? [110, 168, 255] : [255, 150, 70]).map((part) =>
    Math.round(part * share),
  );
};

/** Return the largest absolute value. */
export const largest = (values) =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

const REST = 700; // ms; a screen reader reads what stays, not sixty changes a second

/** Return a function that writes words into a live region once they come to rest. */
export function speaking(region) {
  let timer;
  return (words) => {
    clearTimeout(timer);
    timer = setTimeout(() => (region.textContent = words), REST);
  };
}

/** Let a button work or not; unlike with `disabled`, one that has the focus keeps it. */
export function enable(button, works) {
  button.setAttribute("aria-disabled", String(!works));
}
