import { expect, it } from 'vitest';
import { conda } from '../../../src/rootfs/packages/conda.ts';
import { packagesIn } from './rig.ts';

it('packages of conda have a record in their environment', async () => {
  const found = await packagesIn(conda, {
    'opt/conda/conda-meta/zlib-1.2.13-h0_0.json': JSON.stringify({
      name: 'zlib',
      version: '1.2.13',
      files: ['lib/libz.so.1', 'share/caf\u00e9', 'gone', 7],
      // As Python writes it: in ASCII.
    }).replace('\u00e9', '\\u00e9'),
    'opt/conda/conda-meta/history': 'x',
    'opt/conda/conda-meta/broken.json': '{"name":',
    'opt/conda/conda-meta/odd.json': '[]',
    'opt/conda/envs/a/conda-meta/b-1.json': '{"name":"b","version":2,"files":["bin/b"]}',
    'opt/conda/envs/a/bin/b': 'x',
    'opt/conda/lib/libz.so.1': 'x',
    'opt/conda/share/caf\u00c3\u00a9': 'x',
    'lib/libz.so.1': 'x',
  });
  expect(found).toEqual([
    'conda b null: opt/conda/envs/a/bin/b opt/conda/envs/a/conda-meta/b-1.json',
    'conda zlib 1.2.13: opt/conda/conda-meta/zlib-1.2.13-h0_0.json opt/conda/lib/libz.so.1 opt/conda/share/caf\u00c3\u00a9',
  ]);
});
