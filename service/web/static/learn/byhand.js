/* Chapter 5: three features that people made, of one drawing. */

import {
  UPPER_HALF,
  directionShares,
  drawHistograms,
  gradientHistograms,
  horizontalEdges,
  upperInk,
} from "./handmade.js";
import { chooseDigit, firstOf, nameOf, paintSigned } from "./pictures.js";
import { widget } from "./widget.js";

export async function mount(form, context) {
  const digits = await context.digits();
  const { parts, bind } = widget(form);
  chooseDigit(parts.digits, digits, firstOf(digits, 7));
  paintSigned(parts.ink, UPPER_HALF, "Weights: the upper half blue, the lower half black");
  await bind(({ digit }) => {
    const { pixels, ...drawing } = digits[digit];
    const ink = `${Math.round(100 * upperInk(pixels))} %`;
    parts["ink-value"].textContent = ink;
    const edges = horizontalEdges(pixels);
    paintSigned(parts.edges, edges, "Blue where ink begins, orange where it ends", 1);
    const histograms = gradientHistograms(pixels);
    drawHistograms(parts.gradients, histograms);
    const words = `${nameOf(drawing)} as 49 cells, each with the directions of its edges`;
    parts.gradients.setAttribute("aria-label", words);
    const shares = Array.from(directionShares(histograms));
    // A direction's number is of the gradient, clockwise; the edge runs across it.
    const slant = (shares.indexOf(Math.max(...shares)) * 180) / shares.length;
    parts.slant.textContent = `${(270 - slant) % 180}° (0° is level, 90° upright)`;
    return `${ink} of the ink in the upper half`;
  });
}
