import { OcislimError } from '../errors.ts';

/** Far more than any document of the specifications has, far less than a recursive reader can bear. */
const deepest = 100;

const words = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/** Of ECMAScript's "JSON.parse source text access": each Node that we run on has it, the types do not yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (source: string) => object };

/**
 * Reads a text that is known to be JSON. `JSON.parse` does not do: it lets pass what programs disagree about, it drops
 * digits, and V8's takes a key with escapes for another one that it has met before, so that "layers" could be hidden.
 * A number that a double does not hold becomes an object of `JSON.rawJSON`.
 * @throws MANIFEST_INVALID naming `what`: a key twice in one object, more than 100 objects and lists in each other
 */
export function readJson(text: string, what: string): unknown {
  let at = 0;
  const skipSpace = (): void => {
    while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  };
  /** Takes the mark that comes next, and says which it was. */
  const mark = (): string => {
    skipSpace();
    at += 1;
    return text[at - 1] as string;
  };
  const readString = (): string => {
    const start = at;
    at = endOfString(text, start) + 1;
    const inside = text.slice(start + 1, at - 1);
    return inside.includes('\\') ? (JSON.parse(text.slice(start, at)) as string) : inside;
  };
  const readObject = (depth: number): object => {
    const object: Record<string, unknown> = {};
    at += 1;
    skipSpace();
    if (text[at] === '}') {
      at += 1;
      return object;
    }
    do {
      skipSpace();
      const key = readString();
      if (Object.hasOwn(object, key))
        throw new OcislimError(
          'MANIFEST_INVALID',
          `${what} has the key ${JSON.stringify(key.slice(0, 60))} twice in one object; it could be read in two ways`,
        );
      mark();
      const value = readValue(depth);
      // An assignment to this name would set the prototype.
      if (key === '__proto__')
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      else object[key] = value;
    } while (mark() === ',');
    return object;
  };
  const readList = (depth: number): unknown[] => {
    const list: unknown[] = [];
    at += 1;
    skipSpace();
    if (text[at] === ']') {
      at += 1;
      return list;
    }
    do list.push(readValue(depth));
    while (mark() === ',');
    return list;
  };
  const readValue = (depth: number): unknown => {
    skipSpace();
    const first = text[at] as string;
    if (first === '{' || first === '[') {
      if (depth === deepest)
        throw new OcislimError(
          'MANIFEST_INVALID',
          `${what} has more than ${deepest} objects and lists in each other`,
        );
      return first === '{' ? readObject(depth + 1) : readList(depth + 1);
    }
    if (first === '"') return readString();
    const word = words.find(([name]) => name.startsWith(first));
    if (word !== undefined) {
      at += word[0].length;
      return word[1];
    }
    const source = numberAt(text, at);
    at += source.length;
    return isExact(source) ? Number(source) : rawJSON(source);
  };
  return readValue(0);
}

/** Where the quote is that ends the string which begins at `at`. */
function endOfString(text: string, at: number): number {
  let end = at;
  for (;;) {
    end = text.indexOf('"', end + 1);
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
}

function numberAt(text: string, at: number): string {
  const pattern = /[-+.\deE]+/y;
  pattern.lastIndex = at;
  return (pattern.exec(text) as RegExpExecArray)[0];
}

/** Decimal digits that a double always holds. */
const safeDigits = 15;
/** Below this doubles have fewer digits. */
const smallestNormal = 2.3e-308;

/** Is the double that a JSON number becomes written with the same value again? */
function isExact(source: string): boolean {
  const value = Number(source);
  if (!Number.isFinite(value) || Object.is(value, -0)) return false;
  if (source === String(value)) return true;
  let first = -1;
  let last = -1;
  let digits = 0;
  for (const character of source) {
    if (character === 'e' || character === 'E') break;
    if (character < '0' || character > '9') continue;
    if (character !== '0') {
      if (first < 0) first = digits;
      last = digits;
    }
    digits += 1;
  }
  return first < 0 || (last - first < safeDigits && Math.abs(value) > smallestNormal);
}
