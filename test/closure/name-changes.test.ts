import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChangedNames, followChanges } from '../../src/closure/name-changes.ts';
import type { Path } from '../../src/bytes/path.ts';
import type { NameChange } from '../../src/trace/trace.ts';
import { wordsOf } from '../../src/trace/trace-file.ts';
import { imageOf, symlink, type Table, traceOf } from './rig.ts';
import { b, p } from '../support/bytes.ts';

const moved = (path: string, from: string): NameChange => ({ kind: 'moved', path: b(path), from: b(from) });
const made = (path: string, target: string): NameChange => ({
  kind: 'symlink',
  path: b(path),
  target: b(target),
});

/** The names of a trace, and the paths of the image that they add by these changes. */
async function added(table: Table, changes: readonly NameChange[], paths: Record<string, string>) {
  const { fs } = await imageOf(table);
  const trace = traceOf(paths, { changes });
  const followed = followChanges(fs, trace).paths;
  return Object.fromEntries(
    [...followed]
      .filter(([path, bits]) => trace.paths.get(path) !== bits)
      .map(([path, bits]) => [path, wordsOf(bits).join(' ')]),
  );
}

describe('a name that the run changed', () => {
  it.each<[string, Table, NameChange[], Record<string, string>, Record<string, string>]>([
    [
      'a symlink, relative',
      { 'etc/a/x': '1', 'etc/e/k': '2' },
      [made('etc/e/x', '../a/x')],
      { 'etc/e/x': 'open' },
      { 'etc/a/x': 'open' },
    ],
    [
      'a symlink, absolute',
      { 'opt/v2/f': '1' },
      [made('run/cur', '/opt/v2')],
      { 'run/cur/f': 'open' },
      { 'opt/v2/f': 'open' },
    ],
    [
      'a symlink that replaces a directory',
      { 'app/logs/k': '1', 'data/logs/k': '2' },
      [made('app/logs', '/data/logs')],
      { 'app/logs/k': 'open' },
      { 'data/logs/k': 'open' },
    ],
    [
      'a file that is created below a symlink',
      { 'data/logs/k': '2' },
      [made('app/logs', '/data/logs')],
      { 'app/logs/x': 'write' },
      { 'data/logs/x': 'write' },
    ],
    [
      'a symlink that was made and renamed into its place',
      { 'app/releases/1/f': '1' },
      [made('app/tmp', 'releases/1'), moved('app/current', 'app/tmp')],
      { 'app/current/f': 'stat' },
      { 'app/releases/1/f': 'stat' },
    ],
    ['a renamed file', { 'a/x': '1' }, [moved('b', 'a/x')], { b: 'open' }, { 'a/x': 'open' }],
    [
      'a file in a renamed directory',
      { 'app/default/sub/f': '1' },
      [moved('app/cur', 'app/default')],
      { 'app/cur/sub/f': 'open' },
      { 'app/default/sub/f': 'open' },
    ],
    [
      'a directory that was renamed twice',
      { 'a/f': '1' },
      [moved('b', 'a'), moved('c', 'b')],
      { 'c/f': 'open' },
      { 'a/f': 'open' },
    ],
    [
      'exchanged directories',
      { 'a/f': '1', 'b/g': '2' },
      [moved('b', 'a'), moved('a', 'b')],
      { 'b/f': 'open', 'a/g': 'open' },
      { 'a/f': 'open', 'b/g': 'open' },
    ],
    [
      'a hard link whose first name is gone',
      { 'app/orig': '1' },
      [moved('app/new', 'app/orig')],
      { 'app/new': 'open' },
      { 'app/orig': 'open' },
    ],
    [
      'a relative symlink of the image that was moved',
      { 'a/l': symlink('../x'), 'b/c/': '', 'b/x': '1' },
      [moved('b/c/l', 'a/l')],
      { 'b/c/l': 'open' },
      { 'a/l': 'link', 'b/x': 'open' },
    ],
    [
      'a change below a symlink of the image',
      { 'var/run': symlink('/run'), 'run/k': '', 'opt/v2/f': '1' },
      [made('var/run/cur', '/opt/v2')],
      { 'run/cur/f': 'open' },
      { 'opt/v2/f': 'open' },
    ],
    [
      '.. after a symlink that the run made',
      { 'opt/v2/f': '1', 'opt/g': '2' },
      [made('run/cur', '/opt/v2')],
      { 'run/cur/../g': 'open' },
      { 'opt/g': 'open' },
    ],
    [
      'a change that another process made first',
      { 'data/x/f': '1' },
      [made('l/y', '/data/x'), made('l', 'm')],
      { 'm/y/f': 'open' },
      { 'data/x/f': 'open' },
    ],
    [
      'a symlink itself',
      { 'a/l': symlink('x'), 'a/x': '1' },
      [moved('b', 'a')],
      { 'b/l': 'link' },
      { 'a/l': 'link' },
    ],
    [
      'symlinks of the run that lead in a circle',
      { 'a/f': '1' },
      [made('a/x', 'y'), made('a/y', 'x')],
      { 'a/x/f': 'open' },
      {},
    ],
    ['a file that only the run had', { 'a/f': '1' }, [moved('a/f', 'tmp/new')], { 'a/f': 'open' }, {}],
  ])('is what the image has elsewhere: %s', async (_, table, changes, used, expected) => {
    expect(await added(table, changes, used)).toEqual(expected);
  });

  it('leaves a trace without changes as it is', async () => {
    const { fs } = await imageOf({ a: '1' });
    const trace = traceOf({ a: 'open' });
    expect(followChanges(fs, trace)).toBe(trace);
  });
});

/** The reference: a file system in memory, in which every file knows where the image had it. */
interface Node {
  readonly kind: 'file' | 'directory' | 'symlink';
  /** The path in the image; null for what the run made. */
  readonly origin: Path | null;
  readonly target: string;
  readonly children: Map<string, Node>;
}

function node(kind: Node['kind'], origin: Path | null, target = ''): Node {
  return { kind, origin, target, children: new Map() };
}

class Model {
  readonly root = node('directory', p(''));

  constructor(table: Table) {
    for (const [name, thing] of Object.entries(table)) {
      const parts = name.split('/').filter((part) => part !== '');
      let at = this.root;
      parts.forEach((part, i) => {
        const path = p(parts.slice(0, i + 1).join('/'));
        const isLast = i === parts.length - 1 && !name.endsWith('/');
        const target = typeof thing === 'string' ? '' : String(thing.entry.linkname);
        const kind = isLast ? (typeof thing === 'string' ? 'file' : 'symlink') : 'directory';
        const next = at.children.get(part) ?? node(kind, path, target);
        at.children.set(part, next);
        at = next;
      });
    }
  }

  /** Returns the directories from the root to a name, the name in the last, and what it leads to. Null where it fails. */
  walk(name: string, follow: boolean): { stack: Node[]; last: string; node: Node | null } | null {
    let stack = [this.root];
    const ahead = name
      .split('/')
      .filter((part) => part !== '')
      .reverse();
    for (let links = 0; ; ) {
      const part = ahead.pop();
      if (part === undefined) return { stack: stack.slice(0, -1), last: '', node: stack.at(-1) as Node };
      if (part === '..') {
        stack = stack.length > 1 ? stack.slice(0, -1) : stack;
        continue;
      }
      const found = (stack.at(-1) as Node).children.get(part) ?? null;
      if (found?.kind === 'symlink' && (ahead.length > 0 || follow)) {
        if (++links > 40) return null;
        if (found.target.startsWith('/')) stack = [this.root];
        ahead.push(
          ...found.target
            .split('/')
            .filter((each) => each !== '')
            .reverse(),
        );
        continue;
      }
      if (ahead.length === 0) return { stack, last: part, node: found };
      if (found?.kind !== 'directory') return null;
      stack = [...stack, found];
    }
  }

  /** Makes a change if the kernel would. Returns the changes of names that a trace shows of it. */
  apply(op: Op): readonly NameChange[] {
    const to = this.walk(op.to, false);
    if (to === null || to.last === '') return [];
    const directory = to.stack.at(-1) as Node;
    if (op.kind === 'remove') {
      if (to.node !== null) directory.children.delete(to.last);
      return [];
    }
    if (op.kind === 'mkdir' || op.kind === 'symlink') {
      if (to.node !== null) return [];
      directory.children.set(to.last, node(op.kind === 'mkdir' ? 'directory' : 'symlink', null, op.from));
      return op.kind === 'mkdir' ? [] : [made(op.to, op.from)];
    }
    const from = this.walk(op.from, false);
    if (from?.node === undefined || from.node === null || from.last === '' || from.node === to.node)
      return [];
    if (to.stack.includes(from.node) || (to.node !== null && from.stack.includes(to.node))) return [];
    return this.#move(op, from as Place, to);
  }

  #move(op: Op, from: Place, to: { stack: Node[]; last: string; node: Node | null }): readonly NameChange[] {
    const [source, directory] = [from.stack.at(-1) as Node, to.stack.at(-1) as Node];
    const isBoth = op.kind === 'exchange';
    if (op.kind === 'link' && (from.node.kind === 'directory' || to.node !== null)) return [];
    if (isBoth && to.node === null) return [];
    if (
      op.kind === 'rename' &&
      to.node !== null &&
      (to.node.kind === 'directory' || from.node.kind === 'directory')
    )
      return [];
    if (op.kind !== 'link') source.children.delete(from.last);
    if (isBoth) source.children.set(from.last, to.node as Node);
    directory.children.set(to.last, from.node);
    return [moved(op.to, op.from), ...(isBoth ? [moved(op.from, op.to)] : [])];
  }
}

type Place = { stack: Node[]; last: string; node: Node };

interface Op {
  readonly kind: 'rename' | 'exchange' | 'link' | 'symlink' | 'mkdir' | 'remove';
  readonly from: string;
  readonly to: string;
}

const part = fc.constantFrom('a', 'b', 'c', 'd');
const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const target = fc.oneof(
  name,
  name.map((at) => `/${at}`),
  name.map((at) => `../${at}`),
);
const tree: fc.Arbitrary<Table> = fc
  .array(fc.tuple(name, fc.option(target)), { minLength: 1, maxLength: 10 })
  .map((pairs) => {
    const table: Record<string, Table[string]> = {};
    for (const [at, to] of pairs)
      if (
        !Object.keys(table).some((one) => one === at || one.startsWith(`${at}/`) || at.startsWith(`${one}/`))
      )
        table[at] = to === null ? 'x' : symlink(to);
    return table;
  });
const op: fc.Arbitrary<Op> = fc.record({
  kind: fc.constantFrom('rename', 'rename', 'exchange', 'link', 'symlink', 'mkdir', 'remove'),
  from: fc.oneof(name, target),
  to: name,
});

it('every name leads at least to where it led in a file system that had the changes', async () => {
  await fc.assert(
    fc.asyncProperty(
      tree,
      fc.array(op, { maxLength: 8 }),
      fc.array(name, { minLength: 1, maxLength: 8 }),
      async (table, ops, looked) => {
        const { fs } = await imageOf(table);
        const model = new Model(table);
        const changes: NameChange[] = [];
        const seen: { name: string; follow: boolean; origin: Path }[] = [];
        for (const each of [...ops, null]) {
          for (const at of looked)
            for (const follow of [true, false]) {
              const origin = model.walk(at, follow)?.node?.origin ?? null;
              if (origin !== null) seen.push({ name: at, follow, origin });
            }
          if (each !== null) changes.push(...model.apply(each));
        }
        const names = new ChangedNames(fs, changes);
        for (const { name: at, follow, origin } of seen) {
          const found = names.find(b(at), { follow }).map(({ path }) => path);
          expect(found, `${at} led to ${origin}`).toContain(origin);
          // What no change concerns is read from the image as it is.
          if (!names.concern(b(at)) && follow) expect(fs.resolve(b(at)).path).toBe(origin);
        }
      },
    ),
  );
});
