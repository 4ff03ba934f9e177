import { describe, expect, test } from 'vitest';
import { arrange } from '../../src/slim/arrange.ts';
import { maxNames } from '../../src/slim/resolve/duplicates.ts';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import { formProblems, type Outcome, rootfsOf, run } from '../laws/rig.ts';
import { bytesOf } from '../support/model/byte-string.ts';
import { linkGroups } from '../support/model/filesystem.ts';
import { type Short, specOf } from '../support/model/shorthand.ts';
import { type EntrySpec, writeTar } from '../support/model/tar-bytes.ts';
import { readTar } from '../support/model/tar-reader.ts';

const all = { kind: 'all' } as const;
const tarOf = (...entries: Short[]) => writeTar(entries.map(specOf));
const namesIn = (tar: Uint8Array | undefined) => readTar(tar ?? new Uint8Array(0)).map(({ name }) => name);
const linking = (order: 'similar' | null = null) => arrange(all, { order, hardlinks: true, always: true });
const sorting = arrange(all, { order: 'similar', hardlinks: false, always: true });

function linksOf({ resolution }: Outcome): string[] {
  const name = (path: number) => resolution.table?.paths[path] ?? '';
  return resolution.linked.map(({ link, to, size }) => `${name(link.path)}->${name(to.path)} ${size}`);
}

describe('order similar', () => {
  test('directories first, then data by likeness, then links after what they name', async () => {
    const tar = tarOf('z/', 'z/b.py=1', 'z/n~>b.py', 'a/', 'z/l.so=2', 'a/a.py=3', 'z/y->z/b.py', 'a/x->z/y');
    const outcome = await run([tar], sorting);
    expect(namesIn(outcome.tars[0])).toEqual(['a/', 'z/', 'z/n', 'z/l.so', 'a/a.py', 'z/b.py', 'z/y', 'a/x']);
    expect(formProblems(outcome, [tar])).toEqual([]);
  });

  test('a layer of which nothing goes keeps its bytes, unless it was named', async () => {
    const tars = [tarOf('b=1', 'a=1'), tarOf('d=1', 'c=1', 'gone=1')];
    const rules = [parseRule('gone', '--rule')];
    const stage = (always: boolean) => arrange(all, { order: 'similar', hardlinks: false, always });
    const some = await run(tars, prune(all, { rules }), stage(false));
    expect(some.tars[0]).toBe(tars[0]);
    expect(namesIn(some.tars[1])).toEqual(['c', 'd']);
    const each = await run(tars, prune(all, { rules }), stage(true));
    expect(each.tars.map(namesIn)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  test('a layer named alone keeps its whiteouts, and its links into layers that are not scanned', async () => {
    const tars = [tarOf('t=1', 'w=1', 'd/x=1'), tarOf('z=1', 'l->t', 'b=1', '.wh.w', 'd/.wh..wh..opq')];
    const outcome = await run(
      tars,
      arrange({ kind: 'last', count: 1 }, { order: 'similar', hardlinks: true, always: true }),
    );
    expect(namesIn(outcome.tars[1])).toEqual(['d/.wh..wh..opq', '.wh.w', 'b', 'z', 'l']);
    expect([...outcome.read]).toEqual([2]);
  });

  test('a promoted link takes its place under its new name', async () => {
    const tars = [tarOf('a.so=lib', 'z.py->a.so', 'b.so=b'), tarOf('.wh.a.so')];
    const outcome = await run(tars, squash(all), sorting);
    expect(namesIn(outcome.tars[0])).toEqual(['b.so', 'z.py']);
    expect(rootfsOf(outcome.tars).get('z.py')?.content).toContain('lib');
  });
});

describe('files that are the same', () => {
  test('become names of the first of them by path', async () => {
    const outcome = await run([tarOf('c=same', 'b=same', 'a=other', 'd=same')], linking());
    expect(linksOf(outcome)).toEqual(['c->b 4', 'd->b 4']);
    expect(namesIn(outcome.tars[0])).toEqual(['b', 'a', 'c', 'd']);
    expect(linkGroups(rootfsOf(outcome.tars)).get('d')).toEqual(['b', 'c', 'd']);
  });

  const base: EntrySpec = { name: 'a', body: bytesOf('x'), mtime: '1700000000', mode: 0o644, uid: 1, gid: 1 };
  test.each<[string, Partial<EntrySpec>]>([
    ['other contents', { body: bytesOf('y') }],
    ['another mode', { mode: 0o600 }],
    ['another owner', { uid: 2 }],
    ['another group', { gid: 2 }],
    ['another name of the owner', { uname: 'b' }],
    ['another time, by a nanosecond', { mtime: '1700000000.000000001' }],
    ['an extended attribute', { xattrs: { 'user.a': 'b' } }],
  ])('not with %s', async (_, difference) => {
    const outcome = await run(
      [tarOf(base, { ...base, name: 'b' }, { ...base, name: 'c', ...difference })],
      linking(),
    );
    expect(linksOf(outcome)).toEqual(['b->a 1']);
  });

  test.each<[string, Partial<EntrySpec>]>([
    ['no data', { body: bytesOf('') }],
    ['setuid', { mode: 0o4755 }],
    ['setgid', { mode: 0o2755 }],
    ['capabilities', { xattrs: { 'security.capability': '\x01\x00\x00\x02' } }],
    [
      'holes',
      {
        body: bytesOf('x'.repeat(512)),
        sparse: { format: '1.0', size: 9000, map: [[4096, 512]] },
        format: 'pax',
      },
    ],
  ])('never with %s', async (_, trait) => {
    const outcome = await run([tarOf({ ...base, ...trait }, { ...base, ...trait, name: 'b' })], linking());
    expect(linksOf(outcome)).toEqual([]);
  });

  test('the link keeps every attribute, long names and large numbers too', async () => {
    const long = `${'d'.repeat(120)}/${'e'.repeat(90)}`;
    for (const format of ['pax', 'gnu'] as const) {
      const spec: EntrySpec = { ...base, name: long, uid: 3_000_000_000, format };
      const tar = tarOf(spec, { ...spec, name: `${long}2` }, { ...spec, name: 'z' });
      const outcome = await run([tar], linking());
      expect(linksOf(outcome)).toEqual([`${long}2->${long} 1`, `z->${long} 1`]);
      const links = readTar(outcome.tars[0] as Uint8Array).filter(({ type }) => type === 'link');
      expect(links.map(({ linkname, uid, mode, size }) => [linkname, uid, mode, size])).toEqual(
        links.map(() => [long, 3_000_000_000, 0o644, 0]),
      );
      expect(formProblems(outcome, [tar])).toEqual([]);
    }
  });

  test('of different layers they stay apart, of one squashed layer they do not', async () => {
    const tars = [tarOf('a=same'), tarOf('b=same')];
    expect(linksOf(await run(tars, linking()))).toEqual([]);
    expect(linksOf(await run(tars, squash(all), linking()))).toEqual(['b->a 4']);
  });

  test('other names of a linked file follow it', async () => {
    const tars = [tarOf('b=same', 'a=same', 'c->b', 'e=same', 'gone=same', 'd->gone'), tarOf('.wh.gone')];
    for (const order of ['similar', null] as const) {
      const outcome = await run(tars, squash(all), linking(order));
      expect(linksOf(outcome)).toEqual(['b->a 4', 'd->a 4', 'e->a 4']);
      expect(linkGroups(rootfsOf(outcome.tars)).get('a')).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(formProblems(outcome, tars)).toEqual([]);
    }
  });

  test('a file has no more names than filesystems bear', async () => {
    const names = Array.from({ length: maxNames + 5 }, (_, i) => String(i).padStart(5, '0'));
    const outcome = await run([tarOf(...names.map((name) => `${name}=same`), 'x->00000')], linking());
    const groups = linkGroups(rootfsOf(outcome.tars));
    expect(groups.get('00000')?.length).toBe(maxNames);
    expect(groups.get('01004')?.length).toBe(6);
  });
});
