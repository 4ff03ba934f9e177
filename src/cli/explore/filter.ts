/**
 * Filters of the tree, as they are typed behind `/`: words that must all hold. `*.pyc` or `usr/share` are rules as `prune` reads them,
 * `>10M` and `<1k` sizes, `is:added` statuses; any other word must occur in the path. `!` before a word turns it round.
 */
import { utf8Bytes } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import { OcislimError } from '../../errors.ts';
import { createMatcher, parseRule } from '../../rules/rules.ts';
import { parseSize } from '../../settings/sizes.ts';
import { ruledKind } from '../../slim/resolve/marking.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { Contents } from './contents.ts';
import { type Status, statusNames } from './scope.ts';

/** What decides about each row of a tree. */
export interface Filter {
  readonly text: string;
  /** Tells whether a node at a path matches. `status` is a number of `statusNames`, `bytes` the size of the file. */
  matches(path: number, node: number, status: number, bytes: number): boolean;
}

/** What `is:` may ask for. */
const states = [...statusNames, 'shadowed', 'duplicate'] as const;
type State = (typeof states)[number];

type Term =
  | { readonly kind: 'text' | 'glob'; readonly text: string; readonly isNegated: boolean }
  | { readonly kind: 'larger' | 'smaller'; readonly bytes: number; readonly isNegated: boolean }
  | { readonly kind: 'state'; readonly state: State; readonly isNegated: boolean };

/** A filter that has been parsed. */
export interface FilterWords {
  readonly text: string;
  readonly terms: readonly Term[];
}

/** Parses a filter; null for one without words. @throws USAGE, RULES_INVALID */
export function parseFilter(text: string): FilterWords | null {
  const words = text.split(/\s+/).filter((word) => word !== '');
  return words.length === 0 ? null : { text: words.join(' '), terms: words.map(parseTerm) };
}

function parseTerm(word: string): Term {
  const isNegated = word.startsWith('!') && word.length > 1;
  const rest = isNegated ? word.slice(1) : word;
  const compared = /^([<>])(.+)$/.exec(rest);
  if (compared !== null) {
    const [, sign, size = ''] = compared;
    return { kind: sign === '>' ? 'larger' : 'smaller', bytes: parseSize(size, 'the filter'), isNegated };
  }
  if (rest.startsWith('is:')) {
    const state = states.find((name) => name === rest.slice(3));
    if (state === undefined)
      throw new OcislimError('USAGE', `is: is followed by one of ${states.join(', ')}`);
    return { kind: 'state', state, isNegated };
  }
  if (!/[*?[\]/\\]/.test(rest)) return { kind: 'text', text: rest, isNegated };
  parseRule(rest, 'the filter');
  return { kind: 'glob', text: rest, isNegated };
}

/** Returns which statuses must be shown for a filter: it may ask for what is removed or hidden. */
export function asksForRemoved(words: FilterWords | null): boolean {
  return (
    words?.terms.some((term) => term.kind === 'state' && /^(?:removed|shadowed)$/.test(term.state)) === true
  );
}

/** Compiles a filter over the paths of an image. Globs take about a microsecond for each path. @throws RULES_INVALID */
export function* filterSteps(contents: Contents, { text, terms }: FilterWords): Steps<Filter> {
  const tests: Filter['matches'][] = [];
  for (const term of terms) {
    const matches = yield* termSteps(contents, term);
    tests.push(term.isNegated ? (path, node, status, bytes) => !matches(path, node, status, bytes) : matches);
  }
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return { text, matches: only };
  const matches: Filter['matches'] = (path, node, status, bytes) =>
    tests.every((test) => test(path, node, status, bytes));
  return { text, matches };
}

function* termSteps(contents: Contents, term: Term): Steps<Filter['matches']> {
  switch (term.kind) {
    case 'larger':
      return (_path, _node, _status, bytes) => bytes > term.bytes;
    case 'smaller':
      return (_path, node, _status, bytes) => bytes < term.bytes && isFile(contents, node);
    case 'state':
      return stateTest(contents, term.state);
    case 'text':
    case 'glob': {
      const bits = yield* term.kind === 'text'
        ? textSteps(contents, term.text)
        : globSteps(contents, term.text);
      return (path) => bits[path] === 1;
    }
  }
}

function isFile({ changes: { file } }: Contents, node: number): boolean {
  return node > 0 && (file[node - 1] as number) >= 0;
}

function stateTest(
  { changes: { file, duplicate, lost, size }, at }: Contents,
  state: State,
): Filter['matches'] {
  if (state === 'duplicate')
    return (_path, node) =>
      node > 0 && (file[node - 1] as number) >= 0 && duplicate[file[node - 1] as number] === 1;
  if (state === 'shadowed')
    return (path) => {
      for (let i = at.start[path] as number; i < (at.start[path + 1] as number); i++) {
        const id = at.ids[i] as number;
        if (lost[id] === 1 && (size[id] as number) > 0) return true;
      }
      return false;
    };
  const wanted = statusNames.indexOf(state satisfies Status);
  return (_path, _node, status) => status === wanted;
}

/** Finds a text in paths, without regard to case where it is ASCII without capitals. */
function* textSteps({ table: { paths } }: Contents, text: string): Steps<Uint8Array> {
  const bytes = utf8Bytes(text);
  const isFolded = /^[\x20-\x7e]*$/.test(text) && text === text.toLowerCase();
  const folded = new RegExp(text.replace(/[^a-z0-9]/g, '\\$&'), 'i');
  const found = new Uint8Array(paths.length);
  for (let path = 1; path < paths.length; path++) {
    if (path % itemsPerStep === 0) yield;
    const name = paths[path] as Path;
    if (isFolded ? folded.test(name) : name.includes(bytes)) found[path] = 1;
  }
  return found;
}

/** Finds what a rule names. A rule without a slash means files of that name anywhere, as people expect of a filter. */
function* globSteps({ table: { paths }, changes, at }: Contents, glob: string): Steps<Uint8Array> {
  const match = createMatcher([parseRule(glob.includes('/') ? glob : `**/${glob}`, 'the filter')]);
  const found = new Uint8Array(paths.length);
  for (let path = 1; path < paths.length; path++) {
    if (path % (itemsPerStep / 8) === 0) yield;
    const last = changes.all[at.ids[(at.start[path + 1] as number) - 1] as number];
    const isThere = (at.start[path + 1] as number) > (at.start[path] as number) && last !== undefined;
    if (match(paths[path] as Path, isThere ? ruledKind(last) : 'directory') !== null) found[path] = 1;
  }
  return found;
}
