/** What a person sees of what could go, too: in the summary, a dry run and the reports; and the preset that the line names. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { writeElf } from '../rootfs/facts/elf-bytes.ts';
import { callCli } from '../support/cli.ts';
import { buildImage } from '../support/image-builder.ts';
import { type Short, specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';

const loader = '/lib64/ld-linux-x86-64.so.2';
const toolkit = 'usr/local/cuda-12.4';
const megabyte = new Uint8Array(1_000_000);
const program = (name: string, ...needed: readonly string[]): Short => ({
  name,
  mode: 0o755,
  body: writeElf({ interpreter: loader, needed, runpath: `/${toolkit}/lib64` }),
});

/** A program on a toolkit, as images from `nvidia/cuda:…-devel` have it. */
const layers: readonly (readonly Short[])[] = [
  [
    { name: loader.slice(1), mode: 0o755, body: writeElf() },
    { name: `${toolkit}/lib64/libcudart.so.12`, body: writeElf({ soname: 'libcudart.so.12' }) },
    { name: `${toolkit}/lib64/libcublas_static.a`, body: megabyte },
    { name: `${toolkit}/include/cuda.h`, body: megabyte },
    program(`${toolkit}/bin/nsys`),
  ],
  [program('app/run', 'libcudart.so.12'), { name: 'root/.cache/uv/archive-v0/x', body: megabyte }],
];

const build = (entrypoint: string) =>
  buildImage({
    layers: layers.map((entries) => writeTar(entries.map(specOf))),
    config: { config: { Entrypoint: [entrypoint] } },
  });

const scene = openScene(() => ({ app: build('/app/run'), profiled: build(`/${toolkit}/bin/nsys`) }));

test.each([
  ['prune', '--rule', 'nowhere/**'],
  ['prune', '--shadowed', '--dry-run'],
  ['slim'],
  ['slim', '--dry-run'],
])('%s %s %s says what could go, too, with the option that removes it', async (command, ...options) => {
  const where = options.includes('--dry-run') ? [] : [scene.at('result', 'out')];
  const { stderr } = await scene.run(command, scene.at('app'), ...where, ...options);
  expect(stderr).toContain(`
  could go, too
    2.0 MB: static libraries, headers, samples and profilers of CUDA and ROCm (--preset cuda), 3 files in`);
  expect(stderr).toContain('    1.0 MB: the cache of uv (--preset uv-cache), 1 file in /root/.cache/uv\n');
});

test('what is named goes, and is no longer found', async () => {
  const report = scene.path('report.md');
  const options = ['--preset', 'cuda,uv-cache', '--report', report];
  const { stderr } = await scene.run('prune', scene.at('app'), scene.at('pruned', 'out'), ...options);
  expect(stderr).not.toContain('could go');
  expect(await readFile(report, 'utf8')).not.toContain('Could go');
  const { platforms } = await scene.report('prune', scene.at('pruned', 'out'), '--dry-run', '--shadowed');
  expect(platforms[0]).not.toHaveProperty('findings');
});

test('reports have every place, and Markdown the same lines', async () => {
  const markdown = scene.path('found.md');
  const options = ['--dry-run', '--shadowed', '--report', markdown];
  const { platforms } = await scene.report('prune', scene.at('app'), ...options);
  expect(platforms[0]?.findings).toEqual([
    {
      kind: 'gpu-development',
      files: 3,
      bytes: expect.any(Number) as number,
      option: '--preset cuda',
      places: [
        { path: `${toolkit}/include`, files: 1, bytes: 1_000_000 },
        { path: `${toolkit}/lib64`, files: 1, bytes: 1_000_000 },
        { path: `${toolkit}/bin`, files: 1, bytes: expect.any(Number) as number },
      ],
    },
    {
      kind: 'uv-cache',
      files: 1,
      bytes: 1_000_000,
      option: '--preset uv-cache',
      places: [{ path: 'root/.cache/uv', files: 1, bytes: 1_000_000 }],
    },
  ]);
  expect(await readFile(markdown, 'utf8')).toContain('### Could go, too\n\n- 2.0 MB: static libraries');
});

describe('the guards hold: what runs stays', () => {
  const rules = (...given: readonly string[]) => given.flatMap((rule) => ['--rule', rule]);

  test('a program finds its libraries after the preset', async () => {
    const { stderr } = await scene.run('prune', scene.at('app'), scene.at('safe', 'out'), '--preset', 'cuda');
    expect(stderr).not.toContain('would not run');
  });

  test.each([
    ['a library that the entrypoint needs', 'app', rules('**/libcudart.so*'), 'libcudart.so.12'],
    ['the directory of that library', 'app', rules(`${toolkit}/lib64`), 'libcudart.so.12'],
    ['the profiler that the image runs', 'profiled', ['--preset', 'cuda'], `${toolkit}/bin/nsys`],
  ])('%s is not removed without --force', async (_, image, options, name) => {
    const line = ['prune', scene.at(image), scene.at('unsafe', 'out'), ...options];
    const { status, stderr } = await callCli(line);
    expect(status).toBe(1);
    expect(stderr).toContain('would not run');
    expect(stderr).toContain(name);
    expect((await scene.run(...line, '--force')).stderr).toContain('may not run');
  });
});
