/* Asks the server while one draws: one request at a time, and the next is of the newest drawing. */

import { fetchWithKey, nextKey } from "./key.js";

const PATIENCE = 5000; // ms; an answer takes some 5, so a server that takes this long is away
const RETRY = 1000; // ms

/** Not an answer: the server cannot be reached, is overloaded or too slow. */
class Away extends Error {}

/** The server asks for a key. */
class Locked extends Error {}

/** The server has refused the request, and says why. */
class Refused extends Error {}

export class Asker {
  #due = false;
  #running = false;
  #locked = false;
  #abort = null;
  #wake = () => {};

  /**
   * @param {object} on
   * @param {function(): object[]} on.snapshot returns the requests that the newest drawing is
   *   to be asked by, `{version, body}` and what else the others want back; none is asked for
   *   an empty one
   * @param {function(object, object)} on.answer a request and `{reply, roundTrip, server}`, ms
   * @param {function(object, Error)} on.refuse a request and why it was refused
   * @param {function} on.locked there is no answer without a key, for which the page asks
   * @param {function(string)} on.away why there is no answer; it is asked again each second
   * @param {function} on.settle the newest drawing has its answers
   */
  constructor(on) {
    this.on = on;
  }

  /** Ask about the newest drawing, as soon as the request that is on its way is answered. */
  request() {
    this.#due = true;
    this.#wake();
    if (this.#locked) this.on.locked();
    if (!this.#running) this.#run();
  }

  /** Forget what is asked: its answer will not be shown. */
  cancel() {
    this.#due = false;
    this.#abort?.abort();
    this.#wake();
  }

  async #run() {
    this.#running = true;
    while (this.#due) {
      this.#due = false;
      this.#abort = new AbortController();
      try {
        await this.#askAll(this.#abort.signal);
      } catch (error) {
        if (!(error instanceof Away || error instanceof Locked)) throw error;
        this.#due = true;
        if (error instanceof Locked) await this.#unlock();
        else await this.#pause(error.message);
      }
    }
    this.#running = false;
  }

  async #unlock() {
    this.#locked = true;
    this.on.locked();
    await nextKey();
    this.#locked = false;
  }

  #pause(why) {
    this.on.away(why);
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, RETRY);
    });
  }

  async #askAll(cancelled) {
    for (const request of this.on.snapshot()) {
      try {
        const answer = await ask(request, cancelled);
        if (cancelled.aborted) return;
        this.on.answer(request, answer);
      } catch (error) {
        if (cancelled.aborted) return;
        if (!(error instanceof Refused)) throw error;
        this.on.refuse(request, error);
      }
      if (this.#due) return; // what is beside can wait for the newest
    }
    this.on.settle();
  }
}

/** The path that a version is asked by; the snippets show the same. */
export const pathOf = (version) => `explain?version=${version}`;

async function ask({ version, body }, cancelled) {
  const abort = new AbortController();
  const stop = () => abort.abort();
  const timer = setTimeout(stop, PATIENCE);
  cancelled.addEventListener("abort", stop);
  const start = performance.now();
  try {
    const reply = await fetchWithKey(pathOf(version), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      signal: abort.signal,
    });
    if (reply.status === 401) throw new Locked();
    const content = await reply.json();
    const roundTrip = performance.now() - start;
    if (reply.ok) return { reply: content, roundTrip, server: serverTime(reply.headers) };
    if (reply.status === 429 || reply.status === 503) throw new Away(content.error);
    throw new Refused(content.error);
  } catch (error) {
    if ([Refused, Away, Locked].some((kind) => error instanceof kind)) throw error;
    throw new Away(
      abort.signal.aborted
        ? `it took more than ${PATIENCE / 1000} s`
        : "it cannot be reached",
    );
  } finally {
    clearTimeout(timer);
    cancelled.removeEventListener("abort", stop);
  }
}

/** Add up the stages of Server-Timing, ms. */
function serverTime(headers) {
  const stages = (headers.get("Server-Timing") ?? "").matchAll(/dur=([\d.]+)/g);
  return [...stages].reduce((sum, [, stage]) => sum + Number(stage), 0);
}
