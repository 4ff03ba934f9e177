/** What is heavy in an image and could go: development files of GPU toolkits, caches of pip and uv, copies of libraries. */
import { describe, expect, test } from 'vitest';
import { findingSteps } from '../../../src/slim/findings/findings.ts';
import { atOnce } from '../../../src/steps.ts';
import { file, hardLink, imageOf, runtimeOf, symlink, type Table } from '../../closure/rig.ts';

const MB = 1_000_000;
const site = 'usr/lib/python3/dist-packages';

interface Options {
  readonly environment?: Readonly<Record<string, string>>;
  readonly architecture?: string;
}

/** Returns what is found, each as a line: kind or library, bytes, option, places. */
async function found(table: Table, { environment = {}, architecture = 'amd64' }: Options = {}) {
  const { fs } = await imageOf(table);
  const findings = atOnce(findingSteps(fs, { runtime: runtimeOf({ environment }), architecture }));
  return findings.map(({ kind, library, files, bytes, option, places }) =>
    [
      library ?? kind,
      `${files} files`,
      bytes,
      option === null ? 'no option' : `${option.name} ${option.value}`,
      ...places.map(({ path }) => path),
    ].join(' | '),
  );
}

describe('development files', () => {
  test('are added up by the highest directory that goes, the heaviest first', async () => {
    const table = {
      'usr/local/cuda-12.4/include/cuda.h': file(1000),
      'usr/local/cuda-12.4/nsight-compute-2024.1.0/ncu': file(MB),
      'usr/local/cuda-12.4/nsight-compute-2024.1.0/host/a/b': file(2 * MB),
      'usr/local/cuda-12.4/lib64/libcublas.so.12': file(MB),
      'usr/local/cuda-12.4/lib64/libcublas_static.a': file(2 * MB),
      'usr/local/cuda-12.4/lib64/libcudadevrt.a': file(MB),
      'usr/local/cuda-12.4/lib64/libcufft_static.a': symlink('libcublas_static.a'),
    };
    expect(await found(table)).toEqual([
      'gpu-development | 4 files | 5001000 | --preset cuda | usr/local/cuda-12.4/nsight-compute-2024.1.0 | usr/local/cuda-12.4/lib64 | usr/local/cuda-12.4/include',
    ]);
  });

  test('of less than a megabyte are not worth a line', async () => {
    expect(await found({ 'usr/local/cuda/include/cuda.h': file(999_999) })).toEqual([]);
    expect(await found({ 'usr/local/cuda/include/cuda.h': file(MB) })).toHaveLength(1);
  });
});

describe('caches', () => {
  test('are found below every home, with what removes them', async () => {
    const table = {
      'root/.cache/pip/http-v2/a': file(MB),
      'home/app/.cache/uv/archive-v0/b': file(2 * MB),
      'srv/.cache/uv/archive-v0/c': file(3 * MB),
      'srv/.cache/other/d': file(MB),
    };
    expect(await found(table)).toEqual([
      'uv-cache | 1 files | 3000000 | --rule srv/.cache/uv/** | srv/.cache/uv',
      'uv-cache | 1 files | 2000000 | --preset uv-cache | home/app/.cache/uv',
      'pip-cache | 1 files | 1000000 | --preset pip-cache | root/.cache/pip',
    ]);
  });

  test.each([
    [{ UV_CACHE_DIR: '/opt/uv' }, 'uv-cache | 1 files | 1000000 | --rule opt/uv/** | opt/uv'],
    [{ UV_CACHE_DIR: '/link' }, 'uv-cache | 1 files | 1000000 | --rule opt/uv/** | opt/uv'],
    [{ XDG_CACHE_HOME: '/opt' }, 'uv-cache | 1 files | 1000000 | --rule opt/uv/** | opt/uv'],
    [{ PIP_CACHE_DIR: '/odd name' }, 'pip-cache | 1 files | 1000000 | no option | odd name'],
  ])('are found where the environment %j says', async (environment, line) => {
    const table = { 'opt/uv/a': file(MB), 'odd name/b': file(MB), link: symlink('opt/uv') };
    expect(await found(table, { environment })).toEqual([line]);
  });

  test.each([{ UV_CACHE_DIR: '/' }, { UV_CACHE_DIR: 'opt/uv' }, { UV_CACHE_DIR: '/none' }])(
    'are not found where the environment %j names none',
    async (environment) => {
      expect(await found({ 'opt/uv/a': file(MB) }, { environment })).toEqual([]);
    },
  );

  test('do not count what another name of the file keeps', async () => {
    const table = {
      'root/.cache/uv/archive-v0/used': file(2 * MB),
      'srv/venv/used': hardLink('root/.cache/uv/archive-v0/used'),
      'root/.cache/uv/archive-v0/x': file(MB),
      'root/.cache/uv/archive-v0/y': hardLink('root/.cache/uv/archive-v0/x'),
    };
    expect(await found(table)).toEqual(['uv-cache | 1 files | 1000000 | --preset uv-cache | root/.cache/uv']);
  });
});

describe('copies of libraries', () => {
  test('count less the largest, with all places', async () => {
    const table = {
      'usr/local/cuda-12.4/lib64/libcublas.so.12.4.5.8': file(3 * MB),
      'usr/local/cuda-12.4/lib64/libcublas.so.12': symlink('libcublas.so.12.4.5.8'),
      [`${site}/nvidia/cublas/lib/libcublas.so.12`]: file(2 * MB),
      [`${site}/torch/lib/libgomp-a34b3233.so.1`]: file(200_000),
      [`${site}/sklearn.libs/libgomp-a49a47f9.so.1.0.0`]: file(200_000),
      'usr/lib/x86_64-linux-gnu/libgomp.so.1.0.0': file(300_000),
    };
    expect(await found(table)).toEqual([
      `libcublas | 2 files | 2000000 | no option | usr/local/cuda-12.4/lib64/libcublas.so.12.4.5.8 | ${site}/nvidia/cublas/lib/libcublas.so.12`,
      `libgomp | 3 files | 400000 | no option | usr/lib/x86_64-linux-gnu/libgomp.so.1.0.0 | ${site}/sklearn.libs/libgomp-a49a47f9.so.1.0.0 | ${site}/torch/lib/libgomp-a34b3233.so.1`,
    ]);
  });

  test.each<[string, Table]>([
    ['one file of two names', { 'a/libz.so.1': file(MB), 'b/libz.so.1': hardLink('a/libz.so.1') }],
    ['a small library', { 'a/libz.so.1': file(63_000), 'b/libz.so.1': file(MB) }],
    [
      'one that a cache has',
      { 'root/.cache/uv/a/libz.so.1': file(500_000), 'usr/lib/libz.so.1': file(500_000) },
    ],
    [
      'one for another machine',
      { 'usr/lib/aarch64-linux-gnu/libz.so.1': file(MB), 'usr/lib/x86_64-linux-gnu/libz.so.1': file(MB) },
    ],
  ])('are not %s', async (_, table) => {
    expect(await found(table)).toEqual([]);
  });
});
