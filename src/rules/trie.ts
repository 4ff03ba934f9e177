/**
 * The trie of many patterns, in columns: rule files may have a million lines. `pattern-set.ts` fills it, and walks it as an
 * automaton whose places are the nodes.
 */
import { slash, type Token } from './pattern.ts';

/** The characters that a node matches without moving on: none, all but `/`, all. */
export const loops = { none: 0, component: 1, all: 2 } as const;

type Loop = (typeof loops)[keyof typeof loops];

/** A token that stands for several characters, and the node that it leads to. */
export interface Test {
  readonly token: Token;
  readonly to: number;
}

/** Nodes are numbered from 0, the root, to which no character leads. Patterns that begin alike share their nodes. */
export class Trie {
  size = 0;
  #loops = new Uint8Array(64);
  /** By node: its first literal, and the node that this leads to; 0 for a node without one. */
  #codes = new Int32Array(64);
  #targets = new Int32Array(64);
  /** By node: its other literals. Few nodes have any. */
  readonly #literals = new Map<number, Map<number, number>>();
  readonly #tests = new Map<number, Test[]>();
  readonly #skips = new Map<number, number[]>();
  /** By node: the nodes of its tokens that are no literals, to be shared. */
  readonly #children = new Map<number, Map<string, number>>();
  readonly #ends = new Map<number, number[]>();

  constructor() {
    this.#add(loops.none);
  }

  insert(pattern: readonly Token[], index: number): void {
    let at = 0;
    for (const token of pattern)
      at = token.kind === 'literal' ? this.#literal(at, token.code) : this.#child(at, token);
    const ends = this.#ends.get(at);
    if (ends === undefined) this.#ends.set(at, [index]);
    else ends.push(index);
  }

  loopOf(node: number): Loop {
    return this.#loops[node] as Loop;
  }

  /** Returns the node that a literal character leads to; 0 for none. */
  follow(node: number, code: number): number {
    const target = this.#targets[node] as number;
    if (target === 0 || this.#codes[node] === code) return target;
    return this.#literals.get(node)?.get(code) ?? 0;
  }

  testsOf(node: number): readonly Test[] {
    return this.#tests.get(node) ?? nothing;
  }

  /** Returns the nodes that are reached from a node without a character. */
  skipsOf(node: number): readonly number[] {
    return this.#skips.get(node) ?? nothing;
  }

  /** Returns the indices of the patterns that end at a node. */
  endsOf(node: number): readonly number[] {
    return this.#ends.get(node) ?? nothing;
  }

  #literal(from: number, code: number): number {
    const known = this.follow(from, code);
    if (known !== 0) return known;
    const child = this.#add(loops.none);
    if (this.#targets[from] === 0) {
      this.#codes[from] = code;
      this.#targets[from] = child;
      return child;
    }
    const others = this.#literals.get(from) ?? new Map<number, number>();
    this.#literals.set(from, others.set(code, child));
    return child;
  }

  #child(from: number, token: Token): number {
    const key = keyOf(token);
    const children = this.#children.get(from) ?? new Map<string, number>();
    const known = children.get(key);
    if (known !== undefined) return known;
    const child = this.#make(from, token);
    this.#children.set(from, children.set(key, child));
    return child;
  }

  #make(from: number, token: Token): number {
    switch (token.kind) {
      case 'literal':
        return this.#literal(from, token.code);
      case 'any':
      case 'class': {
        const child = this.#add(loops.none);
        this.#tests.set(from, [...(this.#tests.get(from) ?? []), { token, to: child }]);
        return child;
      }
      case 'star':
      case 'globstar': {
        const child = this.#add(token.kind === 'star' ? loops.component : loops.all);
        this.#skip(from, child);
        return child;
      }
      case 'directories': {
        const loop = this.#add(loops.all);
        const child = this.#literal(loop, slash);
        this.#skip(from, loop);
        this.#skip(from, child);
        return child;
      }
    }
  }

  #skip(from: number, to: number): void {
    const skips = this.#skips.get(from);
    if (skips === undefined) this.#skips.set(from, [to]);
    else skips.push(to);
  }

  #add(loop: Loop): number {
    if (this.size === this.#loops.length) {
      const length = this.size * 2;
      this.#loops = grown(this.#loops, new Uint8Array(length));
      this.#codes = grown(this.#codes, new Int32Array(length));
      this.#targets = grown(this.#targets, new Int32Array(length));
    }
    this.#loops[this.size] = loop;
    return this.size++;
  }
}

const nothing: readonly never[] = [];

function grown<Column extends Uint8Array | Int32Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}

function keyOf(token: Token): string {
  return token.kind === 'class' ? `[${token.negated ? '^' : ''}${token.ranges.join(' ')}` : token.kind;
}
