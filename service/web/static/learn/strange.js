/* Chapter 6: what is no digit gets one of the ten answers all the same. */

import { make } from "../dom.js";
import { read } from "../frames.js";
import { percent } from "../numbers.js";
import { paintFrame, small } from "./pictures.js";
import { taught } from "./versions.js";
import { widget } from "./widget.js";

export async function mount(form, context) {
  const [{ hard }, lesson] = await Promise.all([context.gallery(), context.lesson()]);
  const { parts } = widget(form);
  const strange = hard.filter(({ label }) => label === null);
  const answers = await Promise.all(
    context.versions.map((version) => (strange.length ? read(strange, version) : [])),
  );
  parts.cards.replaceChildren(
    ...strange.map(({ name }, i) => {
      const picture = small();
      paintFrame(picture, answers[0][i].frame);
      const lines = context.versions.map((version, at) => {
        const { digit, confidence, unsure } = answers[at][i];
        const words = `version ${version}: ${digit}, ${percent(confidence)}`;
        return make("p", { dataset: { version } }, unsure ? `${words}, unsure` : words);
      });
      return make(
        "li",
        { dataset: { name } },
        picture,
        make("div", {}, make("b", {}, name), ...lines),
      );
    }),
  );
  parts.words.textContent = context.versions
    .map((version, at) => inWords(version, strange, answers[at], lesson.versions))
    .join(" ");
}

function inWords(version, strange, answers, versions) {
  const sure = strange.filter((_, i) => !answers[i].unsure).map(({ name }) => name);
  const found = versions.find((each) => each.version === version);
  const learned =
    found && taught(found)
      ? "was also shown letters, scribbles and noise, with the answer spread evenly over all ten digits"
      : "was trained on digits alone";
  return (
    `Version ${version} ${learned}. It is unsure about ${strange.length - sure.length} of these ` +
    `${strange.length}${sure.length ? `, but sure about: ${sure.join(", ")}` : ""}.`
  );
}
