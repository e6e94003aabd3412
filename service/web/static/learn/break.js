/* Section 8: break the network or its input, and see what is left. */

import { makeBars } from "../bars.js";
import { grey, make, paintPixels } from "../dom.js";
import { ownDigits, read } from "../frames.js";
import { argmax } from "../network.js";
import { aDigit, percent, tiny } from "../numbers.js";
import { WHOLE, breaker, distort, probabilities } from "./breakage.js";
import {
  button,
  checkbox,
  framePicker,
  slider,
  speaker,
  versionChoice,
} from "./controls.js";
import { frameCanvas, inFrame } from "./parts.js";

// Each with what one sees and why; tests/browser/test_learn_more.py holds what they say.
const EXPERIMENTS = [
  {
    title: "Nothing broken",
    how: {},
    why: "The network as the server runs it: it reads all of the project's digits.",
  },
  {
    title: "Shift by 4 and 4 pixels",
    how: { dx: 4, dy: 4 },
    why:
      "You read every digit, the network loses most. Each weight belongs to one pixel, so a digit in " +
      "another place is another picture. Version 2 saw distorted digits and bears a little more: by " +
      "examples, not by an idea of place.",
  },
  {
    title: "Drop the biases",
    how: { noBiases: true },
    why:
      "Hardly anything changes, and all 30 are read. The biases are part of the formula, but in these " +
      "two networks the weighted sums are much larger.",
  },
  {
    title: "Take ReLU away",
    how: { linear: true },
    why:
      "Most digits are lost: without ReLU three layers are no more than one weighted sum, and these " +
      "weights were fitted for a network that has it. Fitted without, it would do far better: see " +
      "logistic regression in section 7.",
  },
  {
    title: "Silence layer 1",
    how: { silent: [0] },
    why:
      "Every drawing gets the same ten bars: nothing of the picture comes through, and only the biases " +
      "speak. Whoever always gives one answer is right for 3 of these 30.",
  },
  {
    title: "Prune half of the weights",
    how: { pruned: 0.5 },
    why:
      "Half of the weights are 0 now, and all 30 digits are still read: the smallest weights matter " +
      "little.",
  },
  {
    title: "Prune nine tenths",
    how: { pruned: 0.9 },
    why:
      "Now it goes wrong for most digits: there are large weights among the nine tenths too. Find the " +
      "share at which it tips.",
  },
  {
    title: "Noise in the weights",
    how: { noise: 0.5 },
    why:
      "Noise half as large as the weights, on every one of them, and most digits are still read: in a " +
      "sum of many, errors partly cancel. “New noise” draws another one; twice as much is too much for " +
      "many.",
  },
  {
    title: "Black on white",
    how: { inverted: true },
    why:
      "Nearly everything is lost. Hundreds of pixels that were 0 are 1 now, and each of their weights " +
      "joins in. The server swaps such pictures back before the network sees them.",
  },
  {
    title: "Noise in the picture",
    how: { speckle: 0.4 },
    why:
      "You still read the digits, the network misses many: each speck counts as ink, and it has no " +
      "notion of what is behind the specks.",
  },
];

export async function mount(section, context) {
  const digits = await ownDigits(context);
  const networks = new Map(
    await Promise.all(
      context.versions.map(async (version) => {
        const layers = await context.layers(version);
        return [
          version,
          { layers, broken: breaker(layers), whole: countRight(layers, digits) },
        ];
      }),
    ),
  );
  const state = { version: context.versions.at(-1), chosen: 7, how: { ...WHOLE } };

  const outcome = outcomeOf(digits);
  const server = make("p", { className: "number muted", dataset: { said: "server" } });
  const why = make("output", { className: "saying" });
  const draw = inFrame(() => outcome.show(networks.get(state.version), state));
  const compare = comparison(server, digits, networks);
  const controls = controlsOf(state, () => {
    why.textContent = "";
    mark(null);
    draw();
  });

  const buttons = EXPERIMENTS.map((experiment) =>
    button(experiment.title, () => {
      state.how = { ...WHOLE, seed: state.how.seed, ...experiment.how };
      controls.set(state.how);
      why.textContent = experiment.why;
      mark(experiment);
      draw();
    }),
  );
  const mark = (experiment) =>
    buttons.forEach((each, i) =>
      each.setAttribute("aria-pressed", String(EXPERIMENTS[i] === experiment)),
    );
  outcome.onPick((i) => {
    state.chosen = i;
    draw();
    compare(state);
  });
  const versions = versionChoice(context.versions, state.version, (version) => {
    state.version = version;
    draw();
    compare(state);
  });
  section.append(
    make(
      "div",
      { className: "panel" },
      versions,
      make(
        "div",
        { className: "row presets", role: "group", "aria-label": "Experiments" },
        ...buttons,
      ),
      why,
    ),
    make("div", { className: "workbench" }, outcome.live, controls.element, outcome.rest),
    server,
  );
  mark(EXPERIMENTS[0]);
  why.textContent = EXPERIMENTS[0].why;
  draw();
  compare(state);
}

/** The sliders and boxes; what they say goes into `state.how`. */
function controlsOf(state, onChange) {
  const put = (name) => (value) => {
    state.how = { ...state.how, [name]: value };
    onChange();
  };
  const hundredths = (share) => `${Math.round(100 * share)} %`;
  const pixels = (count) => `${count} px`.replace("-", "−");
  const knob = (label, name, min, max, step, format) =>
    slider({ label, min, max, step, value: 0, format, onInput: put(name) });
  const silence = (layer) => (on) => {
    const others = state.how.silent.filter((each) => each !== layer);
    put("silent")(on ? [...others, layer] : others);
  };
  const parts = {
    first: checkbox("Silence layer 1: its activations are 0", false, silence(0)),
    second: checkbox("Silence layer 2", false, silence(1)),
    noBiases: checkbox("Drop the biases", false, put("noBiases")),
    linear: checkbox("Take ReLU away", false, put("linear")),
    pruned: knob("Prune the smallest weights", "pruned", 0, 1, 0.01, hundredths),
    noise: knob("Noise in the weights, of their spread", "noise", 0, 3, 0.05, hundredths),
    dx: knob("Shift right", "dx", -8, 8, 1, pixels),
    dy: knob("Shift down", "dy", -8, 8, 1, pixels),
    speckle: knob("Noise in the pixels", "speckle", 0, 1, 0.05, hundredths),
    inverted: checkbox("Black on white", false, put("inverted")),
  };
  const another = button("New noise", () => put("seed")(state.how.seed + 1));
  const set = (how) => {
    parts.first.set(how.silent.includes(0));
    parts.second.set(how.silent.includes(1));
    for (const name of [
      "noBiases",
      "linear",
      "pruned",
      "noise",
      "dx",
      "dy",
      "speckle",
      "inverted",
    ])
      parts[name].set(how[name]);
  };
  const element = make(
    "div",
    { className: "panel controls" },
    make("h3", {}, "The network"),
    ...["first", "second", "noBiases", "linear", "pruned", "noise"].map(
      (name) => parts[name].root,
    ),
    make("h3", {}, "The picture"),
    ...["dx", "dy", "speckle", "inverted"].map((name) => parts[name].root),
    another,
  );
  return { element, set };
}

/** What the broken network makes of the chosen digit, and of all of them. */
function outcomeOf(digits) {
  const frame = frameCanvas("frame");
  const list = make("ul", { className: "bars" });
  const showBars = makeBars(list);
  const reading = make("p", { className: "reading" });
  const count = make("p", { className: "count" });
  const { root: said, say } = speaker();
  let picked = () => {};
  const pick = framePicker(
    "All 30 as the network sees them, and what it reads",
    digits,
    7,
    (i) => picked(i),
  );
  const captions = pick.cells.map(({ label }) => {
    const caption = make("span", { className: "caption" });
    label.append(caption);
    return caption;
  });

  const show = ({ broken, whole }, { chosen, how, version }) => {
    const damaged = broken(how);
    let right = 0;
    digits.forEach(({ pixels, label }, i) => {
      const image = distort(pixels, { ...how, seed: digits.length * how.seed + i }); // each its own noise
      const shares = probabilities(damaged, image, how);
      const digit = argmax(shares);
      right += digit === label;
      const levels = image.map((pixel) => Math.round(255 * pixel));
      paintPixels(pick.cells[i].canvas, levels, grey);
      // A dash for none: ten pictures beside each other leave no room for a word.
      captions[i].textContent =
        digit === label ? `${digit} ✓` : `${digit < 0 ? "–" : digit} ✗`;
      captions[i].classList.toggle("wrong", digit !== label);
      if (i !== chosen) return;
      paintPixels(frame, levels, grey);
      frame.setAttribute(
        "aria-label",
        `The ${label} as the network sees it, read as ${nameOf(digit)}.`,
      );
      showBars(shares);
      reading.textContent =
        digit < 0
          ? "No digit is ahead: several have the same share."
          : `Reads ${digit}${digit === label ? "" : `, and it is ${aDigit(label)}`}, with ${percent(shares[digit])}.`;
    });
    count.replaceChildren(
      make("strong", {}, `${right} of ${digits.length}`),
      ` read rightly by version ${version}; unbroken ${whole}.`,
    );
    say(`${right} of ${digits.length} read rightly.`);
  };
  return {
    live: make(
      "div",
      { className: "panel live" },
      frame,
      make("div", {}, reading, count),
      said,
    ),
    rest: make("div", { className: "panel rest" }, list, pick.root),
    show,
    onPick(call) {
      picked = call;
    },
  };
}

const countRight = (layers, digits) =>
  digits.filter(
    ({ pixels, label }) => argmax(probabilities(layers, pixels, WHOLE)) === label,
  ).length;

const nameOf = (digit) => (digit < 0 ? "none" : String(digit));

/** Return a function that compares the browser's answer with the server's, for a digit. */
function comparison(place, digits, networks) {
  let newest = 0;
  return async ({ version, chosen }) => {
    const number = (newest += 1);
    const { pixels, label } = digits[chosen];
    const own = probabilities(networks.get(version).layers, pixels, WHOLE);
    let text;
    try {
      const [answer] = await read([digits[chosen]], version);
      const apart = answer.probabilities.map((share, i) => Math.abs(share - own[i]));
      text =
        `The same network? For this ${label} and version ${version}, unbroken, the largest difference between the ten ` +
        `probabilities of your browser and those of the server is ${tiny(Math.max(...apart))}.`;
    } catch (error) {
      text = `The server could not be asked for its own answer: ${error.message}`;
    }
    if (number === newest) place.textContent = text;
  };
}
