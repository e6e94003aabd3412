/* Chapter 6: whether confidence can be trusted, measured on the test images. */

import { chart } from "../chart.js";
import { make } from "../dom.js";
import { percent } from "../numbers.js";
import { wilson } from "./statistics.js";
import { widget } from "./widget.js";

const STYLES = [
  { className: "series-a", shape: "circle", words: "circles" },
  { className: "series-b", shape: "square", words: "squares" },
  { className: "series-c", shape: "triangle", words: "triangles" },
];
const PARTS = [0, 0.2, 0.4, 0.6, 0.8, 1];

export async function mount(form, context) {
  const lesson = await context.lesson();
  const { parts } = widget(form);
  const versions = lesson.versions
    .filter(({ version }) => context.versions.includes(version))
    .map((each) => ({ ...each, bins: each.calibration.filter(({ images }) => images) }));
  draw(parts.chart, versions);
  parts.words.replaceChildren(
    ...versions.map(({ version, bins, calibration_error: error }, i) =>
      make(
        "p",
        { dataset: { version } },
        make("b", {}, `Version ${version}`),
        ` (${STYLES[i % STYLES.length].words}): expected calibration error `,
        make("b", {}, percent(error)),
        `. ${tendency(bins)}`,
      ),
    ),
    make(
      "p",
      { className: "muted" },
      "Vertical lines are 95 % intervals: bins with few images are noisy. Empty bins are omitted.",
    ),
    ...thresholds(versions),
  );
}

function draw(host, versions) {
  const axis = { min: 0, max: 1, ticks: PARTS, format: (share) => `${100 * share} %` };
  const errors = versions.map(
    ({ version, calibration_error: error }) => `version ${version} ${percent(error)}`,
  );
  const drawn = chart(host, {
    label: `Accuracy by confidence. Expected calibration error: ${errors.join(", ")}.`,
    x: { ...axis, label: "mean confidence of the bin" },
    y: { ...axis, label: "share correct" },
    margin: { right: 28, left: 64 },
  });
  const diagonal = PARTS.map((share) => [share, share]);
  drawn.line(diagonal, "ideal");
  versions.forEach(({ bins }, i) => {
    const { className, shape } = STYLES[i % STYLES.length];
    const points = bins.map(({ confidence, accuracy }) => [confidence, accuracy]);
    drawn.line(points, `${className} thin`);
    for (const { confidence, accuracy, images } of bins) {
      drawn.bar(confidence, ...wilson(accuracy, images), className);
      drawn.mark([confidence, accuracy], className, shape);
    }
  });
}

/* Whether a version is overconfident, from its bins. */
function tendency(bins) {
  const total = bins.reduce((sum, { images }) => sum + images, 0);
  const mean = (name) =>
    bins.reduce((sum, bin) => sum + (bin[name] * bin.images) / total, 0);
  const gap = mean("confidence") - mean("accuracy");
  return (
    `It is ${percent(mean("confidence"))} confident on average and ${percent(mean("accuracy"))} ` +
    `correct: ${gap > 0 ? "overconfident" : "underconfident"} by ${Math.abs(100 * gap).toFixed(2)} points.`
  );
}

function thresholds(versions) {
  return versions
    .filter(({ unsure_below: below }) => below !== null)
    .map(({ version, unsure_below: below }) =>
      make("p", {}, `Version ${version} says “unsure” below ${percent(below)}.`),
    );
}
