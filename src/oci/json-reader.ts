/**
 * A reader of JSON for documents that other programs must read in the same way. json.ts calls it for manifests, configs,
 * indexes, and whatever else a digest is computed over.
 *
 * `JSON.parse` does not suffice: it accepts keys that occur twice, about which programs disagree, it drops digits of
 * numbers, and V8's takes a key with escapes for another key that it has met before, so that "layers" could be hidden.
 */
import { OcislimError } from '../errors.ts';

/** Objects and lists within each other. Documents of the specifications need a few; readers that recurse bear no more. */
const maxDepth = 100;

const words = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/** ECMAScript's "JSON.parse source text access": each Node that we run on has it, the types do not yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (source: string) => object };

/**
 * Reads a text that `JSON.parse` has accepted: only then is every position what this reader expects. A number that a double
 * cannot hold becomes an object of `JSON.rawJSON`, which is written as it was.
 * @param what the subject of error messages
 * @throws MANIFEST_INVALID for a key that occurs twice in one object, and for more than 100 objects and lists in each other
 */
export function readJson(text: string, what: string): unknown {
  return new JsonReader(text, what).readValue(0);
}

class JsonReader {
  readonly #text: string;
  readonly #what: string;
  /** Index of the next character. */
  #at = 0;

  constructor(text: string, what: string) {
    this.#text = text;
    this.#what = what;
  }

  /** Reads the value that comes next. `depth`: the number of objects and lists around it. */
  readValue(depth: number): unknown {
    this.#skipSpace();
    const first = this.#text[this.#at] as string;
    if (first === '{' || first === '[') {
      if (depth === maxDepth)
        throw new OcislimError(
          'MANIFEST_INVALID',
          `${this.#what} has more than ${maxDepth} objects and lists in each other`,
        );
      return first === '{' ? this.#readObject(depth + 1) : this.#readList(depth + 1);
    }
    if (first === '"') return this.#readString();
    const word = words.find(([name]) => name.startsWith(first));
    if (word === undefined) return this.#readNumber();
    this.#at += word[0].length;
    return word[1];
  }

  #readObject(depth: number): object {
    const object: Record<string, unknown> = {};
    if (this.#isEmpty('}')) return object;
    do {
      this.#skipSpace();
      const key = this.#readString();
      if (Object.hasOwn(object, key))
        throw new OcislimError(
          'MANIFEST_INVALID',
          `${this.#what} has the key ${JSON.stringify(key.slice(0, 60))} twice in one object; it could be read in two ways`,
        );
      this.#takeMark();
      const value = this.readValue(depth);
      // An assignment to this name would set the prototype.
      if (key === '__proto__')
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      else object[key] = value;
    } while (this.#takeMark() === ',');
    return object;
  }

  #readList(depth: number): unknown[] {
    const list: unknown[] = [];
    if (this.#isEmpty(']')) return list;
    do list.push(this.readValue(depth));
    while (this.#takeMark() === ',');
    return list;
  }

  /** Only strings with escapes go through `JSON.parse`: alone, so that V8 cannot mistake one for another. */
  #readString(): string {
    const start = this.#at;
    this.#at = endOfString(this.#text, start) + 1;
    const inside = this.#text.slice(start + 1, this.#at - 1);
    return inside.includes('\\') ? (JSON.parse(this.#text.slice(start, this.#at)) as string) : inside;
  }

  #readNumber(): number | object {
    const pattern = /[-+.\deE]+/y;
    pattern.lastIndex = this.#at;
    const [source] = pattern.exec(this.#text) as RegExpExecArray;
    this.#at += source.length;
    return isExact(source) ? Number(source) : rawJSON(source);
  }

  /** Takes the opening bracket, and the closing one if it follows at once. */
  #isEmpty(closing: '}' | ']'): boolean {
    this.#at += 1;
    this.#skipSpace();
    if (this.#text[this.#at] !== closing) return false;
    this.#at += 1;
    return true;
  }

  /** Takes the next mark (a colon, a comma or a closing bracket) and returns it. */
  #takeMark(): string {
    this.#skipSpace();
    this.#at += 1;
    return this.#text[this.#at - 1] as string;
  }

  #skipSpace(): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character !== ' ' && character !== '\n' && character !== '\r' && character !== '\t') return;
      this.#at += 1;
    }
  }
}

/** Returns the index of the quote that ends the string which begins at `at`. */
function endOfString(text: string, at: number): number {
  let end = at;
  for (;;) {
    end = text.indexOf('"', end + 1);
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
}

/** Decimal digits that a double always holds. */
const safeDigits = 15;
/** Doubles below this have fewer digits. */
const smallestNormal = 2.3e-308;

/** Whether the double that a JSON number becomes is written with the same value again. */
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
