import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { layerStack } from '../support/arbitrary/layers.ts';
import { tarOf } from '../support/build/adding.ts';
import { p } from '../support/bytes.ts';
import { runs } from '../support/extent.ts';
import { applyLayers } from '../support/model/filesystem.ts';
import { specOf } from '../support/model/shorthand.ts';
import { readTar, writeTar } from '../support/model/tar-bytes.ts';

let file = '';
let work = '';
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'ocislim-tar-'));
  file = join(work, 'f');
});
afterEach(() => rmSync(work, { recursive: true }));

const tarFor = (given: object = {}) => tarOf({ kind: 'tar', path: file, ...given });

describe('a tar at the root of an image is the layer, byte for byte', () => {
  const packings = { plain: (tar: Uint8Array) => tar, gzip: gzipSync, zstd: zstdCompressSync };
  test.each(Object.entries(packings))('packed as %s', async (_, pack) => {
    const tar = writeTar(['d/', 'd/f=x', 'l->d/f', '.wh.old='].map(specOf), 'record');
    writeFileSync(file, pack(tar));
    expect(Buffer.from(await tarFor())).toEqual(Buffer.from(tar));
  });
});

test('a tar with a directory before its names means the same below that directory', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ maxLayers: 1 }), async ({ layers: [layer] }) => {
      fc.pre(layer !== undefined && layer.tar.length > 0);
      writeFileSync(file, layer.tar);
      const moved = readTar(await tarFor({ destination: p('opt/app') }));
      const found = [...applyLayers([moved])].flatMap(([path, node]) =>
        path.startsWith('opt/app/')
          ? [[path.slice('opt/app/'.length), [node.kind, node.content, node.mode]] as const]
          : [],
      );
      const wanted = [...applyLayers([layer.model])].flatMap(([path, node]) =>
        path === '' ? [] : [[path, [node.kind, node.content, node.mode]] as const],
      );
      expect(new Map(found)).toEqual(new Map(wanted));
    }),
    { numRuns: runs(60, 300) },
  );
});

describe('what no program could unpack is refused', () => {
  test.each([
    ['a hard link to nothing', ['a=x', 'b->missing'], /points at "missing"/],
    ['a hard link to what comes later', ['b->a', 'a=x'], /points at "a"/],
    ['a hard link to a file of the image', ['b->bin/sh'], /points at "bin\/sh"/],
    ['a whiteout of nothing', ['d/', 'd/.wh.='], /whiteout of nothing/],
  ])('%s, with a directory before the names', async (_, entries, message) => {
    writeFileSync(file, writeTar(entries.map(specOf)));
    await expect(tarFor({ destination: p('opt') })).rejects.toMatchObject({
      code: 'LAYER_INVALID',
      message: expect.stringMatching(message) as string,
    });
  });

  test('a whiteout of nothing at the root; hard links there may mean files of the image', async () => {
    writeFileSync(file, writeTar(['.wh.='].map(specOf)));
    await expect(tarFor()).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    writeFileSync(file, writeTar(['b->bin/sh'].map(specOf)));
    expect((await tarFor()).length).toBeGreaterThan(0);
  });
});

test.each([
  ['nothing', Buffer.alloc(0), 'TAR_INVALID'],
  ['a text', Buffer.from('hello '.repeat(200)), 'TAR_INVALID'],
  ['a cut tar', writeTar([specOf('f=xxxxx')]).subarray(0, 515), 'TAR_INVALID'],
  ['a name with ".."', writeTar([specOf('../f=x')]), 'LAYER_INVALID'],
  ['damaged gzip', gzipSync(writeTar([specOf('f=x')])).subarray(0, 40), 'CODEC'],
])('%s is refused, with the name of the file', async (_, bytes, code) => {
  writeFileSync(file, bytes);
  for (const given of [{}, { destination: p('a') }])
    await expect(tarFor(given)).rejects.toMatchObject({ code, message: expect.stringContaining(file) });
});
