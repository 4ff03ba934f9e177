/**
 * Finds the line of a plan that a mistake is about: the line of the key or list item, not of the stage around it. Caller:
 * `plan-file.ts`, for mistakes of form and of meaning.
 */
import { isAlias, isMap, isScalar, isSeq, type Document, type LineCounter, type Node, type Pair } from 'yaml';

type Path = readonly PropertyKey[];

/** A key or item of a plan, with the line that it begins on. */
interface Part {
  readonly key: string;
  /** Whether it is an item of a list, whose key is a number. */
  readonly isItem: boolean;
  readonly line: number;
  /** Its text; null where it has parts of its own. */
  readonly text: string | null;
}

/** Knows the lines of a parsed plan. */
export class PlanLines {
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  /** Returns the line of a key or list item; of one that is missing, that of what should hold it. */
  lineOf(path: Path): number {
    return this.#find(path).line;
  }

  /**
   * Returns the line of what an error is about, below a path: the key or item whose text it quotes, else the last of the keys that it
   * names, as options (`--level`) or as words. Default: the line of the path.
   */
  lineOfError(path: Path, message: string): number {
    const parts = [...this.#partsBelow(this.#find(path).node)];
    const quoted = parts.find(({ text }) => text !== null && message.includes(JSON.stringify(text)));
    if (quoted !== undefined) return quoted.line;
    const keys = parts.filter(({ isItem }) => !isItem);
    const asOptions = keys.filter(({ key }) => message.includes(`--${optionOf(key)}`));
    const named =
      asOptions.length > 0 ? asOptions : keys.filter(({ key }) => wordsIn(message).has(key.toLowerCase()));
    return named.length > 0 ? named.reduce((last, { line }) => Math.max(last, line), 0) : this.lineOf(path);
  }

  #find(path: Path): { readonly node: Node | null; readonly line: number } {
    let node = this.#resolved(this.#document.contents);
    let line = node?.range == null ? 1 : this.#lineAt(node.range[0]);
    for (const key of path) {
      const [child, start] = this.#child(node, key);
      if (start === null) break;
      line = start;
      node = this.#resolved(child);
    }
    return { node, line };
  }

  #child(node: Node | null, key: PropertyKey): [child: Node | null, line: number | null] {
    if (isMap(node)) {
      const pair = (node.items as Pair<Node, Node | null>[]).find((each) => keyOf(each) === String(key));
      return pair === undefined ? [null, null] : [pair.value, this.#startOf(pair.key)];
    }
    if (!isSeq(node)) return [null, null];
    const item = (node.items as (Node | undefined)[])[Number(key)];
    return item === undefined ? [null, null] : [item, this.#startOf(item)];
  }

  /** Lists keys and items below a node, but not those of stages within a list of stages. */
  *#partsBelow(node: Node | null): Generator<Part> {
    if (isMap(node)) {
      for (const pair of node.items as Pair<Node, Node | null>[]) {
        const line = this.#startOf(pair.key) ?? 1;
        yield { key: keyOf(pair), isItem: false, line, text: textOf(pair.value) };
        const value = this.#resolved(pair.value);
        if (isSeq(value)) yield* this.#partsBelow(value);
      }
    } else if (isSeq(node)) {
      for (const [i, item] of (node.items as Node[]).entries())
        yield { key: String(i), isItem: true, line: this.#startOf(item) ?? 1, text: textOf(item) };
    }
  }

  #resolved(node: Node | null | undefined): Node | null {
    return (isAlias(node) ? node.resolve(this.#document) : node) ?? null;
  }

  #startOf(node: Node): number | null {
    return node.range == null ? null : this.#lineAt(node.range[0]);
  }

  #lineAt(offset: number): number {
    return this.#lines.linePos(offset).line;
  }
}

function keyOf({ key }: Pair<Node, Node | null>): string {
  return isScalar(key) ? String(key.value) : '';
}

function textOf(node: Node | null | undefined): string | null {
  return isScalar(node) ? String(node.value) : null;
}

/** Returns the option that says the same as a key: `keep-command` for `keepCommands`. */
function optionOf(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/s$/, '');
}

function wordsIn(message: string): ReadonlySet<string> {
  return new Set(message.toLowerCase().match(/[a-z]+/g) ?? []);
}
