import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tar } from '../jobs/rig.ts';
import { callCli, runCli } from '../support/cli.ts';
import { nativeEngines } from '../support/engines.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { nativePlatforms } from '../../src/codec/native-platform.ts';

const byWasm = 'no native engine: WebAssembly and node:zlib pack and unpack gzip, to the same bytes';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-native-'));
  await writeLayout(join(folder, 'source'), { 1: buildImage({ layers: [tar('a=1'), tar('b=2')] }) });
});
afterAll(() => rm(folder, { recursive: true }));

const recompress = () => [
  'recompress',
  `oci:${folder}/source:1`,
  `oci:${folder}/result:1`,
  '--compression',
  'gzip',
  '--level',
  '7',
];

describe('which gzip engine runs', () => {
  test.each([
    ['--version', '--verbose'],
    ['version', '-v'],
    ['-V', '-v'],
  ])('is told by %s %s', async (...args) => {
    const { status, stdout } = await callCli(args, { OCISLIM_NATIVE: '0' });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\nno native engine: .*\(OCISLIM_NATIVE=0\)\n$/);
    expect(status).toBe(0);
  });

  test('is not told, nor looked for, by --version alone', async () => {
    const { status, stdout } = await callCli(['--version'], { OCISLIM_NATIVE: '/nonexistent.node' });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(status).toBe(0);
  });

  test('is told once by --verbose when a layer is packed, and not without', async () => {
    const env = { OCISLIM_NATIVE: '0' };
    const told = await callCli([...recompress(), '--verbose'], env);
    expect(told.stderr.split(byWasm)).toHaveLength(2);
    const quiet = await callCli(recompress(), env);
    expect(quiet.stderr).not.toContain('engine');
  });

  test.each(nativeEngines)('is the $name one with OCISLIM_NATIVE=1 or its path', async ({ path }) => {
    for (const choice of ['1', path]) {
      const env = { OCISLIM_NATIVE: choice };
      const version = await callCli(['--version', '--verbose'], env);
      expect(version.stdout).toContain(`native engine for gzip: ${path} (`);
      const told = await callCli([...recompress(), '--verbose'], env);
      expect(told.stderr).toContain(`native engine for gzip: ${path} (`);
      expect(told.status).toBe(0);
    }
  });
});

test.each([
  ['/nonexistent/engine.node', 1, 'OCISLIM_NATIVE demands the native engine: /nonexistent/engine.node: '],
  ['yes', 2, 'OCISLIM_NATIVE takes 0, 1 or an absolute path, not "yes"'],
])('OCISLIM_NATIVE=%s fails before anything is read or written', async (choice, status, words) => {
  for (const args of [
    ['recompress', 'oci:/nonexistent:1', `oci:${folder}/never:1`],
    ['--version', '--verbose'],
  ]) {
    const failed = await callCli(args, { OCISLIM_NATIVE: choice });
    expect(failed.stderr).toContain(words);
    expect(failed.status).toBe(status);
  }
});

test('T21: no engine is loaded from the working directory', async () => {
  const here = join(folder, 'hostile');
  const planted = nativePlatforms.flatMap((platform) => [
    join(here, `native/ocislim.${platform}.node`),
    join(here, `ocislim.${platform}.node`),
    join(here, `node_modules/@ocislim/native-${platform}/index.node`),
  ]);
  for (const file of planted) {
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, 'no library');
  }
  const { status, stdout } = await runCli(['--version', '--verbose'], { cwd: here });
  expect(status).toBe(0);
  expect(stdout).not.toContain(here);
});
