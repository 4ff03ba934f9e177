/** Compares runs of decimal digits as numbers of any length; an empty one is 0. */
export function compareDigits(a: string, b: string): number {
  const [left, right] = [withoutZeros(a), withoutZeros(b)];
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0);
}

/** Returns whether the character at a position is a decimal digit. */
export function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

/** Returns whether a text is a run of decimal digits. */
function isNumber(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

/** Compares texts by their UTF-16 units. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares parts of a version: numbers by value, texts as texts, and all numbers below all texts, or above them. */
export function compareMixed(a: string, b: string, numbers: 'below' | 'above'): number {
  const [left, right] = [isNumber(a), isNumber(b)];
  if (left && right) return compareDigits(a, b);
  if (!left && !right) return compareTexts(a, b);
  return left === (numbers === 'below') ? -1 : 1;
}

function withoutZeros(digits: string): string {
  let start = 0;
  while (digits[start] === '0') start++;
  return digits.slice(start);
}
