import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tar } from '../jobs/rig.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { startRegistry } from '../support/registry/opened.ts';
import { newFolder } from '../support/store/local.ts';

const script = fileURLToPath(new URL('../support/run-cli.ts', import.meta.url));
const bin = fileURLToPath(new URL('../../bin/ocislim', import.meta.url));

/** Opens the writing end of a pipe as soon as a process reads it. Fails if the process ends instead. */
async function untilRead(pipe: string, child: ChildProcess): Promise<number> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended without reading ${pipe}`);
    try {
      return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      await new Promise(setImmediate);
    }
  }
}

interface Place {
  readonly folder: string;
  readonly pipe: string;
  /** A registry that wants a login. */
  readonly host: string;
}

async function makePlace(): Promise<Place> {
  const folder = await newFolder();
  await writeLayout(join(folder, 'layout'), { a: buildImage({ layers: [tar('a=1')] }) });
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const { host } = await startRegistry({ auth: { kind: 'basic', username: 'me', password: 'secret' } });
  return { folder, pipe, host };
}

type Words = (place: Place) => readonly string[];

const prune: (option: string) => Words =
  (option) =>
  ({ folder, pipe }) => ['prune', `oci:${folder}/layout:a`, `oci:${folder}/out:a`, option, pipe];
const copy: (...options: readonly string[]) => Words =
  (...options) =>
  ({ folder, host, pipe }) => ['copy', `${host}/app:1`, `oci:${folder}/out:a`, ...options, pipe];

test.each<readonly [string, Words]>([
  ['rules', prune('--rules')],
  ['globs to keep', prune('--keep-file')],
  ['a trace', prune('--trace')],
  ['a plan', ({ folder, pipe }) => ['slim', `oci:${folder}/layout:a`, `oci:${folder}/out:a`, '--file', pipe]],
  [
    'a report',
    ({ folder, pipe }) => [
      'verify',
      `oci:${folder}/layout:a`,
      `oci:${folder}/layout:a`,
      '--removed-by',
      pipe,
    ],
  ],
  ['credentials', copy('--authfile')],
  ['a client certificate', copy('--client-p12')],
])('a wait for %s out of a pipe ends with SIGTERM', async (_, words) => {
  const place = await makePlace();
  const child = spawn(process.execPath, [script, ...words(place)], {
    env: { PATH: process.env['PATH'], HOME: place.folder, TMPDIR: place.folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (told += text));
  const writer = await untilRead(place.pipe, child);
  child.kill('SIGTERM');
  const [status] = (await once(child, 'close')) as [number | null];
  closeSync(writer);
  expect(status, told).toBe(143);
  expect(told).toContain('interrupted; nothing was published');
});

test('a thread that is blocked for ever does not keep an interrupted process', async () => {
  const { folder, pipe, host } = await makePlace();
  const blocked = join(folder, 'blocked');
  execFileSync('mkfifo', [blocked]);
  const preload = join(folder, 'preload.mjs');
  await writeFile(
    preload,
    `import { open } from 'node:fs';\nopen(${JSON.stringify(blocked)}, 'r', () => {});\n`,
  );
  const words = copy('--authfile')({ folder, pipe, host });
  const child = spawn(process.execPath, ['--import', preload, bin, ...words], {
    env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: folder },
    stdio: 'ignore',
  });
  const writer = await untilRead(pipe, child);
  child.kill('SIGINT');
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  closeSync(writer);
  expect([status, signal]).toEqual([null, 'SIGINT']);
});
