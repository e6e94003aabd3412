/* Section 7: the network beside traditional machine learning, as measured. */

import { chart, svg } from "../chart.js";
import { make } from "../dom.js";
import { whole } from "../numbers.js";
import { checkbox, choice } from "./controls.js";
import { fill, table, wide } from "./parts.js";

// What is drawn at first; the rest a visitor adds.
const FIRST = [
  "hog-svm",
  "rbf-svm",
  "logistic-regression",
  "lesson",
  "network",
  "versions",
];
const NETWORKS = ["lesson", "network"];
const DASHES = ["", "7 4", "2 3", "9 3 2 3", "4 2", "12 4", "2 5", "6 2 2 2 2 2", "10 6"];
const MARKS = [
  "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", // circle
  "M-4 -4h8v8h-8z", // square
  "M0 -5L5 4H-5z", // triangle
  "M0 -5L5 0L0 5L-5 0z", // diamond
  "M0 5L5 -4H-5z", // triangle on its head
  "M-5 -2H-2V-5H2V-2H5V2H2V5H-2V2H-5z", // cross
  "M-5 -3H5V3H-5z", // bar
  "M-3 -5H3V5H-3z", // upright bar
  "M0 -6L1.6 -1.8L6 -1.8L2.6 1.2L3.8 5.4L0 2.8L-3.8 5.4L-2.6 1.2L-6 -1.8L-1.6 -1.8z", // star
];
const APART = 15; // between two labels, in the chart's units

/** Write a share of 100; what lesson.json has rounded to end in 5 is rounded up. */
const hundred = (share, digits = 1) => (100 * share + 1e-9).toFixed(digits);

export async function mount(section, context) {
  const lesson = await context.lesson();
  const { baselines, versions } = lesson;
  const series = [
    ...baselines.methods.map((method, i) => ({
      name: method.name,
      title: method.title,
      points: method.pixels,
      dash: DASHES[i % DASHES.length],
      mark: MARKS[i % MARKS.length],
      kind: NETWORKS.includes(method.name)
        ? "one"
        : method.name === "hog-svm"
          ? "two"
          : "plain",
    })),
    ...versions.map(({ version, test_accuracy: accuracy }) => ({
      name: "versions",
      title: `version ${version}`,
      points: [{ images: baselines.sizes.at(-1), accuracy }],
      dash: "",
      mark: MARKS.at(-1),
      kind: "one",
    })),
  ];
  fill(section, "curves", curvesOf(series, baselines.sizes));
  fill(section, "sizes", winnersOf(baselines));
  fill(section, "numbers", numbersOf(lesson));
  fill(section, "table", ...tableOf(baselines));
}

/** The chart, and what is drawn in it. */
function curvesOf(series, sizes) {
  const shown = new Set(FIRST);
  let scale = "error";
  const host = make("div", { className: "curves" });
  const draw = () =>
    drawCurves(
      host,
      series.filter(({ name }) => shown.has(name)),
      sizes,
      scale,
    );
  const methods = series.filter(({ name }) => name !== "versions");
  const boxes = [...methods, { name: "versions", title: "this server's versions" }].map(
    ({ name, title }) =>
      checkbox(title, shown.has(name), (on) => {
        shown[on ? "add" : "delete"](name);
        draw();
      }).root,
  );
  draw();
  return make(
    "div",
    { className: "panel" },
    wide("Chart of the methods", host),
    make(
      "div",
      { className: "controls" },
      choice({
        label: "Scale",
        options: [
          ["error", "test error, logarithmic"],
          ["accuracy", "test accuracy"],
        ],
        value: scale,
        onChange(next) {
          scale = next;
          draw();
        },
      }).root,
      make("fieldset", { className: "options" }, make("legend", {}, "Methods"), ...boxes),
    ),
  );
}

const SCALES = {
  error: {
    of: (accuracy) => 1 - accuracy,
    axis: {
      min: 0.005,
      max: 0.4,
      log: true,
      ticks: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4],
    },
    label: "test images misread",
  },
  accuracy: {
    of: (accuracy) => accuracy,
    axis: { min: 0.6, max: 1, ticks: [0.6, 0.7, 0.8, 0.9, 1] },
    label: "test images read rightly",
  },
};

function drawCurves(host, series, sizes, scale) {
  const { of, axis, label } = SCALES[scale];
  const width = 820;
  const right = 285;
  const drawn = chart(host, {
    label: `${label}, by number of training images: ${series.map(inWords).join("; ")}.`,
    x: {
      min: sizes[0] * 0.85,
      max: sizes.at(-1) * 1.1,
      log: true,
      ticks: sizes,
      format: whole,
      label: "training images",
    },
    y: { ...axis, format: (share) => `${Number(hundred(share))} %`, label },
    width,
    height: 430,
    right,
  });
  const ends = series.map(({ points, ...rest }) => {
    const places = points.map(({ images, accuracy }) => [images, of(accuracy)]);
    const line = drawn.line(places, `curve ${rest.kind}`);
    line.setAttribute("stroke-dasharray", rest.dash);
    for (const [images, value] of places) {
      const transform = `translate(${drawn.x(images)} ${drawn.y(value)})`;
      drawn.root.append(
        svg("path", { class: `mark ${rest.kind}`, d: rest.mark, transform }),
      );
    }
    const [images, value] = places.at(-1);
    return {
      ...rest,
      accuracy: points.at(-1).accuracy,
      x: drawn.x(images),
      y: drawn.y(value),
    };
  });
  const labelAt = width - right + 26;
  for (const end of spread(ends)) {
    drawn.root.append(
      svg("path", {
        class: "leader",
        d: `M${end.x + 7} ${end.y}L${labelAt - 5} ${end.labelY}`,
      }),
      svg(
        "text",
        { x: labelAt, y: end.labelY + 4, class: `name ${end.kind}` },
        `${end.title} ${hundred(of(end.accuracy), 2)} %`,
      ),
    );
  }
}

const inWords = ({ title, points }) =>
  `${title} ` +
  points
    .map(({ images, accuracy }) => `${hundred(accuracy)} % right with ${whole(images)}`)
    .join(", ");

/** Move labels apart that would lie on each other; they stay in the order of their lines. */
function spread(ends) {
  const sorted = ends.toSorted((a, b) => a.y - b.y);
  const places = sorted.map(({ y }) => y);
  // Each pass moves overlapping neighbours away from each other, half of the way each.
  for (let pass = 0; pass < 200; pass++) {
    let moved = false;
    for (let i = 1; i < places.length; i++) {
      const lacking = APART - (places[i] - places[i - 1]);
      if (lacking > 0.1) {
        places[i - 1] -= lacking / 2;
        places[i] += lacking / 2;
        moved = true;
      }
    }
    if (!moved) break;
  }
  return sorted.map((end, i) => ({ ...end, labelY: places[i] }));
}

const at = (method, images) => method.pixels.find((point) => point.images === images);

/** Who is first with so many images. */
function winnersOf({ methods, sizes }) {
  const said = make("output", { className: "saying" });
  const tell = (images) => {
    const ranked = methods
      .filter((method) => at(method, images))
      .sort((a, b) => at(b, images).accuracy - at(a, images).accuracy);
    const [first] = ranked;
    const of = (name) => ranked.find((method) => method.name === name);
    const reads = (method) => hundred(at(method, images).accuracy);
    const place = (name) => ranked.indexOf(of(name)) + 1;
    said.textContent =
      `With ${whole(images)} images ${first.title} reads ${reads(first)} of 100 test images. ` +
      `The network reads ${reads(of("lesson"))} by the lesson's recipe ` +
      `(place ${place("lesson")} of ${ranked.length}) and ` +
      `${reads(of("network"))} where the number of epochs is chosen (place ${place("network")}).`;
  };
  tell(sizes[0]);
  return make(
    "div",
    { className: "panel" },
    choice({
      label: "Training images",
      options: sizes.map((size) => [String(size), whole(size)]),
      value: String(sizes[0]),
      onChange: (size) => tell(Number(size)),
    }).root,
    said,
  );
}

const withSpread = ({ accuracy, spread: apart }) =>
  `${hundred(accuracy)}${apart === null ? "" : ` ± ${hundred(apart)}`}`;
const seconds = (value) =>
  value < 10 ? String(Number(value.toPrecision(1))) : whole(Math.round(value));

function numbersOf({ baselines, versions }) {
  const { sizes, methods } = baselines;
  const most = sizes.at(-1);
  const best = new Map(
    sizes.map((size) => [
      size,
      Math.max(...methods.map((method) => at(method, size)?.accuracy ?? 0)),
    ]),
  );
  const cell = (point) => {
    if (!point) return "–";
    return point.accuracy === best.get(point.images)
      ? make("strong", {}, withSpread(point))
      : withSpread(point);
  };
  const rows = methods
    .toSorted((a, b) => (at(b, most)?.accuracy ?? 0) - (at(a, most)?.accuracy ?? 0))
    .map((method) => [
      method.title,
      ...sizes.map((size) => cell(at(method, size))),
      at(method, most) ? seconds(at(method, most).fit_seconds) : "–",
    ]);
  const served = versions.map(({ version, test_accuracy: accuracy, seconds: fit }) => [
    `version ${version} of this server`,
    ...sizes.map((size) => (size === most ? hundred(accuracy) : "–")),
    seconds(fit),
  ]);
  return wide(
    "Accuracy of the methods as a table",
    table(
      "Test images read rightly, in %, by number of training images; ± is the standard deviation " +
        `over random draws, bold the best of the methods; fit: seconds with ${whole(most)}`,
      ["method", ...sizes.map(whole), "fit, s"],
      [...rows, ...served],
    ),
  );
}

/** The table of numbers that mean something by themselves. */
function tableOf({ methods }) {
  const tried = methods
    .filter((method) => method.table)
    .toSorted((a, b) => b.table.accuracy - a.table.accuracy);
  const find = (name) => tried.find((method) => method.name === name).table;
  const logistic = find("logistic-regression");
  const network = find("network");
  const gap = network.accuracy - logistic.accuracy;
  const chance = Math.abs(gap) < Math.min(logistic.spread, network.spread);
  const host = make("div", { className: "dots" });
  const drawn = chart(host, {
    label: `Accuracy on the table: ${tried.map(({ title, table: own }) => `${title} ${withSpread(own)} %`).join("; ")}.`,
    x: {
      min: 0.94,
      max: 1,
      ticks: [0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 1],
      format: (share) => `${hundred(share, 0)} %`,
      label: "rows right, and the standard deviation over five parts",
    },
    y: {
      min: tried.length - 0.5,
      max: -0.5,
      ticks: tried.map((_, i) => i),
      format: (i) => tried[i].title,
      label: "",
    },
    width: 620,
    height: 60 + 26 * tried.length,
    left: 180,
    right: 28,
  });
  tried.forEach(({ name, table: own }, i) => {
    const kind = NETWORKS.includes(name) ? "one" : "plain";
    const y = drawn.y(i);
    const ends = [own.accuracy - own.spread, Math.min(1, own.accuracy + own.spread)].map(
      drawn.x,
    );
    drawn.root.append(
      svg("path", { class: `error ${kind}`, d: `M${ends[0]} ${y}H${ends[1]}` }),
      svg("path", {
        class: `mark ${kind}`,
        d: MARKS[kind === "one" ? 0 : 1],
        transform: `translate(${drawn.x(own.accuracy)} ${y})`,
      }),
    );
  });
  return [
    make(
      "p",
      { dataset: { said: "table" } },
      `Logistic regression gets ${withSpread(logistic)} of 100 rows right, the network ${withSpread(network)}: ` +
        `${chance ? "no further apart than chance makes them" : `${hundred(gap)} points more`}. ` +
        `To fit it takes ${(1000 * logistic.fit_seconds).toFixed(1)} ms, the network ` +
        `${whole(Math.round(1000 * network.fit_seconds))} ms, and its 30 weights can be read.`,
    ),
    make(
      "div",
      { className: "panel beside" },
      wide("Chart of the methods on a table", host),
      wide(
        "The methods on a table, as a table",
        table(
          "Rows right, in %, and the time to fit",
          ["method", "right, %", "fit, ms"],
          tried.map(({ title, table: own }) => [
            title,
            withSpread(own),
            whole(Number((1000 * own.fit_seconds).toPrecision(2))),
          ]),
        ),
      ),
    ),
  ];
}
