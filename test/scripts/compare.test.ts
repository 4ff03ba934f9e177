import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differences } from '../../scripts/compare/differences.ts';
import { codesIn, eventsIn, normalise, optionsIn } from '../../scripts/compare/normal.ts';
import { factOf, type Observation } from '../../scripts/compare/observation.ts';
import { observeFolder } from '../../scripts/compare/observe.ts';
import { buildImage, type LayerCompression, writeLayout } from '../support/image-builder.ts';
import { type Short, specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

const checkout = { folder: '/srv/one', bin: '', module: '', version: '1.2.3' };
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-compare-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

function printed(facts: Readonly<Record<string, string>>, stderr = ''): Observation {
  return { facts: new Map(Object.entries(facts).map(([key, text]) => [key, factOf(text)])), folder, stderr };
}

/** What a case has left that wrote an image of one layer. */
async function written(name: string, entry: Short, compress: LayerCompression): Promise<Observation> {
  const image = buildImage({ layers: [writeTar(['etc/', entry].map(specOf))], compress });
  await writeLayout(join(folder, name, 'out'), { new: image });
  return { facts: await observeFolder(join(folder, name), checkout), folder: join(folder, name), stderr: '' };
}

describe('two observations', () => {
  test('that are equal differ in nothing', async () => {
    const one = printed({ status: '0', stdout: 'a\nb', 'report.json': '{"a": [1]}' });
    expect(await differences(one, one)).toEqual([]);
  });

  test('differ in lines, in members of JSON, and in what one of them lacks', async () => {
    const before = printed({ stdout: 'a\nb\nb', 'report.json': '{"a": [1], "b-c": 2}', digest: 'x' });
    const after = printed({ stdout: 'b\nc', 'report.json': '{"a": [2], "d": 3}' });
    expect(await differences(before, after)).toEqual([
      'digest',
      '  is only there before',
      'report.json',
      '  $.a[0]: 1 → 2',
      '  $["b-c"]: 2 → nothing',
      '  $.d: nothing → 3',
      'stdout',
      '  - a',
      '  - b',
      '  + c',
    ]);
    const [first, second] = [
      printed({ a: 'x\ny', b: '{"c": 1, "d": 2}' }),
      printed({ a: 'y\nx', b: '{"d": 2, "c": 1}' }),
    ];
    expect(await differences(first, second)).toEqual([
      'a',
      '  the same lines in another order',
      'b',
      '  $: the same members in another order',
    ]);
  });

  test('of another status show the last errors', async () => {
    const after = printed({ status: '1' }, 'working\nocislim: no room [IO]\n');
    expect(await differences(printed({ status: '0' }), after)).toEqual([
      'status',
      '  - 0',
      '  + 1',
      '  after: ocislim: no room [IO]',
    ]);
  });

  test('with another layer show its first other entry, and name what follows', async () => {
    const before = await written('before', { name: 'etc/motd', mode: 0o644 }, 'gzip');
    const after = await written('after', { name: 'etc/motd', mode: 0o600 }, 'gzip');
    const found = await differences(before, after);
    expect(found[0]).toBe('out:new, layer 1');
    expect(found.slice(3)).toEqual([
      '  2 → 2 entries; the first that differs is number 2, etc/motd',
      '  $.mode: 420 → 384',
      'in digests and numbers only: out/index.json; out:new; out:new, config',
    ]);
  });

  test('with a layer that is packed otherwise say so', async () => {
    const entry = { name: 'etc/motd', body: new Uint8Array(2000) };
    const found = await differences(
      await written('gzip', entry, 'gzip'),
      await written('zstd', entry, 'zstd'),
    );
    expect(found.join('\n')).toMatch(/packed otherwise: \d+ → \d+ bytes/);
  });
});

describe('what does not count', () => {
  test('is the place and version of a checkout, temporary names, and the wording of warnings', () => {
    const text =
      '/srv/one/x "ocislim", "version": "1.2.3" /tmp/ocislim-aB3dEf/y {"code": "WINDOW_CAPPED", "message": "a \\"b\\" c"}\n- `WINDOW_CAPPED`: words';
    expect(normalise(text, checkout)).toBe(
      'CHECKOUT/x "ocislim", "version": "VERSION" /tmp/ocislim-XXXXXX/y {"code": "WINDOW_CAPPED", "message": "…"}\n- `WINDOW_CAPPED`: …',
    );
  });

  test('is the wording of what was forced, but not how often', () => {
    const forced = (...reasons: string[]) => normalise(JSON.stringify({ forced: reasons }), checkout);
    expect(forced('a "b" [c]', 'd')).toBe(forced('e', 'f]'));
    expect(forced('a')).not.toBe(forced('a', 'b'));
    expect(normalise('{\n "forced": [\n  "a",\n  "b"\n ]\n}', checkout)).toBe('{\n "forced": 2\n}');
  });

  test('is everything on standard error but codes, and events where they are asked for', () => {
    expect(codesIn('warning: words [B]\nx [NOT] y\nocislim: words [NOT_FOUND]\n  advice')).toEqual([
      'NOT_FOUND',
    ]);
    const event = (time: string, more: string) => `{"time":"${time}","type":"warning","code":"X",${more}}`;
    expect(eventsIn(`${event('1', '"message":"a"')}\nplain`)).toEqual(eventsIn(event('2', '"message":"b"')));
    expect(optionsIn('  --last N  the N topmost\n  -q, --quiet  no progress')).toEqual(['last', 'quiet']);
  });
});

test('an archive is compared by its members in any order', async () => {
  const members = ['oci-layout={}', 'blobs/a=1', 'index.json={}'].map(specOf);
  for (const [name, list] of [
    ['x', members],
    ['y', members.toReversed()],
  ] as const) {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, 'a.tar'), writeTar(list));
  }
  const observe = async (name: string): Promise<Observation> => ({
    facts: await observeFolder(join(folder, name), checkout),
    folder: join(folder, name),
    stderr: '',
  });
  expect(await differences(await observe('x'), await observe('y'))).toEqual([]);
});
