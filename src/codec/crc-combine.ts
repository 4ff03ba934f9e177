/**
 * Combines the checksums of two pieces of data into that of both together, so that pieces can be summed in different threads. By
 * the algebra of CRC-32 (RFC 1952 section 8): appending n bytes multiplies a checksum by x^8n, modulo the polynomial.
 */

/** The polynomial of CRC-32, the highest power in the lowest bit. */
const polynomial = 0xedb88320;
/** x^0 in that order of bits. */
const one = 0x80000000;

/** Multiplies two polynomials modulo the polynomial of CRC-32. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted >>> 1) ^ ((shifted & 1) === 0 ? 0 : polynomial);
  }
  return product >>> 0;
}

/** Returns x^8n. */
function powerOf(bytes: number): number {
  let result = one;
  // x^8, then its squares.
  let square = one >>> 8;
  for (let n = bytes; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

let lastPower: { readonly bytes: number; readonly power: number } | null = null;

/** Returns the CRC-32 of two pieces, from that of each and the length of the second in bytes. */
export function combineCrc(first: number, second: number, secondLength: number): number {
  // All pieces of a stream but the last are of one length.
  if (lastPower?.bytes !== secondLength) lastPower = { bytes: secondLength, power: powerOf(secondLength) };
  return (multiply(lastPower.power, first) ^ second) >>> 0;
}
