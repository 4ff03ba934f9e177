import fc from 'fast-check';
import { expect, it } from 'vitest';
import { creportOf, reportedFiles } from '../../../src/jobs/record/creport.ts';
import { mergeStack } from '../../../src/rootfs/filesystem.ts';
import { indexOf, stackOf } from '../../changeset/rig.ts';
import { lawRuns } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { buildImage } from '../../support/image-builder.ts';
import { MemorySource } from '../../support/memory-store.ts';
import { applyLayers } from '../../support/model/filesystem.ts';
import type { Short } from '../../support/model/shorthand.ts';
import { readTrace } from '../../trace/read-trace.ts';

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

/** The report about an image, with a trace that names one path. */
async function reportOf(
  layers: readonly Uint8Array[],
  config: Readonly<Record<string, unknown>> = {},
): Promise<Report> {
  const source = new MemorySource(buildImage({ layers, compress: 'none', config: { config } }));
  const { signal } = new AbortController();
  const pieces = creportOf(
    { source, platform: null, jobs: 2, maxScratch: 0, listener: () => {}, signal },
    { trace: readTrace('/bin/sh\n'), name: 'a.test/app:1', producer: 'ocislim' },
  );
  let text = '';
  for await (const piece of pieces) text += piece;
  expect(source.held).toBe(0);
  return JSON.parse(text) as Report;
}

interface Report {
  readonly target_id: string;
  readonly image_id: string;
  readonly start_command: object;
  readonly monitors: { readonly fan: object; readonly pt: object };
  readonly image: {
    readonly files: readonly {
      readonly file_path: string;
      readonly file_path_base64?: string;
      readonly file_size: number;
      readonly uid: number;
      readonly gid: number;
    }[];
  };
}

it('reports the files that the model sees', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), async ({ layers }) => {
      const { files } = (await reportOf(layers.map((layer) => layer.tar))).image;
      const model = [...applyLayers(layers.map((layer) => layer.model))].filter(
        ([, { kind }]) => kind !== 'dir',
      );
      const found = files.map(({ file_path, file_path_base64, file_size, uid, gid }) => [
        file_path_base64 === undefined
          ? Buffer.from(file_path, 'utf8').toString('latin1')
          : Buffer.from(file_path_base64, 'base64').toString('latin1'),
        file_size,
        uid,
        gid,
      ]);
      const expected = model.map(([path, { kind, content, target, uid, gid }]) => [
        `/${path}`,
        kind === 'file' ? Number.parseInt(content, 10) : kind === 'symlink' ? target.length : 0,
        uid,
        gid,
      ]);
      const byPath = (rows: readonly (readonly (string | number)[])[]) =>
        rows.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
      expect(byPath(found)).toEqual(byPath(expected));
    }),
    { numRuns: lawRuns() },
  );
});

it('says what the config of the image says', async () => {
  const report = await reportOf([], {
    Entrypoint: ['/entry'],
    Cmd: ['serve'],
    User: 'app',
    WorkingDir: '/srv',
  });
  expect(report.target_id).toBe('a.test/app:1');
  expect(report.image_id).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(report.start_command).toMatchObject({
    app_name: '/entry',
    app_args: ['serve'],
    app_entrypoint: ['/entry'],
    app_cmd: ['serve'],
    app_user: 'app',
  });
  expect(report.monitors.fan).toMatchObject({ main_process: { cwd: '/srv', cmd: '/entry serve' } });
  expect(report.monitors.pt).toMatchObject({ enabled: false, arch_name: 'amd64' });
});
