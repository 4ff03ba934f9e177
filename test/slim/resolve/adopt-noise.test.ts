import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { relayer, type RelayerOptions } from '../../../src/slim/relayer.ts';
import { lawRuns, runAfter } from '../../laws/rig.ts';
import { type EntrySpec, writeTar } from '../../support/model/tar-bytes.ts';
import { type ModelEntry, readTar } from '../../support/model/tar-reader.ts';
import { compiledModule } from '../../support/noise.ts';

const options: RelayerOptions = {
  by: 'package',
  maxLayers: 3,
  maxLayer: null,
  groups: [],
  noise: 'adopt',
  previousOf: () => [],
};

/** Adopts the noise of a previous version. Returns the entries of the result by name, and what was counted. */
async function adopt(own: readonly EntrySpec[], previous: readonly EntrySpec[]) {
  const outcome = await runAfter([writeTar(own)], [writeTar(previous)], (before) =>
    relayer({ kind: 'all' }, { ...options, imageBefore: () => before }),
  );
  const entries = new Map<string, ModelEntry>();
  // Of a directory that several layers have, the uppermost counts.
  for (const entry of outcome.tars.flatMap((tar) => readTar(tar))) entries.set(entry.name, entry);
  return { entries, adopted: outcome.resolution.relayered?.adopted };
}

const timeOf = (entries: ReadonlyMap<string, ModelEntry>, name: string) => entries.get(name)?.mtime;

describe('an entry', () => {
  const was: EntrySpec = { name: 'a', body: Buffer.from('x'), mtime: '7', uname: 'root' };
  const is: EntrySpec = { name: 'a', body: Buffer.from('x'), mtime: '9' };

  test('that differs in times and names of owners alone has the head that it had', async () => {
    const { entries, adopted } = await adopt([is], [was]);
    expect(entries.get('a')).toMatchObject({ mtime: '7', uname: 'root' });
    expect(adopted).toMatchObject({ times: 1, compiled: 0 });
    expect(adopted?.standsFor(2, 0)).toMatchObject({ layer: 1, entry: 0 });
    expect(adopted?.standsFor(1, 0)).toBeNull();
  });

  const others: Readonly<Record<string, EntrySpec>> = {
    contents: { ...was, body: Buffer.from('y') },
    mode: { ...was, mode: 0o600 },
    owner: { ...was, uid: 5 },
    group: { ...was, gid: 5 },
    attributes: { ...was, format: 'pax', xattrs: { 'user.a': 'b' } },
    kind: { name: 'a', type: 'symlink', linkname: 'x', mtime: '7' },
  };

  test.each(Object.entries(others))('that had another %s stays as it is', async (_, before) => {
    const { entries, adopted } = await adopt([is], [before]);
    expect(timeOf(entries, 'a')).toBe('9');
    expect(adopted?.times).toBe(0);
  });

  test('with another name stays as it is, and so does one that lost a name', async () => {
    const link: EntrySpec = { name: 'b', type: 'link', linkname: 'a', mtime: '3' };
    expect(timeOf((await adopt([is], [was, link])).entries, 'a')).toBe('9');
    expect(timeOf((await adopt([is, link], [was])).entries, 'a')).toBe('9');
    const both = await adopt([is, { ...link, mtime: '4' }], [was, link]);
    expect(['a', 'b'].map((name) => timeOf(both.entries, name))).toEqual(['7', '3']);
  });
});

describe('a file that holds the times of others', () => {
  const version = (time: string, cache: string): EntrySpec[] => [
    { name: 'usr/share/fonts/', type: 'dir', mtime: time },
    { name: 'usr/share/doc/', type: 'dir', mtime: time },
    { name: 'var/cache/fontconfig/0-le64.cache-7', body: Buffer.from(cache) },
  ];

  test('keeps them as they are where it is another one itself', async () => {
    const { entries } = await adopt(version('9', 'new'), version('7', 'old'));
    expect(['fonts', 'doc'].map((name) => timeOf(entries, `usr/share/${name}/`))).toEqual(['9', '7']);
  });

  test('lets them go where it is the same', async () => {
    const { entries } = await adopt(version('9', 'old'), version('7', 'old'));
    expect(['fonts', 'doc'].map((name) => timeOf(entries, `usr/share/${name}/`))).toEqual(['7', '7']);
  });
});

/** A source and two compiled modules of it, as one version has them. */
interface PythonFiles {
  /** The time of the source; null for none. */
  readonly source: number | null;
  /** The time of its source that each module states, and its code; null for none. */
  readonly modules: readonly ({ readonly time: number; readonly code: string } | null)[];
}

const moduleNames = ['__pycache__/a.cpython-311.pyc', '__pycache__/a.cpython-311.opt-1.pyc'];

function entriesOf({ source, modules }: PythonFiles, time: number): EntrySpec[] {
  const own = source === null ? [] : [{ name: 'a.py', body: Buffer.from('text'), mtime: `${source}` }];
  const compiled = modules.flatMap((module, i) =>
    module === null
      ? []
      : {
          name: moduleNames[i] as string,
          mtime: `${time}`,
          body: compiledModule({ of: { time: module.time, size: 4 }, code: module.code }),
        },
  );
  return [...own, ...compiled];
}

/** Tells of each module whether Python takes it for that of the source; null for a module or source that is not there. */
function judge(entries: ReadonlyMap<string, ModelEntry>): readonly (boolean | null)[] {
  const source = entries.get('a.py');
  return moduleNames.map((name) => {
    const module = entries.get(name);
    if (source === undefined || module === undefined) return null;
    return Buffer.from(module.body).readUInt32LE(8) === Number(source.mtime);
  });
}

const pythonFiles: fc.Arbitrary<PythonFiles> = fc.record({
  source: fc.option(fc.nat(3), { freq: 5 }),
  modules: fc.tuple(
    ...moduleNames.map(() =>
      fc.option(fc.record({ time: fc.nat(3), code: fc.constantFrom('one', 'one', 'two') }), { freq: 5 }),
    ),
  ),
});

test('law: Python judges every compiled module as before, whatever the previous version had', async () => {
  await fc.assert(
    fc.asyncProperty(pythonFiles, pythonFiles, async (own, previous) => {
      const before = entriesOf(own, 100);
      const { entries } = await adopt(before, entriesOf(previous, 200));
      const now = new Map(readTar(writeTar(before)).map((entry) => [entry.name, entry] as const));
      expect(judge(entries)).toEqual(judge(now));
      for (const [name, { body }] of now) {
        const code = (bytes: Uint8Array | undefined) =>
          Buffer.from(bytes ?? []).subarray(name === 'a.py' ? 0 : 12);
        expect(code(entries.get(name)?.body)).toEqual(code(body));
      }
    }),
    { numRuns: lawRuns({ usual: 300 }) },
  );
});

test('a source and its modules are taken over together, bytes and all', async () => {
  const version = (time: number): PythonFiles => ({
    source: time,
    modules: moduleNames.map(() => ({ time, code: 'one' })),
  });
  const { entries, adopted } = await adopt(entriesOf(version(9), 100), entriesOf(version(7), 50));
  expect([...entries.values()].map(({ mtime }) => mtime).toSorted()).toEqual(['50', '50', '7']);
  expect(judge(entries)).toEqual([true, true]);
  expect(adopted).toMatchObject({ times: 3, compiled: 2 });
});
