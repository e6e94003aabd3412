/* The page's request as a program, to copy. */

import { byId } from "./dom.js";
import { pathOf } from "./asker.js";
import { hasKey } from "./key.js";

/* A key is a secret: what is copied takes it from the environment. */
const inCurl = () => (hasKey() ? ` -H "Authorization: Bearer $API_KEY"` : "");
const inPython = () =>
  hasKey() ? `, "Authorization": "Bearer " + os.environ["API_KEY"]` : "";

const LONGEST = 100_000; // letters of an argument; a shell takes 128 KiB
const SHELL = { "'": "'\\''" };
const quoted = (text) => `'${text.replaceAll("'", (it) => SHELL[it])}'`;
const typeOf = ({ body }) => /data:([^;]*)/.exec(body)[1];
const urlOf = ({ version }) => new URL(pathOf(version), document.baseURI).href;

/* A picture that was opened goes as the file that it is; what is long goes in as input. */
function curl(request) {
  const { body, file } = request;
  const start = `curl -s ${quoted(urlOf(request))}${inCurl()} -H `;
  if (file)
    return `${start}'Content-Type: ${typeOf(request)}' --data-binary ${quoted(`@${file}`)}\n`;
  const json = `${start}'Content-Type: application/json' -d `;
  return body.length < LONGEST ? `${json}'${body}'\n` : `${json}@- <<'END'\n${body}\nEND\n`;
}

function python(request) {
  const { body, file } = request;
  const type = file ? typeOf(request) : "application/json";
  return `import json${hasKey() ? "\nimport os" : ""}
from urllib.request import Request, urlopen

body = ${file ? `open(${JSON.stringify(file)}, "rb").read()` : `json.dumps(${body}).encode()`}
request = Request(
    "${urlOf(request)}",
    body,
    {"Content-Type": "${type}"${inPython()}},
)
with urlopen(request) as reply:
    answer = json.load(reply)
print(json.dumps(answer["predictions"][0]))
`;
}

/**
 * Show a request as a program, and copy it.
 *
 * @param {"copy-curl"|"copy-python"} id of the button
 * @param {{version: string, body: string, file: string=}} request `file` is the name of the
 *   file that it sends as it is
 */
export async function copySnippet(id, request) {
  byId("snippet").textContent = id === "copy-curl" ? curl(request) : python(request);
  byId("snippet").hidden = false;
  byId("copied").textContent = await copy(byId("snippet"));
}

/** Copy an element's text, and say how it went. */
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return "Copied.";
  } catch {
    // No clipboard on a page without TLS, except on this machine itself.
    getSelection().selectAllChildren(element);
    return "Selected: copy it with Ctrl+C.";
  }
}
