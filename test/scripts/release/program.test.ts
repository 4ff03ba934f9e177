import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nativeEngine } from '../../../scripts/release/native.ts';
import { bundleProgram } from '../../../scripts/release/program.ts';
import { readManifest } from '../../../scripts/release/manifest.ts';
import { nativePlatforms } from '../../../src/codec/native-platform.ts';
import { run } from '../../support/e2e/programs.ts';
import { buildImage, writeLayout } from '../../support/image-builder.ts';
import { tar } from '../../jobs/rig.ts';
import { callCli } from '../../support/cli.ts';

// The bundled program in a folder of its own, where it finds nothing of this checkout.
let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-program-'));
  program = join(folder, 'program/ocislim.cjs');
  await mkdir(join(folder, 'program'));
  for (const { path, mode, bytes } of await bundleProgram())
    await writeFile(join(folder, 'program', path), bytes, { mode });
  await writeLayout(join(folder, 'image'), { 1: buildImage({ layers: [tar('a=1'), tar('b=2')] }) });
});
afterAll(() => rm(folder, { recursive: true }));

test('the bundled program knows its version, and the engines that lie beside it', async () => {
  const node = (env = {}) => run(process.execPath, [program, '--version', '--verbose'], { env });
  const { version } = readManifest();
  expect(await node({ OCISLIM_NATIVE: '0' })).toMatch(`${version}\nno native engine: `);
  expect(await node({ OCISLIM_NATIVE: '' })).toMatch(/there is no ocislim\.[\w-]+\.node beside the program/);
  for (const engine of nativePlatforms.map(nativeEngine).filter((each) => each !== null)) {
    await writeFile(join(folder, 'program', engine.path), engine.bytes);
    expect(await node({ OCISLIM_NATIVE: '' })).toContain(join(folder, 'program', engine.path));
  }
});

test.each(['libdeflate', 'pako', 'zlib'])(
  'the bundled program packs with %s as ocislim does',
  async (engine) => {
    const line = (result: string) => [
      'recompress',
      `oci:${folder}/image:1`,
      `oci:${folder}/${result}:1`,
      '--compression',
      'gzip',
      '--level',
      '7',
      '--gzip-engine',
      engine,
    ];
    const env = { OCISLIM_NATIVE: '0' };
    const bundled = await run(process.execPath, [program, ...line(`${engine}-bundled`)], { env });
    const { stdout } = await callCli(line(`${engine}-sources`), env);
    const digest = /sha256:[0-9a-f]{64}/;
    expect(digest.exec(bundled)?.[0]).toBe(digest.exec(stdout)?.[0]);
    expect(bundled).toMatch(digest);
  },
);
