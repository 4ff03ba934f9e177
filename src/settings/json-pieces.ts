/**
 * Reads JSON piece by piece as its text comes, so that a document of any size takes no more memory than its largest piece.
 * `report-reader.ts` takes lists out of reports with it. What is skipped is not checked beyond its brackets and strings.
 */

/** Reading that stops where the text ends so far, and goes on when there is more. */
export type Reading<Result = void> = Generator<undefined, Result, undefined>;

/** The text is not JSON. */
export class NotJson extends Error {}

/** The most characters of a piece that is held: of a key, or of an element. */
export const longestPiece = 1_048_576;

/** A text that comes in pieces, and how far it has been read. */
export class JsonPieces {
  #text = '';
  #at = 0;
  #hasEnded = false;

  /** Adds text behind what is there. */
  push(text: string): void {
    this.#text = this.#text.slice(this.#at) + text;
    this.#at = 0;
  }

  /** Says that no more text comes. */
  end(): void {
    this.#hasEnded = true;
  }

  /** Returns the next character that is not a space; '' at the end of the text. */
  *peek(): Reading<string> {
    for (;;) {
      space.lastIndex = this.#at;
      this.#at = space.exec(this.#text) === null ? this.#at : space.lastIndex;
      if (this.#at < this.#text.length) return this.#text[this.#at] as string;
      if (this.#hasEnded) return '';
      yield;
    }
  }

  /** Takes the next character that is not a space. @throws NotJson unless it is one of these */
  *take(wanted: string): Reading<string> {
    const character = yield* this.peek();
    if (character === '' || !wanted.includes(character)) throw new NotJson();
    this.#at++;
    return character;
  }

  /** Takes the keys of an object one by one. The caller reads or skips each value before it asks for the next. @throws NotJson */
  *keys(each: (key: string) => Reading): Reading {
    yield* this.take('{');
    if ((yield* this.peek()) === '}') return void (yield* this.take('}'));
    do {
      if ((yield* this.peek()) !== '"') throw new NotJson();
      const key = yield* this.value();
      yield* this.take(':');
      yield* each(key as string);
    } while ((yield* this.take(',}')) === ',');
  }

  /** Goes through the elements of a list. The caller reads or skips each. @throws NotJson */
  *elements(each: () => Reading): Reading {
    yield* this.take('[');
    if ((yield* this.peek()) === ']') return void (yield* this.take(']'));
    do yield* each();
    while ((yield* this.take(',]')) === ',');
  }

  /** Takes a whole value. @throws NotJson, also for one that is longer than `longestPiece` */
  *value(): Reading<unknown> {
    const parts: string[] = [];
    yield* this.#pass((part) => void parts.push(part));
    try {
      return JSON.parse(parts.join(''));
    } catch {
      throw new NotJson();
    }
  }

  /** Passes over a value of any length. @throws NotJson where it does not end */
  skip(): Reading {
    return this.#pass(null);
  }

  /** Passes over a value, and gives its text out. @throws NotJson */
  *#pass(give: ((part: string) => void) | null): Reading {
    const first = yield* this.peek();
    if (first === '' || ',:]}'.includes(first)) throw new NotJson();
    const extent = new Extent(first);
    for (let length = 0; ; ) {
      const start = this.#at;
      this.#at = extent.advance(this.#text, start);
      length += this.#at - start;
      if (give !== null && length > longestPiece) throw new NotJson();
      give?.(this.#text.slice(start, this.#at));
      if (extent.hasEnded) return;
      // A number may end with the text.
      if (this.#hasEnded && extent.isWord) return;
      if (this.#hasEnded) throw new NotJson();
      yield;
    }
  }
}

const space = /[ \t\n\r]*/y;
const structure = /["{}[\]]/g;
const endOfString = /["\\]/g;
const endOfWord = /[ \t\n\r,:[\]{}"]/g;

/** Finds out where a value ends, by its strings and brackets. */
class Extent {
  /** Whether it is a number or a word, which ends before a mark or a space. */
  readonly isWord: boolean;
  hasEnded = false;
  #depth = 0;
  #inString = false;
  /** Whether the last character was a backslash, so that the next one is not a mark. */
  #isEscaped = false;

  constructor(first: string) {
    this.isWord = !'"{['.includes(first);
  }

  /** Returns how far the value goes in a text, from `at`: to its end, or that of the text. */
  advance(text: string, at: number): number {
    let next = at;
    while (!this.hasEnded && next < text.length)
      next = this.#isEscaped ? this.#escape(next) : this.#step(text, next);
    return next;
  }

  #escape(at: number): number {
    this.#isEscaped = false;
    return at + 1;
  }

  /** Goes to behind the next mark. */
  #step(text: string, at: number): number {
    const marks = this.isWord ? endOfWord : this.#inString ? endOfString : structure;
    marks.lastIndex = at;
    const mark = marks.exec(text)?.[0];
    if (mark === undefined) return text.length;
    if (this.isWord) {
      this.hasEnded = true;
      return marks.lastIndex - 1;
    }
    if (mark === '\\') this.#isEscaped = true;
    else if (mark === '"') this.#inString = !this.#inString;
    else this.#depth += mark === '{' || mark === '[' ? 1 : -1;
    this.hasEnded = this.#depth === 0 && !this.#inString;
    return marks.lastIndex;
  }
}
