import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gatherer } from '../../../src/layers/read/gather.ts';
import type { IdentityKind } from '../../../src/layers/read/identities.ts';
import { scanTar } from '../../../src/layers/read/scan-tar.ts';
import { type Identities, isSameIdentity } from '../../../src/rootfs/facts/identities.ts';
import { headBytes, printBytes } from '../../../src/rootfs/facts/prints.ts';
import { lawRuns } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { type EntrySpec, writeTar } from '../../support/model/tar-bytes.ts';
import { compiledModule, retimed } from '../../support/noise.ts';

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function identitiesOf(
  tar: Uint8Array,
  { kind = 'whole', chunk = 700 }: { readonly kind?: IdentityKind; readonly chunk?: number } = {},
): Promise<Identities> {
  const gatherer = new Gatherer({ probe: null, digests: false, twins: false, identities: kind });
  await scanTar(inChunks(tar, chunk), gatherer);
  return gatherer.facts().identities as Identities;
}

test('law: every entry but links is the same after a rebuild with other times, however its bytes arrive', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1, maxLayers: 1 }),
      fc.array(fc.nat(2_000_000_000), { minLength: 1 }),
      fc.constantFrom(512, 700, 100_000),
      async ({ layers }, times, chunk) => {
        const { tar, model } = layers[0] as (typeof layers)[number];
        const rebuilt = await retimed(tar, (entry) => times[entry % times.length] as number);
        const [one, other] = [await identitiesOf(tar, { chunk }), await identitiesOf(rebuilt)];
        model.forEach(({ type }, entry) =>
          expect(isSameIdentity(one, entry, other, entry)).toBe(type !== 'link' && type !== 'global'),
        );
      },
    ),
    { numRuns: lawRuns({ share: 1 / 2 }) },
  );
});

const differing: Readonly<Record<string, readonly [EntrySpec, EntrySpec]>> = {
  contents: [
    { name: 'a', body: Buffer.from('one') },
    { name: 'a', body: Buffer.from('two') },
  ],
  'extended attributes': [
    { name: 'a', format: 'pax', xattrs: { 'user.a': '1' } },
    { name: 'a', format: 'pax', xattrs: { 'user.a': '2' } },
  ],
  targets: [
    { name: 'a', type: 'symlink', linkname: 'b' },
    { name: 'a', type: 'symlink', linkname: 'c' },
  ],
  devices: [
    { name: 'a', type: 'char', devmajor: 1, devminor: 2 },
    { name: 'a', type: 'char', devmajor: 1, devminor: 3 },
  ],
  'the code of compiled modules': [
    { name: 'a.pyc', body: compiledModule({ of: { time: 1, size: 2 }, code: 'one' }) },
    { name: 'a.pyc', body: compiledModule({ of: { time: 1, size: 2 }, code: 'two' }) },
  ],
  'the size of their source': [
    { name: 'a.pyc', body: compiledModule({ of: { time: 1, size: 2 }, code: 'one' }) },
    { name: 'a.pyc', body: compiledModule({ of: { time: 1, size: 3 }, code: 'one' }) },
  ],
  'the time in what is only called so': [
    { name: 'a.pyx', body: compiledModule({ of: { time: 1, size: 2 }, code: 'one' }) },
    { name: 'a.pyx', body: compiledModule({ of: { time: 2, size: 2 }, code: 'one' }) },
  ],
  'the hash of a source': [
    { name: 'a.pyc', body: compiledModule({ code: 'one' }) },
    { name: 'a.pyc', body: compiledModule({ of: { time: 1, size: 2 }, code: 'one' }) },
  ],
};

test.each(Object.entries(differing))('%s make a difference', async (_, [one, other]) => {
  const [a, b] = [await identitiesOf(writeTar([one])), await identitiesOf(writeTar([other]))];
  expect(isSameIdentity(a, 0, a, 0)).toBe(true);
  expect(isSameIdentity(a, 0, b, 0)).toBe(false);
});

describe('a compiled module', () => {
  const moduleOf = (time: number) =>
    writeTar([
      { name: '__pycache__/a.cpython-311.pyc', body: compiledModule({ of: { time, size: 7 }, code: 'x' }) },
    ]);

  test('is the same whatever the time of its source, which is kept beside', async () => {
    const [a, b] = [
      await identitiesOf(moduleOf(1)),
      await identitiesOf(moduleOf(2 ** 32 - 1), { chunk: 521 }),
    ];
    expect(isSameIdentity(a, 0, b, 0)).toBe(true);
    expect([a.stamps.get(0), b.stamps.get(0)]).toEqual([
      { time: 1, size: 7 },
      { time: 2 ** 32 - 1, size: 7 },
    ]);
  });
});

test('of large files a quick look names them as a whole one does, which tells more', async () => {
  const large = (last: number) =>
    writeTar([{ name: 'a', body: new Uint8Array(headBytes + 10).fill(last, headBytes + 5) }]);
  const [quick, whole, other] = [
    await identitiesOf(large(1), { kind: 'quick' }),
    await identitiesOf(large(1)),
    await identitiesOf(large(2)),
  ];
  expect(quick.names).toEqual(whole.names);
  expect([quick.whole.size, whole.whole.size]).toEqual([0, 1]);
  expect(isSameIdentity(whole, 0, other, 0)).toBe(false);
  expect(isSameIdentity({ ...whole, names: other.names }, 0, other, 0)).toBe(false);
  expect(whole.names.length).toBe(printBytes);
});
