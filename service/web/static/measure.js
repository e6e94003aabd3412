/* How long it takes from a stroke to its painted answer, for `performance`. */

const MOST = 5000; // a browser keeps them all, for a page that is open all day too
let measured = 0;

/** Note how long it took from the newest stroke's event until its answer was painted. */
export function measure(start) {
  // A frame is painted after its callbacks, and a message comes after the painting.
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      performance.measure("stroke to answer", { start, end: performance.now() });
      if (++measured % MOST === 0) performance.clearMeasures();
    };
    port2.postMessage(null);
  });
}
