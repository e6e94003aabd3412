/* Half precision, which not every browser knows as Float16Array. */

const SCALE = 2 ** 112; // exponents have a bias of 15 there, of 127 in single precision

/**
 * Decode little-endian half-precision numbers, exactly.
 *
 * @param {ArrayBuffer} buffer
 * @returns {Float32Array}
 */
export function decodeFloat16(buffer) {
  const view = new DataView(buffer);
  const numbers = new Float32Array(buffer.byteLength / 2);
  const bits = new Uint32Array(numbers.buffer);
  for (let i = 0; i < numbers.length; i++) {
    const half = view.getUint16(2 * i, true);
    bits[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    if ((half & 0x7c00) === 0x7c00) bits[i] |= 0x7f800000; // infinite, or not a number
    else numbers[i] *= SCALE;
  }
  return numbers;
}
