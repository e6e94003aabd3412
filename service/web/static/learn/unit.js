/* Chapter 1: a unit of layer 1 on one drawing, product by product. */

import { column } from "../network.js";
import { fixed } from "../numbers.js";
import { chooseDigit, firstOf, nameOf, paintFrame, paintSigned } from "./pictures.js";
import { put, widget } from "./widget.js";

export async function mount(form, context) {
  const [digits, layers] = await Promise.all([
    context.digits(),
    context.layers(context.version),
  ]);
  const { parts, bind } = widget(form);
  const [first] = layers;
  chooseDigit(parts.digits, digits, firstOf(digits, 3));
  const sumOf = (pixels, unit) => {
    const products = column(first, unit).map((weight, i) => weight * pixels[i]);
    const up = total(products, 1);
    const down = total(products, -1);
    return { products, up, down, sum: up + down + first.biases[unit] };
  };
  const strongest = (pixels) => {
    const sums = Array.from({ length: first.units }, (_, unit) => sumOf(pixels, unit).sum);
    return sums.indexOf(Math.max(...sums)) + 1;
  };
  const chosen = () => digits[form.elements.digit.value];
  const choose = () => put(form, { unit: strongest(chosen().pixels) });
  parts.strongest.addEventListener("click", choose);
  form.elements.unit.value = strongest(chosen().pixels);
  await bind(({ digit, unit }) => {
    const { frame, pixels, ...drawing } = digits[digit];
    const weights = column(first, unit - 1);
    const { products, up, down, sum } = sumOf(pixels, unit - 1);
    paintFrame(parts.frame, frame, `The 28 by 28 pixels of ${nameOf(drawing)}`);
    paintSigned(parts.weights, weights, `The 784 weights of unit ${unit}`);
    paintSigned(parts.products, products, "Each pixel times its weight");
    const shown = { up, down, bias: first.biases[unit - 1], sum, output: Math.max(0, sum) };
    for (const [name, value] of Object.entries(shown))
      parts[name].textContent = fixed(value, 3);
    return `Unit ${unit}: sum ${fixed(sum, 3)}, output ${fixed(Math.max(0, sum), 3)}.`;
  });
}

const total = (values, sign) =>
  values.reduce((sum, value) => (sign * value > 0 ? sum + value : sum), 0);
