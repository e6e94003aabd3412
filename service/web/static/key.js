/* The API key, where the server asks for one: kept for the session, sent with what needs it. */

import { byId } from "./dom.js";

const NAME = "api-key";
const KEY = /^[A-Za-z0-9._~+/-]+=*$/; // what the server takes; no other could be sent
const ATTEMPTS = 5; // a rush of a few seconds is waited for
const NEEDED = "This server asks for an API key.";
const WRONG = "The server does not know this key.";
const IMPOSSIBLE = "A key has only letters, digits and -._~+/, and may end in =.";
const LOCKED = "locked" in byId("main").dataset; // the page says so before the server does

let key = kept();
let given = null; // a promise while a key is asked for

/** Return whether there is a key. */
export const hasKey = () => key !== null;

/** Fetch with the key, if there is one; the reply may be a 401. */
export async function fetchWithKey(path, { headers, ...options } = {}) {
  const sent = key;
  if (LOCKED && sent === null) return new Response(null, { status: 401 });
  const authorized = sent ? { ...headers, Authorization: `Bearer ${sent}` } : headers;
  const reply = await fetch(path, { ...options, headers: authorized });
  if (sent !== null && sent === key) {
    if (reply.status === 401) forget();
    else hide();
  }
  return reply;
}

/** The same, but wait: for a key that the server knows, and until it has time. */
export async function fetchPatiently(path, options) {
  for (let left = ATTEMPTS; ; ) {
    const reply = await fetchWithKey(path, options);
    if (reply.status === 401) await nextKey();
    else if (reply.status === 503 && --left > 0) await later(reply);
    else return reply;
  }
}

function later({ headers }) {
  const seconds = Number(headers.get("Retry-After")) || 1;
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}

/**
 * Return what a reply has, from JSON.
 *
 * @throws {Error} with what the server said, in words.
 */
export async function contentOf(reply) {
  const content = await reply.json();
  if (!reply.ok) throw new Error(content.error);
  return content;
}

/** Ask for a key, and wait until there is one. */
export function nextKey() {
  if (key !== null) return Promise.resolve(); // it came while the reply was on its way
  given ??= new Promise((resolve) => {
    byId("key").hidden = false;
    if (!byId("key-words").textContent) say(NEEDED, false);
    byId("key").onsubmit = (event) => {
      event.preventDefault();
      const found = byId("key-input").value.trim();
      if (!KEY.test(found)) return say(IMPOSSIBLE, true);
      keep(found);
      given = null;
      resolve();
    };
  });
  return given;
}

function forget() {
  keep(null);
  say(WRONG, true);
}

function hide() {
  if (byId("key").hidden) return;
  const focused = byId("key").contains(document.activeElement);
  byId("key-input").value = "";
  say("", false);
  byId("key").hidden = true;
  if (focused) byId("main").focus();
}

function say(words, wrong) {
  byId("key-words").textContent = words;
  byId("key-input").setAttribute("aria-invalid", String(wrong));
}

function kept() {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null; // a browser that keeps nothing: the key lasts as long as the page
  }
}

function keep(value) {
  key = value;
  try {
    if (value === null) sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, value);
  } catch {
    // As above.
  }
}

// Before one draws: the form would move the drawing away under the pointer.
if (LOCKED) fetchPatiently("v2").catch(() => {}); // who asks next will say it
