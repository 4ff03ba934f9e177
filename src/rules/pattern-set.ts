/**
 * Matches one path against many patterns at once. `createMatcher` in `rules.ts` makes a set of all globs of a stage.
 */
import type { ByteString } from '../bytes/bytes.ts';
import { invalidByte, type Pattern, slash, spelling, type Token } from './pattern.ts';

/** A node in the trie of all patterns. Patterns that begin alike share their nodes. */
interface Node {
  /** The characters that it matches without moving on: none, all but `/`, all. */
  readonly loop: 'none' | 'component' | 'all';
  readonly literals: Map<number, number>;
  readonly tests: { readonly token: Token; readonly to: number }[];
  /** Places that are reached from here without a character. */
  readonly skips: number[];
  readonly children: Map<string, number>;
  /** The patterns that end here. */
  readonly ends: number[];
}

/** A set of nodes: where some characters of a path have led. */
interface State<T> {
  readonly nodes: Int32Array;
  /** By class of characters: the number of the state that follows, or -1 where it has not been computed. */
  readonly next: Int32Array;
  /** Computed when a path component ends here. */
  value: T | null | undefined;
}

const dead = 0;
const start = 1;
/** The most numbers held in states (4 bytes each). Beyond it, all states are discarded and recomputed as they are needed. */
const defaultBudget = 4_000_000;

/**
 * Many patterns matched at once, in one pass over a path: literal ones by a table, the rest by an automaton whose
 * states are sets of nodes, made when they are first reached. Whatever the patterns, a character costs at most one
 * look at every place: nothing backtracks. `T` is what the caller wants to know about a set of patterns.
 */
export class PatternSet<T> {
  readonly #literals = new Map<ByteString, { readonly indices: number[]; value?: T }>();
  /** The lengths of the literals: to look up every prefix of a path costs the square of its length. */
  readonly #lengths = new Set<number>();
  readonly #nodes: Node[] = [newNode('none')];
  readonly #summarise: (indices: readonly number[]) => T;
  readonly #budget: number;
  readonly #boundaries: number[];
  readonly #ascii = new Uint16Array(128);
  readonly #mark: Uint32Array;
  #stamp = 0;
  #states: State<T>[] = [];
  readonly #numbers = new Map<string, number>();
  #held = 0;
  /** Characters read plus nodes looked at since the start: the work done, for which tests have a bound. */
  work = 0;

  constructor(
    patterns: readonly Pattern[],
    summarise: (indices: readonly number[]) => T,
    budget: number = defaultBudget,
  ) {
    this.#budget = budget;
    this.#summarise = summarise;
    const boundaries = new Set([0, slash, slash + 1]);
    for (const [index, pattern] of patterns.entries()) {
      const text = spelling(pattern);
      if (text === null) this.#insert(pattern, index, boundaries);
      else {
        const known = this.#literals.get(text);
        this.#lengths.add(text.length);
        if (known === undefined) this.#literals.set(text, { indices: [index] });
        else known.indices.push(index);
      }
    }
    this.#boundaries = [...boundaries].sort((a, b) => a - b);
    for (let code = 0; code < 128; code++) this.#ascii[code] = this.#search(code);
    this.#mark = new Uint32Array(this.#nodes.length);
    this.#forget();
  }

  /** How many nodes the patterns have together: their length, less what they share. */
  get size(): number {
    return this.#nodes.length;
  }

  /** Calls `found` for each prefix of `path` (its ancestors, then, `own`, itself) that some patterns match. */
  visit(path: ByteString, found: (value: T, own: boolean) => void): void {
    const automaton = this.#nodes.length > 1;
    const { length } = path;
    let state = start;
    for (let i = 0; i <= length; ) {
      let code = i < length ? path.charCodeAt(i) : slash;
      if (code === slash) {
        this.#found(path, i, state, found);
        if (i === length || (state === dead && this.#literals.size === 0)) return;
      }
      let width = 1;
      if (code >= 0x80) {
        [code, width] = decode(path, i);
      }
      i += width;
      this.work++;
      if (state !== dead && automaton) state = this.#step(state, code);
    }
  }

  #found(path: ByteString, end: number, state: number, found: (value: T, own: boolean) => void): void {
    const own = end === path.length;
    if (this.#lengths.has(end)) {
      this.work += end;
      const literal = this.#literals.get(own ? path : path.slice(0, end));
      if (literal !== undefined) {
        literal.value ??= this.#summarise(literal.indices);
        found(literal.value, own);
      }
    }
    if (state === dead) return;
    const known = this.#states[state] as State<T>;
    if (known.value === undefined) {
      const indices: number[] = [];
      for (const index of known.nodes) indices.push(...(this.#nodes[index] as Node).ends);
      known.value = indices.length === 0 ? null : this.#summarise(indices.sort((a, b) => a - b));
    }
    if (known.value !== null) found(known.value, own);
  }

  #insert(pattern: Pattern, index: number, boundaries: Set<number>): void {
    let at = 0;
    for (const token of pattern) {
      at = this.#child(at, token);
      if (token.kind === 'literal') boundaries.add(token.code).add(token.code + 1);
      if (token.kind === 'class') for (const [low, high] of token.ranges) boundaries.add(low).add(high + 1);
    }
    (this.#nodes[at] as Node).ends.push(index);
  }

  #child(parent: number, token: Token): number {
    const from = this.#nodes[parent] as Node;
    const key = keyOf(token);
    const known = from.children.get(key);
    if (known !== undefined) return known;
    let child: number;
    switch (token.kind) {
      case 'literal':
        child = this.#add('none');
        from.literals.set(token.code, child);
        break;
      case 'any':
      case 'class':
        child = this.#add('none');
        from.tests.push({ token, to: child });
        break;
      case 'star':
      case 'globstar':
        child = this.#add(token.kind === 'star' ? 'component' : 'all');
        from.skips.push(child);
        break;
      case 'directories': {
        const loop = this.#add('all');
        child = this.#add('none');
        (this.#nodes[loop] as Node).literals.set(slash, child);
        from.skips.push(loop, child);
        break;
      }
    }
    from.children.set(key, child);
    return child;
  }

  #add(loop: Node['loop']): number {
    return this.#nodes.push(newNode(loop)) - 1;
  }

  /** Returns the class of a character: all characters of a class are the same to every pattern. */
  #search(code: number): number {
    let low = 0;
    let high = this.#boundaries.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#boundaries[middle] as number) <= code) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #step(from: number, code: number): number {
    const group = code < 128 ? (this.#ascii[code] as number) : this.#search(code);
    const state = this.#states[from] as State<T>;
    const known = state.next[group] as number;
    if (known >= 0) return known;
    const to = this.#number(this.#follow(state.nodes, this.#boundaries[group] as number));
    // If this made the set forget its states, `state` is one of the forgotten, and the note does no harm.
    state.next[group] = to;
    return to;
  }

  /** Returns the nodes that `code` leads to. Any member of its class stands for all. */
  #follow(nodes: Int32Array, code: number): number[] {
    const reached: number[] = [];
    this.#stamp++;
    for (const index of nodes) {
      this.work++;
      const { loop, literals, tests } = this.#nodes[index] as Node;
      if (loop === 'all' || (loop === 'component' && code !== slash)) this.#reach(index, reached);
      const to = literals.get(code);
      if (to !== undefined) this.#reach(to, reached);
      for (const test of tests) if (accepts(test.token, code)) this.#reach(test.to, reached);
    }
    return reached;
  }

  #reach(index: number, reached: number[]): void {
    if (this.#mark[index] === this.#stamp) return;
    this.#mark[index] = this.#stamp;
    reached.push(index);
    for (const skip of (this.#nodes[index] as Node).skips) this.#reach(skip, reached);
  }

  #number(reached: number[]): number {
    const nodes = Int32Array.from(reached).sort();
    const key = nodes.join();
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.#held + nodes.length + this.#boundaries.length > this.#budget) {
      this.#forget();
      return this.#numbers.get(key) ?? this.#hold(nodes, key);
    }
    return this.#hold(nodes, key);
  }

  #hold(nodes: Int32Array, key: string): number {
    const number =
      this.#states.push({
        nodes,
        next: new Int32Array(this.#boundaries.length).fill(-1),
        value: undefined,
      }) - 1;
    this.#numbers.set(key, number);
    this.#held += nodes.length + this.#boundaries.length;
    return number;
  }

  #forget(): void {
    this.#states = [];
    this.#numbers.clear();
    this.#held = 0;
    this.#hold(new Int32Array(), '');
    const reached: number[] = [];
    this.#stamp++;
    this.#reach(0, reached);
    const nodes = Int32Array.from(reached).sort();
    this.#hold(nodes, nodes.join());
  }
}

function newNode(loop: Node['loop']): Node {
  return { loop, literals: new Map(), tests: [], skips: [], children: new Map(), ends: [] };
}

function keyOf(token: Token): string {
  switch (token.kind) {
    case 'literal':
      return `=${token.code}`;
    case 'class':
      return `[${token.negated ? '^' : ''}${token.ranges.join(' ')}`;
    case 'any':
    case 'star':
    case 'globstar':
    case 'directories':
      return token.kind;
  }
}

function accepts(token: Token, code: number): boolean {
  if (code === slash) return false;
  if (token.kind === 'any') return true;
  return (
    token.kind === 'class' &&
    token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated
  );
}

/**
 * Returns the character that starts at a byte of 0x80 or more, and its length in bytes: a code point, or one invalid byte
 * (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
 */
function decode(path: ByteString, i: number): [code: number, width: number] {
  const first = path.charCodeAt(i);
  const invalid: [number, number] = [invalidByte + first, 1];
  if (first < 0xc2 || first > 0xf4) return invalid;
  const width = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  let code = first & (0x7f >> width);
  for (let k = 1; k < width; k++) {
    const next = path.charCodeAt(i + k); // NaN at the end
    if (!(next >= 0x80 && next <= 0xbf)) return invalid;
    code = (code << 6) | (next & 0x3f);
  }
  if (width === 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) return invalid;
  if (width === 4 && (code < 0x10000 || code > 0x10ffff)) return invalid;
  return [code, width];
}
