import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bin } from '../support/e2e/cli.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';

// A layer of 1 GiB, half noise and half text, and a small one that overwrites a file of it. bench/ does this with 10 GiB.
let work: string;
let source: string;

beforeAll(async () => {
  work = workFolder('memory');
  source = join(work, 'source');
  const script = fileURLToPath(new URL('../../bench/large-layer.ts', import.meta.url));
  await run(process.execPath, [script, source, '1', '300']);
});

afterAll(() => removeFolder(work));

it.each([
  ['recompress to zstd', ['recompress', '--compression', 'zstd', '--level', '3']],
  ['recompress to gzip', ['recompress', '--compression', 'gzip', '--level', '6']],
  ['squash two layers', ['squash', '--all']],
  ['prune by rule', ['prune', '--rule', 'file1*', '--shadowed']],
])('%s: a layer of 1 GiB within 400 MiB of memory', async (_name, [command = '', ...args]) => {
  const [target, peak] = [join(work, 'target'), join(work, 'peak')];
  const rewriting = [process.execPath, bin, command, `oci:${source}:v1`, `oci:${target}:v1`, ...args];
  await run('/usr/bin/time', ['-f', '%M', '-o', peak, ...rewriting], { env: { TMPDIR: work } });
  const kibibytes = Number((await readFile(peak, 'utf8')).trim());
  expect(kibibytes).toBeGreaterThan(10_000);
  expect(kibibytes).toBeLessThanOrEqual(400 * 1024);
  removeFolder(target);
});
