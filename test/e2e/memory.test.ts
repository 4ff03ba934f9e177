import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bin } from '../support/e2e/cli.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';

// A large layer, half noise and half text, and a small one that overwrites a file of it. bench/ does this with 10
// GiB.
let work: string;

beforeAll(async () => {
  work = workFolder('memory');
  const script = fileURLToPath(new URL('../../bench/large-layer.ts', import.meta.url));
  for (const size of ['1', '0.25']) await run(process.execPath, [script, join(work, size), size, '300']);
});

afterAll(() => removeFolder(work));

it.each([
  ['recompress to zstd 3', '1', ['recompress', '--compression', 'zstd', '--level', '3']],
  // zstd 19 is slow, and needs the same memory after ten frames as after a thousand.
  ['recompress to zstd 19', '0.25', ['recompress', '--compression', 'zstd', '--level', '19']],
  ['recompress to gzip 6', '1', ['recompress', '--compression', 'gzip', '--level', '6']],
  ['squash two layers', '1', ['squash', '--all']],
  ['prune by rule', '1', ['prune', '--rule', 'file1*', '--shadowed']],
])('%s: a layer of %s GiB within 400 MiB of memory', async (_name, size, [command = '', ...args]) => {
  const source = join(work, size);
  const [target, peak] = [join(work, 'target'), join(work, 'peak')];
  const rewriting = [process.execPath, bin, command, `oci:${source}:v1`, `oci:${target}:v1`, ...args];
  await run('/usr/bin/time', ['-f', '%M', '-o', peak, ...rewriting], { env: { TMPDIR: work } });
  const kibibytes = Number((await readFile(peak, 'utf8')).trim());
  expect(kibibytes).toBeGreaterThan(10_000);
  expect(kibibytes).toBeLessThanOrEqual(400 * 1024);
  removeFolder(target);
});
