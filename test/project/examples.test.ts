import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RegistryServer, serveRegistry } from '../../src/store/server/serve-registry.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const stop = new AbortController();
const path = [join(root, 'bin'), dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
let folder: string;
let server: RegistryServer;

/** The blocks of the README in one language that are marked with `<!-- run -->`. */
function examplesIn(language: 'sh' | 'ts'): readonly string[] {
  const blocks = readFileSync(join(root, 'README.md'), 'utf8').matchAll(
    /<!-- run -->\n```(\w+)\n([\s\S]*?)```/g,
  );
  return [...blocks].flatMap(([, of, text = '']) => (of === language ? [text] : []));
}

/** Runs a program with nothing of the tester's settings. */
function runProgram(file: string, args: readonly string[], cwd: string) {
  const options = { cwd, env: { PATH: path, HOME: folder, TMPDIR: folder } };
  return new Promise<{ readonly status: number; readonly output: string }>((resolve) => {
    execFile(file, args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ status, output: stdout + stderr });
    });
  });
}

const run = (script: string) => runProgram('/bin/sh', ['-euc', script], join(folder, 'empty'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-examples-'));
  await mkdir(join(folder, 'empty'));
  server = await serveRegistry({ layoutDir: join(folder, 'registry'), signal: stop.signal });
  const layers = [
    ['usr/share/doc/app/README=words', 'var/lib/apt/lists/main_Packages=words', 'app/main=1'],
    ['app/cache/a=words', 'app/main=2'],
    ['app/other=1'],
    ['app/.wh.other'],
  ].map((entries) => writeTar(entries.map(specOf)));
  await writeLayout(join(folder, 'layout'), {
    1: buildImage({ layers, config: { config: { Entrypoint: ['/app/main'] } } }),
  });
  const { status, output } = await run(`ocislim copy oci:../layout:1 ${server.host}/app:1`);
  expect(status, output).toBe(0);
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

it('the README has examples in both languages', () => {
  expect(examplesIn('sh').length).toBeGreaterThan(5);
  expect(examplesIn('ts').length).toBeGreaterThan(0);
});

it.each(examplesIn('sh'))('works as the README says: %s', async (example) => {
  const { status, output } = await run(example.replaceAll('localhost:5000', server.host));
  expect(status, output).toBe(0);
  expect(output).toMatch(/sha256:[0-9a-f]{64}|the same/);
});

it.each(examplesIn('ts'))('works from a program as the README says: %s', async (example) => {
  const code = example.replaceAll('localhost:5000', server.host);
  // The working directory makes the name of the package mean this package.
  const { status, output } = await runProgram(process.execPath, ['--input-type=module', '-e', code], root);
  expect(status, output).toBe(0);
  expect(output).toMatch(/@sha256:[0-9a-f]{64}/);
});
