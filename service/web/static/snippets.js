/* The page's request as a program, to copy. */

import { byId } from "./dom.js";
import { pathOf } from "./asker.js";
import { hasKey } from "./key.js";

/* A key is a secret: what is copied takes it from the environment. */
const inCurl = () => (hasKey() ? ` -H "Authorization: Bearer $API_KEY"` : "");
const inPython = () =>
  hasKey() ? `, "Authorization": "Bearer " + os.environ["API_KEY"]` : "";

const curl = ({ version, body }) =>
  `curl -s '${location.origin}${pathOf(version)}' -H 'Content-Type: application/json'${inCurl()} -d '${body}'\n`;

const python = ({ version, body }) => `import json${hasKey() ? "\nimport os" : ""}
from urllib.request import Request, urlopen

body = ${body}
request = Request(
    "${location.origin}${pathOf(version)}",
    json.dumps(body).encode(),
    {"Content-Type": "application/json"${inPython()}},
)
with urlopen(request) as reply:
    answer = json.load(reply)
print(json.dumps(answer["predictions"][0]))
`;

/** Let the two buttons copy; `last()` gives the request that was answered last. */
export function makeSnippets(last) {
  for (const [id, write] of [
    ["copy-curl", curl],
    ["copy-python", python],
  ]) {
    byId(id).addEventListener("click", async () => {
      byId("snippet").textContent = write(last());
      byId("snippet").hidden = false;
      byId("copied").textContent = await copy(byId("snippet"));
    });
  }
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
