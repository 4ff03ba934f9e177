import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ocislim } from '../support/e2e/cli.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { runs, seed } from '../support/extent.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { bytesOf } from '../support/model/byte-string.ts';
import { type EntrySpec, writeTar } from '../support/model/tar-bytes.ts';

// A law: a program that makes the same calls in the pruned image gets the same results, call by call. The programs are made by
// chance, and run in a root below the real strace.

const script = fileURLToPath(new URL('../support/e2e/file-calls.py', import.meta.url));
/** Trees of an image. Each has calls of its own; all of them are made by one process, one after the other. */
const trees = 25;
const callsOfTree = 14;

let work: string;
beforeAll(() => {
  work = workFolder('law');
});
afterAll(() => removeFolder(work));

type Call = readonly [name: string, ...args: readonly (string | number)[]];

const name = fc.constantFrom('a', 'b', 'c');
const inside = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));

/** The entries below a folder, each below the one before it, so that nothing is in the way. */
function entriesBelow(top: string): fc.Arbitrary<readonly EntrySpec[]> {
  const thing: fc.Arbitrary<Omit<EntrySpec, 'name'>> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(0o644, 0o600, 0o755).map((mode) => ({ mode, body: bytesOf('data') })),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(0o755, 0o777, 0o700).map((mode) => ({ mode, type: 'dir' as const })),
    },
    {
      weight: 3,
      arbitrary: fc
        .oneof(
          inside,
          inside.map((path) => `../${path}`),
          inside.map((path) => `/${top}/${path}`),
          fc.constant('..'),
        )
        .map((linkname) => ({ type: 'symlink' as const, linkname })),
    },
  );
  return fc.array(fc.tuple(inside, thing), { minLength: 3, maxLength: 9 }).map((pairs) => {
    const entries = new Map<string, EntrySpec>([[top, { name: top, type: 'dir', mode: 0o777 }]]);
    for (const [path, what] of pairs) {
      const names = path.split('/');
      const above = names.slice(0, -1).map((_, i) => `${top}/${names.slice(0, i + 1).join('/')}`);
      if (entries.has(`${top}/${path}`)) continue;
      if (above.some((at) => entries.has(at) && entries.get(at)?.type !== 'dir')) continue;
      for (const at of above) if (!entries.has(at)) entries.set(at, { name: at, type: 'dir', mode: 0o777 });
      entries.set(`${top}/${path}`, { name: `${top}/${path}`, ...what });
    }
    return [...entries.values()];
  });
}

function callsBelow(top: string): fc.Arbitrary<readonly Call[]> {
  const path = fc.oneof(
    { weight: 5, arbitrary: inside.map((at) => `/${top}/${at}`) },
    { weight: 3, arbitrary: inside },
    { weight: 1, arbitrary: inside.map((at) => `../${top}/${at}`) },
    { weight: 1, arbitrary: inside.map((at) => `/${top}/${at}/`) },
  );
  const one = fc.constantFrom(
    ...'open openNoFollow write replace replace replace create openDirectory opendir stat lstat readlink realpath list walk mkdir rmdir unlink remove truncate chdir chmod mkfifo bind connect utime getxattr statfs'.split(
      ' ',
    ),
  );
  const two = fc.constantFrom('rename', 'rename', 'link', 'copy');
  const number = fc.nat(3);
  const call: fc.Arbitrary<Call> = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(one, path) },
    { weight: 3, arbitrary: fc.tuple(two, path, path) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('symlink'), fc.oneof(path, fc.constant('..')), path) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('renameat2'), path, path, fc.constantFrom(1, 2)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('access'), path, fc.constantFrom(0, 2, 4)) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom('openAt', 'statAt', 'mkdirAt', 'unlinkAt'), number, inside),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant('renameAt'), number, inside, path) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('listAt'), number) },
  );
  return fc
    .array(call, { minLength: callsOfTree, maxLength: callsOfTree })
    .map((calls) => [['chdir', `/${top}`], ...calls]);
}

/** One image and one program, by a number. */
function caseOf(number: number): { readonly entries: readonly EntrySpec[]; readonly calls: readonly Call[] } {
  const tops = Array.from({ length: trees }, (_, i) => `t${i}`);
  const one = (top: string) => fc.tuple(entriesBelow(top), callsBelow(top));
  const made = tops.map((top, i) => fc.sample(one(top), { numRuns: 1, seed: number * trees + i })[0]);
  return {
    entries: made.flatMap((each) => each?.[0] ?? []),
    calls: made.flatMap((each) => each?.[1] ?? []),
  };
}

/** Unpacks an image into a folder. */
async function unpack(reference: string, folder: string): Promise<void> {
  mkdirSync(folder);
  await ocislim(['export', reference, `${folder}.tar`]);
  await run('tar', ['-xpf', `${folder}.tar`, '--numeric-owner', '-C', folder]);
}

async function results(
  root: string,
  user: number,
  calls: string,
  trace?: { file: string; options: string[] },
) {
  const command = ['/usr/bin/python3', '-S', script, root, String(user), calls];
  const traced = trace === undefined ? command : ['strace', ...trace.options, '-o', trace.file, ...command];
  const stdout = await run(traced[0] as string, traced.slice(1));
  return stdout.trimEnd().split('\n');
}

const numbers = Array.from({ length: runs(2, 40) }, (_, i) => (seed % 1_000_000) + i);

it.each(numbers)(
  'the calls of program %i return the same in the pruned image',
  { timeout: 120_000 },
  async (number) => {
    const { entries, calls } = caseOf(number);
    const folder = join(work, String(number));
    mkdirSync(folder);
    const file = join(folder, 'calls.json');
    writeFileSync(file, JSON.stringify(calls));
    const image = buildImage({
      layers: [writeTar(entries)],
      config: { config: {} },
      platform: { os: 'linux', architecture: 'amd64' },
    });
    await writeLayout(join(folder, 'image'), { v1: image });
    const source = `oci:${folder}/image:v1`;

    const [user, options] = [number % 2 === 0 ? 0 : 1000, number % 4 < 2 ? ['-f'] : ['-f', '-y']];
    await unpack(source, join(folder, 'original'));
    const trace = join(folder, 'all.strace');
    const expected = await results(join(folder, 'original'), user, file, { file: trace, options });
    expect(expected).toHaveLength(calls.length);
    const text = readFileSync(trace, 'latin1');
    // What Python did before it was in the root is not the program's.
    const start = text.lastIndexOf('\n', text.indexOf(' chroot(')) + 1;
    writeFileSync(join(folder, 'app.strace'), text.slice(start), 'latin1');

    for (const granularity of ['file', 'package', 'directory']) {
      const result = join(folder, granularity);
      const args = ['--trace', join(folder, 'app.strace'), '--granularity', granularity, '-q'];
      const pruned = await ocislim(['prune', source, `oci:${result}-layout:v1`, ...args]);
      expect(pruned.status, pruned.stderr).toBe(0);
      await unpack(`oci:${result}-layout:v1`, result);
      const found = await results(result, user, file);
      const differing = calls.flatMap((call, i) =>
        found[i] === expected[i] ? [] : [`${JSON.stringify(call)}: ${expected[i]}, now ${found[i]}`],
      );
      expect(differing.slice(0, 5), `${granularity}, ${folder}`).toEqual([]);
    }
  },
);
