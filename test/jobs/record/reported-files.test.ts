import { expect, it } from 'vitest';
import { reportedFiles } from '../../../src/jobs/record/reported-files.ts';
import { mergeStack } from '../../../src/rootfs/filesystem.ts';
import { indexOf, stackOf } from '../../changeset/rig.ts';
import type { Short } from '../../support/model/shorthand.ts';

it('lists what containers see, except directories', async () => {
  const layers: readonly (readonly Short[])[] = [
    ['etc/', 'etc/a=old', 'etc/gone=1', 'bin~>usr/bin', '|run', 'empty/'],
    [
      'etc/.wh.gone',
      { name: 'etc/a', body: Buffer.from('new'), mode: 0o4711, uid: 7, gid: 8 },
      'etc/b->etc/a',
      { name: 'hole', body: Buffer.from('end'), sparse: { format: '1.0', size: 10_000, map: [[9_997, 3]] } },
      { name: 'dev/null', type: 'char', mode: 0o666 },
    ],
  ];
  const indexes = await Promise.all(layers.map((entries) => indexOf(...entries)));
  const fs = mergeStack(await stackOf(...layers), new Map(indexes.map((index, i) => [i + 1, index])));
  const own = { uid: 0, gid: 0, target: null, sha1: null };
  const a = { ...own, kind: 'file', mode: 0o4711, size: 3, uid: 7, gid: 8 };
  expect([...reportedFiles(fs)]).toEqual([
    { ...own, path: 'bin', kind: 'symlink', mode: 0o777, size: 7, target: 'usr/bin' },
    { ...own, path: 'dev/null', kind: 'char', mode: 0o666, size: 0 },
    { ...a, path: 'etc/a' },
    { ...a, path: 'etc/b' },
    { ...own, path: 'hole', kind: 'file', mode: 0o644, size: 10_000 },
    { ...own, path: 'run', kind: 'fifo', mode: 0o644, size: 0 },
  ]);
});
