/* What shows the inside of an answer: the network, and why it says what it says. */

import { byId, enable } from "./dom.js";
import { makeFlow } from "./flow.js";
import { fetchLayers } from "./network.js";
import { attempt } from "./trouble.js";
import { makeWhy } from "./why.js";

/**
 * Take over the elements.
 *
 * @returns {{show: function(object), blank: function, paint: function, seen: function,
 *   layersOf: function(string): Promise<Layer[]>}} `show` takes an answer, `{version,
 *   prediction, frame, outcomes}`, and gives it `layers` as soon as the weights are there;
 *   `seen()` is that answer, and `paint` that of the network
 */
export function makeInside() {
  const flow = makeFlow();
  const why = makeWhy();
  const weights = new Map(); // by version, and what `fetchLayers` promised for it
  const loading = new Map(); // by version: an action that `attempt` knows again
  let seen = null; // the newest answer

  const layersOf = (version) => {
    if (!weights.has(version)) {
      const promise = fetchLayers(version);
      weights.set(version, { promise });
      promise.then(
        (layers) => (weights.get(version).layers = layers),
        () => weights.delete(version), // who asks next tries again
      );
    }
    return weights.get(version).promise;
  };
  const show = () => {
    seen.layers = weights.get(seen.version)?.layers;
    enable(byId("fool"), seen.layers !== undefined);
    flow.show(seen);
    why.show(seen);
  };
  const load = (version) => {
    if (!loading.has(version))
      loading.set(version, async () => {
        await layersOf(version);
        if (seen?.version === version) show();
      });
    attempt(loading.get(version));
  };
  return {
    show(answer) {
      seen = answer;
      show(); // the numbers of the answer are there without the weights
      if (!seen.layers) load(answer.version);
    },
    blank() {
      seen = null;
      enable(byId("fool"), false);
      flow.blank();
      why.blank();
    },
    layersOf,
    paint: flow.paint,
    seen: () => seen,
  };
}
