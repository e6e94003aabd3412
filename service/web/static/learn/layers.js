/* Section 3: one drawing through the network, step by step. */

import { byId, make } from "../dom.js";
import { explain } from "../frames.js";
import { whole } from "../numbers.js";
import { button, digitPicker, speaker } from "./controls.js";
import * as steps from "./steps.js";

const STEPS = [
  { name: "Drawing", build: steps.buildDrawing },
  { name: "Frame", build: steps.buildFrame },
  { name: "784 numbers", build: steps.buildNumbers },
  { name: "Layer 1", build: steps.buildFirst },
  { name: "Layer 2", build: steps.buildSecond },
  { name: "Output", build: steps.buildOutput },
];

export async function mount(section, context) {
  const host = byId("layers-steps");
  const told = [...host.querySelectorAll(".told")]; // each step's text, which needs no script
  const own = (await context.gallery()).digits;
  const digits = context.drawn ? [...own, context.drawn] : own;
  const state = {
    digit: context.drawn ? own.length : own.findIndex(({ label }) => label === 5),
    step: 0,
    units: [null, null],
    pixel: null,
  };
  const stage = make("div", { className: "stage" });
  const failed = make("p", { className: "notice", role: "alert" });
  const { root: spoken, say } = speaker();
  const marks = STEPS.map(({ name }, i) => button(`${i + 1}. ${name}`, () => go(i)));
  const before = button("Previous", () => go(state.step - 1));
  const after = button("Next", () => go(state.step + 1));

  const show = () => {
    marks.forEach((mark, i) => {
      if (i === state.step) mark.setAttribute("aria-current", "step");
      else mark.removeAttribute("aria-current");
    });
    // Not `disabled`, which would take the focus away from who has just come to the end.
    before.setAttribute("aria-disabled", state.step === 0);
    after.setAttribute("aria-disabled", state.step === STEPS.length - 1);
    stage.replaceChildren(...STEPS[state.step].build(state, told[state.step]));
    say(`Step ${state.step + 1} of ${STEPS.length}: ${STEPS[state.step].name}`);
  };
  const go = (to) => {
    if (to < 0 || to >= STEPS.length) return;
    state.step = to;
    show();
  };
  let asked = 0;
  const ask = async (digit) => {
    const mine = ++asked;
    const reply = await explain(digits[digit]);
    const layers = await context.layers(reply.model.version);
    if (mine !== asked) return; // another drawing was chosen meanwhile
    Object.assign(state, { reply, layers, drawing: digits[digit] });
    // A unit that is on says more than one that is off.
    state.units = state.units.map(
      (unit, i) => unit ?? strongest(reply.layers[i].activations),
    );
    state.pixel ??= strongest(reply.predictions[0].frame.flat());
    show();
  };
  const picker = digitPicker({
    label: "Drawings",
    digits,
    chosen: state.digit,
    onPick: (digit) =>
      ask(digit).then(
        () => (failed.textContent = ""),
        (error) => (failed.textContent = error.message),
      ),
  });
  await ask(state.digit);
  host.replaceChildren(
    make(
      "div",
      { className: "panel" },
      picker,
      make(
        "nav",
        { className: "steps", "aria-label": "Steps" },
        make("ol", {}, ...marks.map((mark) => make("li", {}, mark))),
      ),
      make("div", { className: "row" }, before, after),
      failed,
      stage,
      spoken,
    ),
  );
  byId("layers-shapes").append(shapes(state.layers));
}

const strongest = (values) => values.indexOf(Math.max(...values));

function shapes(layers) {
  let total = 0;
  const rows = layers.map(({ inputs, units, kernel, biases, activation }, i) => {
    total += kernel.length + biases.length;
    const name = i === layers.length - 1 ? "Output" : `Layer ${i + 1}`;
    const cells = [
      `${inputs} → ${units}`,
      `${inputs} × ${units} = ${whole(kernel.length)}`,
      units,
      whole(kernel.length + biases.length),
    ];
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, name),
      ...cells.map((text) => make("td", { className: "number" }, String(text))),
      make("td", {}, { relu: "ReLU", softmax: "softmax", sigmoid: "sigmoid" }[activation]),
    );
  });
  const heads = ["", "Shape", "Weights", "Biases", "Together"].map((text, i) =>
    i ? make("th", { scope: "col", className: "number" }, text) : make("td"),
  );
  return make(
    "div",
    {
      className: "wide panel",
      tabIndex: 0,
      role: "region",
      "aria-label": "Shapes and parameters",
    },
    make(
      "table",
      { className: "shapes" },
      make(
        "thead",
        {},
        make("tr", {}, ...heads, make("th", { scope: "col" }, "Activation")),
      ),
      make("tbody", {}, ...rows),
      make(
        "tfoot",
        {},
        make(
          "tr",
          {},
          make("th", { scope: "row", colSpan: 4 }, "All parameters"),
          make("td", { className: "number total" }, whole(total)),
          make("td"),
        ),
      ),
    ),
  );
}
