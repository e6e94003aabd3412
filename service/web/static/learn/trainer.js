/* Training in slices of animation frames: the page stays alive while the network learns. */

import { HIDDEN, Net } from "./net.js";
import { frameOf, sample } from "./samples.js";
import { generator } from "./statistics.js";

export const STEPS = 600; // a few seconds; more changes little
const BATCH = 32;
const SLICE = 10; // ms of a frame: the rest is for painting
const EVERY = 10; // steps from one point of the curves to the next
const HELD_OUT = 3; // of so many drawings of a digit, the last one is for the test

/**
 * Divide drawings: of each digit every third one is held out.
 *
 * @param {{label: number, strokes: number[][][]}[]} drawings
 * @returns {{training: object[], test: object[]}}
 */
export function divide(drawings) {
  const seen = new Array(10).fill(0);
  const [training, test] = [[], []];
  for (const drawing of drawings) {
    seen[drawing.label]++;
    (seen[drawing.label] % HELD_OUT ? training : test).push(drawing);
  }
  return { training, test };
}

/** A network, the drawings that it learns from, and its curves. */
export class Trainer {
  /**
   * @param {object[]} training drawings
   * @param {object[]} test others
   * @param {number} [seed] of the first weights and of all distortions
   */
  constructor(training, test, seed = 1) {
    this.random = generator(seed);
    this.training = training;
    this.test = test.map((drawing) => ({ ...drawing, ...imageOf(drawing) }));
    this.net = new Net(this.random);
    this.losses = [];
    this.accuracies = [];
  }

  get done() {
    return this.net.steps >= STEPS;
  }

  /** How many of the held-out drawings it reads. */
  get right() {
    return this.test.filter(({ pixels, label }) => this.read(pixels).digit === label)
      .length;
  }

  /** Read a frame, 784 pixels. */
  read(pixels) {
    const shares = Array.from(this.net.forward(pixels).shares);
    const confidence = Math.max(...shares);
    return { digit: shares.indexOf(confidence), confidence };
  }

  /** Take one step, on a batch of new distortions. */
  step() {
    const batch = Array.from({ length: BATCH }, () => {
      const drawing = this.training[Math.floor(this.random() * this.training.length)];
      return { pixels: sample(drawing, this.random), label: drawing.label };
    });
    const loss = this.net.learn(batch);
    const { steps } = this.net;
    if (steps === 1 || steps % EVERY === 0) {
      this.losses.push([steps, loss]);
      if (this.test.length) this.accuracies.push([steps, this.right / this.test.length]);
    }
  }

  /** Take as many steps as a slice of time allows. */
  slice() {
    const end = performance.now() + SLICE;
    do this.step();
    while (!this.done && performance.now() < end);
  }

  /** The weights of its hidden units, as pictures. */
  get layer() {
    return Array.from({ length: HIDDEN }, (_, unit) => this.net.weightsOf(unit));
  }
}

/** Return a drawing as an image, not distorted. */
export const imageOf = ({ label, strokes }) => ({ label, pixels: frameOf(strokes) });
