/**
 * A virtual environment of Python, installed twice as a careless pipeline does it: everything has another time, and nothing else differs. Python itself
 * judges whether it would compile again what was taken over.
 */
import { cpSync, lutimesSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ocislim, rewrite } from '../support/e2e/cli.ts';
import { unpack } from '../support/e2e/judge.ts';
import { removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { readImage } from '../support/image-reader.ts';

const images = process.env['OCISLIM_TEST_IMAGES'] as string;
const packages = ['email', 'json', 'http', 'urllib', 'xml'];

let work: string;
const at = (tag: string): string => `oci:${work}/${tag}:v1`;

/** Installs the environment in the same place each time, and puts it into an image. */
async function install(tag: string, age: number): Promise<void> {
  const home = join(work, 'build', 'venv');
  rmSync(home, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', '--without-pip', home]);
  const { stdout } = await runToEnd('python3', ['-c', 'import json; print(json.__file__)']);
  const library = join(stdout.trim(), '..', '..');
  const lib = join(home, 'lib');
  const site = join(lib, readdirSync(lib)[0] as string, 'site-packages');
  for (const name of packages)
    cpSync(join(library, name), join(site, name), {
      recursive: true,
      filter: (path) => !path.includes('__pycache__'),
    });
  await run('python3', ['-c', touch, home, String(age)]);
  await run('env', ['-u', 'SOURCE_DATE_EPOCH', 'python3', '-m', 'compileall', '-q', site]);
  for (const name of readdirSync(home)) lutimesSync(join(home, name), age, age);
  await rewrite([
    'build',
    `oci:${images}/busybox:v1`,
    at(tag),
    '--layer',
    `${home}:/opt/venv`,
    '--mtime',
    'keep',
  ]);
}

const touch = `
import os, sys
for at, folders, files in os.walk(sys.argv[1]):
    for name in files:
        time = int(sys.argv[2]) + len(name)
        os.utime(os.path.join(at, name), (time, time), follow_symlinks=False)
`;

/** Lists the digests of an image's layers, the lowest first. */
async function layersOf(tag: string): Promise<readonly string[]> {
  const { manifest } = await readImage(join(work, tag));
  return manifest.layers.map(({ digest }) => digest);
}

beforeAll(async () => {
  work = workFolder('noise');
  mkdirSync(join(work, 'build'));
  await install('one', 1_700_000_000);
  await install('two', 1_710_000_000);
  await rewrite(['relayer', at('one'), at('one-laid'), '--max-layers', '12']);
});

afterAll(() => removeFolder(work));

test('without adoption a rebuild is downloaded again, with it nothing is', async () => {
  const options = ['--previous', at('one-laid'), '--max-layers', '12'];
  await rewrite(['relayer', at('two'), at('two-kept'), ...options]);
  await rewrite(['relayer', at('two'), at('two-laid'), ...options, '--noise', 'adopt']);
  const [before, kept, laid] = await Promise.all(['one-laid', 'two-kept', 'two-laid'].map(layersOf));
  expect(laid).toEqual(before);
  const judged = (...args: readonly string[]) => ocislim(['verify', at('two'), at('two-laid'), ...args]);
  expect((await judged()).status).toBe(3);
  expect(await judged('--ignore', 'noise')).toMatchObject({ status: 0 });
  expect(kept?.filter((digest) => before?.includes(digest))).not.toEqual(before);
});

test('Python takes what was taken over as it is', async () => {
  const folder = join(work, 'rootfs');
  await unpack(join(work, 'two-laid'), folder);
  const lib = join(folder, 'opt/venv/lib');
  const site = join(lib, readdirSync(lib)[0] as string, 'site-packages');
  const code = `import sys; sys.path.insert(0, ${JSON.stringify(site)}); import json.decoder, email.message`;
  const { stderr } = await runToEnd('python3', ['-S', '-v', '-B', '-c', code]);
  const lines = stderr.split('\n').filter((line) => line.includes(site));
  expect(lines.filter((line) => / matches /.test(line)).length).toBeGreaterThan(5);
  expect(lines.filter((line) => /bytecode is stale|code object from '.*\.py'|wrote /.test(line))).toEqual([]);
});
