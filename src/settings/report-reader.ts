/**
 * Reads out of a JSON report what a squash or prune says it removed or changed, element by element, as the text comes. `announced.ts`
 * gives it the files of `--removed-by`; the rest of a report is passed over.
 */
import { JsonPieces, NotJson, type Reading } from './json-pieces.ts';

/** A path of a report. */
interface Named {
  readonly path: string;
  readonly pathBase64?: string;
}

/** What one platform of a report announces. Other members of the report are left out. */
export interface AnnouncedPlatform {
  readonly slimming?: {
    readonly removed?: readonly (Named & { readonly type: string; readonly rule: string })[];
    readonly linked?: {
      readonly links?: readonly (Named & { readonly to: string; readonly toBase64?: string })[];
    };
    readonly cleared?: readonly (Named & { readonly oldMode: string; readonly newMode: string })[];
    readonly edited?: readonly (Named & {
      readonly before: { readonly size: number; readonly digest: string };
      readonly after: { readonly size: number; readonly digest: string };
    })[];
  };
}

type Slimming = NonNullable<AnnouncedPlatform['slimming']>;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The text is JSON, but not a report. */
export class NotReport extends Error {}

/** Takes the text of a report in pieces. */
export class ReportReader {
  readonly #json = new JsonPieces();
  /** The words that many elements share, such as rules: each is held once. */
  readonly #words = new Map<string, string>();
  readonly #reading = this.#report();
  #platforms: AnnouncedPlatform[] | null = null;
  #version: unknown = null;

  /** Takes the next piece of the text. @throws NotJson, NotReport */
  write(text: string): void {
    this.#json.push(text);
    this.#reading.next();
  }

  /** Returns what was read, after the last piece. @throws NotJson, NotReport */
  end(): readonly AnnouncedPlatform[] {
    this.#json.end();
    this.#reading.next();
    if (this.#version !== 1 || this.#platforms === null) throw new NotReport();
    return this.#platforms;
  }

  *#report(): Reading {
    if ((yield* this.#json.peek()) !== '{') {
      yield* this.#json.value();
      if ((yield* this.#json.peek()) !== '') throw new NotJson();
      throw new NotReport();
    }
    yield* this.#json.keys((key) => this.#member(key));
    if ((yield* this.#json.peek()) !== '') throw new NotJson();
  }

  *#member(key: string): Reading {
    if (key === 'reportVersion') this.#version = yield* this.#json.value();
    else if (key === 'platforms') this.#platforms = yield* this.#list(() => this.#platform());
    else yield* this.#json.skip();
  }

  *#platform(): Reading<AnnouncedPlatform> {
    const found: Writable<AnnouncedPlatform> = {};
    yield* this.#members({
      slimming: () =>
        this.#orNull(
          () => this.#slimming(),
          (slimming) => void (found.slimming = slimming),
        ),
    });
    return found;
  }

  *#slimming(): Reading<Slimming> {
    const found: Writable<Slimming> = {};
    yield* this.#members({
      removed: () => this.#entries(removedEntry, (list) => void (found.removed = list)),
      edited: () => this.#entries(editedFile, (list) => void (found.edited = list)),
      cleared: () => this.#entries(clearedFile, (list) => void (found.cleared = list)),
      linked: () =>
        this.#orNull(
          () => this.#linked(),
          (linked) => void (found.linked = linked),
        ),
    });
    return found;
  }

  *#linked(): Reading<NonNullable<Slimming['linked']>> {
    const found: Writable<NonNullable<Slimming['linked']>> = {};
    yield* this.#members({ links: () => this.#entries(linkedFile, (list) => void (found.links = list)) });
    return found;
  }

  /** Reads a list of entries, or null. */
  #entries<T>(read: (fields: Fields) => T, take: (list: T[]) => void): Reading {
    return this.#orNull(() => this.#list(() => this.#element(read)), take);
  }

  /** Reads the members of an object that have readers, and passes over the others. @throws NotReport for another value */
  *#members(readers: Readonly<Record<string, () => Reading>>): Reading {
    yield* this.#expect('{');
    const json = this.#json;
    yield* json.keys((key) => (Object.hasOwn(readers, key) ? readers[key]?.() : undefined) ?? json.skip());
  }

  /** Reads a value; null stands for an absent one. */
  *#orNull<T>(read: () => Reading<T>, take: (value: T) => void): Reading {
    if ((yield* this.#json.peek()) !== 'n') return take(yield* read());
    if ((yield* this.#json.value()) !== null) throw new NotReport();
  }

  *#list<T>(read: () => Reading<T>): Reading<T[]> {
    yield* this.#expect('[');
    const list: T[] = [];
    yield* this.#json.elements(() => this.#into(list, read()));
    return list;
  }

  *#expect(opening: string): Reading {
    const next = yield* this.#json.peek();
    if (next === '') throw new NotJson();
    if (next !== opening) throw new NotReport();
  }

  *#into<T>(list: T[], reading: Reading<T>): Reading {
    list.push(yield* reading);
  }

  *#element<T>(read: (element: Fields) => T): Reading<T> {
    return read(new Fields(yield* this.#json.value(), this.#words));
  }
}

/** The most words that are held once each. */
const mostWords = 10_000;

/** The fields of an element. */
class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #words: Map<string, string>;

  constructor(value: unknown, words: Map<string, string>) {
    if (typeof value !== 'object' || value === null) throw new NotReport();
    this.#value = value as Readonly<Record<string, unknown>>;
    this.#words = words;
  }

  /** Returns a text. @throws NotReport for another value */
  text(name: string): string {
    const value = this.#value[name];
    if (typeof value !== 'string') throw new NotReport();
    return value;
  }

  /** Returns a text that other elements have, too. @throws NotReport for another value */
  word(name: string): string {
    const value = this.text(name);
    const known = this.#words.get(value);
    if (known === undefined && this.#words.size < mostWords) this.#words.set(value, value);
    return known ?? value;
  }

  /** Returns a path with the member for its bytes, which may be absent. @throws NotReport */
  path(): Named {
    const path = this.text('path');
    return this.#value['pathBase64'] === undefined ? { path } : { path, pathBase64: this.text('pathBase64') };
  }

  /** Returns the fields of an object in the element. @throws NotReport for another value */
  inner(name: string): Fields {
    return new Fields(this.#value[name], this.#words);
  }

  /** Returns a number of bytes. @throws NotReport for another value */
  bytes(name: string): number {
    const value = this.#value[name];
    if (!Number.isSafeInteger(value)) throw new NotReport();
    return value as number;
  }

  /** Returns whether an element has a member. */
  has(name: string): boolean {
    return this.#value[name] !== undefined;
  }
}

function removedEntry(fields: Fields) {
  return { ...fields.path(), type: fields.word('type'), rule: fields.word('rule') };
}

function clearedFile(fields: Fields) {
  return { ...fields.path(), oldMode: fields.word('oldMode'), newMode: fields.word('newMode') };
}

function editedFile(fields: Fields) {
  const contents = (member: string) => {
    const of = fields.inner(member);
    return { size: of.bytes('size'), digest: of.text('digest') };
  };
  return { ...fields.path(), before: contents('before'), after: contents('after') };
}

function linkedFile(fields: Fields) {
  const to = fields.text('to');
  return { ...fields.path(), to, ...(fields.has('toBase64') ? { toBase64: fields.text('toBase64') } : {}) };
}
