import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bin } from '../support/e2e/cli.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { sample } from '../support/extent.ts';

// A large layer, half noise and half text, and a small one that overwrites a file of it. bench/ does this with 10
// GiB.
let work: string;

beforeAll(() => {
  work = workFolder('memory');
});

afterAll(() => removeFolder(work));

const rewriting: readonly (readonly [string, string, readonly string[]])[] = [
  ['recompress to zstd 3', '1', ['recompress', '--compression', 'zstd', '--level', '3']],
  // zstd 19 is slow, and needs the same memory after ten frames as after a thousand.
  ['recompress to zstd 19', '0.25', ['recompress', '--compression', 'zstd', '--level', '19']],
  ['recompress to gzip 6', '1', ['recompress', '--compression', 'gzip', '--level', '6']],
  ['squash two layers', '1', ['squash', '--all']],
  ['prune by rule', '1', ['prune', '--rule', 'file1*', '--shadowed']],
];

/** Makes the image with a layer of so many GiB, unless an earlier test did. */
async function imageOf(size: string): Promise<string> {
  const script = fileURLToPath(new URL('../../bench/large-layer.ts', import.meta.url));
  const layout = join(work, size);
  if (!existsSync(layout)) await run(process.execPath, [script, layout, size, '300']);
  return layout;
}

const title = '%s: a layer of %s GiB within 400 MiB of memory';
it.each(sample(rewriting, 3))(title, async (_name, size, [command = '', ...args]) => {
  const source = await imageOf(size);
  const [target, peak] = [join(work, 'target'), join(work, 'peak')];
  const rewriting = [process.execPath, bin, command, `oci:${source}:v1`, `oci:${target}:v1`, ...args];
  await run('/usr/bin/time', ['-f', '%M', '-o', peak, ...rewriting], { env: { TMPDIR: work } });
  const kibibytes = Number((await readFile(peak, 'utf8')).trim());
  expect(kibibytes).toBeGreaterThan(10_000);
  expect(kibibytes).toBeLessThanOrEqual(400 * 1024);
  removeFolder(target);
});

it('an analysis of half a million entries within 400 MiB of memory', async () => {
  const script = fileURLToPath(new URL('../../bench/many-entries.ts', import.meta.url));
  const [source, peak] = [join(work, 'many'), join(work, 'peak')];
  await run(process.execPath, [script, source, '500000']);
  const analyzing = [process.execPath, bin, 'analyze', `oci:${source}:v1`, '-o', join(work, 'analysis.txt')];
  await run('/usr/bin/time', ['-f', '%M', '-o', peak, ...analyzing], { env: { TMPDIR: work } });
  const kibibytes = Number((await readFile(peak, 'utf8')).trim());
  expect(kibibytes).toBeGreaterThan(100_000);
  expect(kibibytes).toBeLessThanOrEqual(400 * 1024);
  removeFolder(source);
});
