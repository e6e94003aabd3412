/* Chapter 7: the network beside traditional machine learning, as measured. */

import { chart } from "../chart.js";
import { make } from "../dom.js";
import { whole } from "../numbers.js";
import { widget } from "./widget.js";

const NETWORK = "network"; // its name in lesson.json where the number of epochs is chosen
const DRAWN = {
  "hog-svm": "series-b",
  network: "series-a",
  "logistic-regression": "plain",
};
const SHAPES = {
  "hog-svm": "square",
  network: "circle",
  "logistic-regression": "triangle",
};
const APART = 17; // between two labels, in pixels
const LABELS = 230; // room for them

/** Write a share of 100; what lesson.json has rounded to end in 5 is rounded up. */
const hundred = (share, digits = 1) => (100 * share + 1e-9).toFixed(digits);
const at = ({ pixels }, images) => pixels.find((point) => point.images === images);

export async function mount(form, context) {
  const lesson = await context.lesson();
  const { methods, sizes } = lesson.baselines;
  const versions = lesson.versions.filter(({ version }) =>
    context.versions.includes(version),
  );
  const { parts, bind } = widget(form);
  draw(parts.chart, methods, versions, sizes);
  parts.table.append(tableOf(methods, versions, sizes));
  document.querySelector('[data-part="tumours"]').textContent = tumours(methods);
  return bind(({ images }) => {
    parts.words.textContent = winner(methods, Number(images));
    return parts.words.textContent;
  });
}

function draw(host, methods, versions, sizes) {
  const most = sizes.at(-1);
  const series = methods
    .filter(({ name }) => name in DRAWN)
    .map(({ name, title, pixels }) => ({
      title: name === NETWORK ? "network" : title,
      className: DRAWN[name],
      shape: SHAPES[name],
      points: pixels.map(({ images, accuracy }) => [images, 1 - accuracy]),
    }));
  for (const { version, test_accuracy: accuracy } of versions)
    series.push({
      title: `version ${version} here`,
      className: "series-a",
      shape: "diamond",
      points: [[most, 1 - accuracy]],
    });
  const drawn = chart(host, {
    label: `Test images misread, by number of training images: ${series.map(inWords).join("; ")}.`,
    x: {
      min: sizes[0] * 0.85,
      max: most * 1.15,
      log: true,
      ticks: sizes,
      format: whole,
      label: "training images (log scale)",
    },
    y: {
      min: 0.005,
      max: 0.4,
      log: true,
      ticks: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4],
      format: (share) => `${Number(hundred(share))} %`,
      label: "test images misread (log scale)",
    },
    margin: { right: LABELS, left: 60 },
  });
  const ends = series.map(({ points, className, shape, title }) => {
    drawn.line(points, className);
    for (const point of points) drawn.mark(point, className, shape);
    const [images, error] = points.at(-1);
    return { className, title, error, x: drawn.x(images), y: drawn.y(error) };
  });
  let lowest = -Infinity; // labels keep the order of their lines, and their distance
  for (const end of ends.sort((a, b) => a.y - b.y)) {
    lowest = Math.max(end.y + 4, lowest + APART);
    const words = `${end.title} ${hundred(end.error, 2)} %`;
    drawn.text([end.x + 22, lowest], words, `name ${end.className}`);
  }
}

const inWords = ({ title, points }) =>
  `${title} ${points.map(([images, error]) => `${hundred(error)} % with ${whole(images)}`).join(", ")}`;

/* Who is first with so many images, and where the network is. */
function winner(methods, images) {
  const ranked = methods
    .filter((method) => at(method, images))
    .sort((a, b) => at(b, images).accuracy - at(a, images).accuracy);
  const network = ranked.find(({ name }) => name === NETWORK);
  const reads = (method) => hundred(at(method, images).accuracy);
  return (
    `With ${whole(images)} images, ${ranked[0].title} comes first: it reads ${reads(ranked[0])} ` +
    `of 100 test images. The network reads ${reads(network)} ` +
    `(place ${ranked.indexOf(network) + 1} of ${ranked.length}).`
  );
}

function tableOf(methods, versions, sizes) {
  const most = sizes.at(-1);
  const cell = (point) => {
    if (!point) return "–";
    const spread = point.spread === null ? "" : ` ± ${hundred(point.spread)}`;
    return hundred(point.accuracy) + spread;
  };
  const last = (method) => at(method, most)?.accuracy ?? 0;
  const rows = methods
    .toSorted((a, b) => last(b) - last(a))
    .map((method) => [method.title, ...sizes.map((size) => cell(at(method, size)))]);
  for (const { version, test_accuracy: accuracy } of versions) {
    const cells = sizes.map((size) => (size === most ? hundred(accuracy, 2) : "–"));
    rows.push([`version ${version} here`, ...cells]);
  }
  const line = (name, [first, ...rest], scope) =>
    make(
      "tr",
      {},
      make("th", { scope }, first),
      ...rest.map((text) => make(name, { className: "number" }, text)),
    );
  const heads = line("th", ["method", ...sizes.map(whole)], "col");
  const words =
    "Test images read, in %, by number of training images; ± is the standard deviation over draws";
  return make(
    "table",
    {},
    make("caption", {}, words),
    make("thead", {}, heads),
    make("tbody", {}, ...rows.map((row) => line("td", row, "row"))),
  );
}

/* Where the columns of a table mean something, and rows are few. */
function tumours(methods) {
  const find = (wanted) => methods.find(({ name }) => name === wanted).table;
  const [logistic, network] = [find("logistic-regression"), find(NETWORK)];
  const gap = Math.abs(network.accuracy - logistic.accuracy);
  const chance = gap < Math.min(logistic.spread, network.spread);
  const share = ({ accuracy, spread }) => `${hundred(accuracy)} ± ${hundred(spread)} %`;
  return (
    "And on a table? For 569 tumours, benign or malignant, each described by 30 meaningful " +
    `numbers, plain logistic regression gets ${share(logistic)} right and the network ` +
    `${share(network)}${chance ? ": no significant difference" : ""}.`
  );
}
