/**
 * Matches one path against many patterns at once. `createMatcher` in `rules.ts` makes a set of all globs of a stage.
 */
import type { ByteString } from '../bytes/bytes.ts';
import { invalidByte, type Pattern, slash, type Token } from './pattern.ts';
import { atOnce, itemsPerStep, type Steps } from '../steps.ts';
import { loops, Trie } from './trie.ts';

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

/** Makes a set of patterns in steps. */
export function* patternSetSteps<T>(
  patterns: Iterable<Pattern>,
  summarise: (indices: readonly number[]) => T,
): Steps<PatternSet<T>> {
  const made = new PatternSet<T>([], summarise);
  yield* made.insertSteps(patterns);
  return made;
}

/**
 * Many patterns matched at once, in one pass over a path: literal ones by a table, the rest by an automaton whose
 * states are sets of nodes, made when they are first reached. Whatever the patterns, a character costs at most one
 * look at every place: nothing backtracks. `T` is what the caller wants to know about a set of patterns.
 */
export class PatternSet<T> {
  /** The patterns without wildcards, each with its index; all indices where several are alike. */
  readonly #literals = new Map<ByteString, number>();
  readonly #alike = new Map<ByteString, number[]>();
  /** What was computed for literals that a path had. */
  readonly #values = new Map<ByteString, T>();
  /** The lengths of the literals: to look up every prefix of a path costs the square of its length. */
  readonly #lengths = new Set<number>();
  readonly #trie = new Trie();
  readonly #summarise: (indices: readonly number[]) => T;
  readonly #budget: number;
  #boundaries: number[] = [];
  readonly #ascii = new Uint16Array(128);
  #mark = new Uint32Array();
  #stamp = 0;
  #states: State<T>[] = [];
  readonly #numbers = new Map<string, number>();
  #held = 0;
  /** Characters read plus nodes looked at since the start: the work done, for which tests have a bound. */
  work = 0;

  constructor(
    patterns: Iterable<Pattern>,
    summarise: (indices: readonly number[]) => T,
    budget: number = defaultBudget,
  ) {
    this.#budget = budget;
    this.#summarise = summarise;
    atOnce(this.insertSteps(patterns));
  }

  /** Inserts patterns into a set that had none, before the first look at a path. Their numbers count from 0. */
  *insertSteps(patterns: Iterable<Pattern>): Steps<void> {
    const boundaries = new Set([0, slash, slash + 1]);
    let index = 0;
    for (const pattern of patterns) {
      if (typeof pattern === 'string') this.#insertLiteral(pattern, index);
      else {
        this.#trie.insert(pattern, index);
        for (const token of pattern) addBoundaries(token, boundaries);
      }
      if (++index % itemsPerStep === 0) yield;
    }
    this.#boundaries = [...boundaries].sort((a, b) => a - b);
    for (let code = 0; code < 128; code++) this.#ascii[code] = this.#search(code);
    this.#mark = new Uint32Array(this.#trie.size);
    this.#forget();
  }

  /** How many nodes the patterns have together: their length, less what they share. */
  get size(): number {
    return this.#trie.size;
  }

  /** Calls `found` for each prefix of `path` (its ancestors, then, `own`, itself) that some patterns match. */
  visit(path: ByteString, found: (value: T, own: boolean) => void): void {
    const automaton = this.#trie.size > 1;
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
      const name = own ? path : path.slice(0, end);
      const index = this.#literals.get(name);
      if (index !== undefined) found(this.#valueOf(name, index), own);
    }
    if (state === dead) return;
    const known = this.#states[state] as State<T>;
    if (known.value === undefined) {
      const indices: number[] = [];
      for (const node of known.nodes) for (const index of this.#trie.endsOf(node)) indices.push(index);
      known.value = indices.length === 0 ? null : this.#summarise(indices.sort((a, b) => a - b));
    }
    if (known.value !== null) found(known.value, own);
  }

  #valueOf(name: ByteString, index: number): T {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const value = this.#summarise(this.#alike.get(name) ?? [index]);
    this.#values.set(name, value);
    return value;
  }

  #insertLiteral(name: ByteString, index: number): void {
    this.#lengths.add(name.length);
    const known = this.#literals.get(name);
    if (known === undefined) return void this.#literals.set(name, index);
    const alike = this.#alike.get(name);
    if (alike === undefined) this.#alike.set(name, [known, index]);
    else alike.push(index);
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
      const loop = this.#trie.loopOf(index);
      if (loop === loops.all || (loop === loops.component && code !== slash)) this.#reach(index, reached);
      const to = this.#trie.follow(index, code);
      if (to !== 0) this.#reach(to, reached);
      for (const test of this.#trie.testsOf(index))
        if (accepts(test.token, code)) this.#reach(test.to, reached);
    }
    return reached;
  }

  #reach(index: number, reached: number[]): void {
    if (this.#mark[index] === this.#stamp) return;
    this.#mark[index] = this.#stamp;
    reached.push(index);
    for (const skip of this.#trie.skipsOf(index)) this.#reach(skip, reached);
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

/** Adds the characters at which the classes of characters begin that a token tells apart. */
function addBoundaries(token: Token, boundaries: Set<number>): void {
  if (token.kind === 'literal') boundaries.add(token.code).add(token.code + 1);
  if (token.kind === 'class') for (const [low, high] of token.ranges) boundaries.add(low).add(high + 1);
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
