import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAddition } from '../../src/build/index.ts';
import { placeInNothing } from '../../src/image/addition.ts';
import { createMatcher, parseRule } from '../../src/rules/rules.ts';
import { MiB } from '../../src/units.ts';
import { additionOf, addingWith, tarOf } from '../support/build/adding.ts';
import { randomTree, writeTree } from '../support/build/random-tree.ts';
import { p } from '../support/bytes.ts';
import { runs } from '../support/extent.ts';
import { applyLayers } from '../support/model/filesystem.ts';
import { readTar } from '../support/model/tar-bytes.ts';
import { differences, readFolder, type Seen, seenOf } from '../support/on-disk.ts';

let work = '';
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'ocislim-build-'));
});
afterEach(() => rmSync(work, { recursive: true }));

/** Makes a new folder in that of the test. */
let count = 0;
function newFolder(): string {
  const folder = join(work, String(count++));
  mkdirSync(folder);
  return folder;
}

const withoutRoot = (seen: Seen): Seen => new Map([...seen].filter(([path]) => path !== ''));
const whole = (mode: number) => mode & 0o7777;

test('a layer of a directory means what is in the directory', async () => {
  await fc.assert(
    fc.asyncProperty(randomTree(), async (tree) => {
      const folder = newFolder();
      writeTree(folder, tree);
      const rootfs = applyLayers([readTar(await tarOf({ path: folder }))]);
      const meant = seenOf(rootfs, whole, { owners: true });
      expect(differences(withoutRoot(readFolder(folder, { owners: true })), withoutRoot(meant))).toEqual([]);
    }),
    { numRuns: runs(60, 300) },
  );
});

test('the same files give the same bytes, wherever they are and in whatever order they were made', async () => {
  await fc.assert(
    fc.asyncProperty(randomTree(), async (tree) => {
      const wishes = { owner: { uid: 0, gid: 0 }, mtime: 5 };
      const [one, other] = [newFolder(), newFolder()];
      writeTree(one, tree);
      writeTree(other, tree, true);
      expect(Buffer.from(await tarOf({ path: other, ...wishes }))).toEqual(
        Buffer.from(await tarOf({ path: one, ...wishes })),
      );
    }),
    { numRuns: runs(40, 200) },
  );
});

test('what rules match is left out, and the directories above the rest are not', async () => {
  const globs = fc.constantFrom('a', '**/b', 'a/*', '!a/b', '!**/a', 'B/**', '*');
  await fc.assert(
    fc.asyncProperty(randomTree(), fc.array(globs, { maxLength: 3 }), async (tree, texts) => {
      const folder = newFolder();
      writeTree(folder, tree);
      const rules = texts.map((text) => parseRule(text, 'the test'));
      const isOut = createMatcher(rules);
      const kept = tree.filter(({ path, kind }) => isOut(p(path), kind) === null).map(({ path }) => path);
      const above = kept.flatMap((path) =>
        path.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/')),
      );
      const names = readTar(await tarOf({ path: folder, rules })).map(({ name }) => name.replace(/\/$/, ''));
      expect(names.toSorted()).toEqual([...new Set(above)].toSorted());
      expect(new Set(names).size).toBe(names.length);
    }),
    { numRuns: runs(100, 500) },
  );
});

test('owner, mode and time are those that are wished for; symlinks have no mode', async () => {
  mkdirSync(join(work, 'd'), { mode: 0o700 });
  writeFileSync(join(work, 'd/f'), 'x', { mode: 0o600 });
  symlinkSync('f', join(work, 'd/l'));
  const mode = {
    kind: 'symbolic',
    clauses: [{ classes: 'ugo', operation: '=', permissions: 'rX' }],
  } as const;
  const wishes = { owner: { uid: 7, gid: 8 }, mtime: 9, madeTime: 9, mode, destination: p('opt/app') };
  const entries = readTar(await tarOf({ path: join(work, 'd'), ...wishes }));
  expect(entries.map((e) => [e.name, e.mode.toString(8), `${e.uid}:${e.gid}`, e.mtime])).toEqual([
    ['opt/', '755', '7:8', '9'],
    ['opt/app/', '555', '7:8', '9'],
    ['opt/app/f', '444', '7:8', '9'],
    ['opt/app/l', '777', '7:8', '9'],
  ]);
});

test('one file gets its name, and large ones come whole', async () => {
  const bytes = Buffer.alloc(3 * MiB, 'large');
  writeFileSync(join(work, 'f'), bytes, { mode: 0o640 });
  const [made, entry] = readTar(
    await tarOf({ kind: 'file', path: join(work, 'f'), destination: p('etc/app.conf'), into: false }),
  );
  expect(made?.name).toBe('etc/');
  expect(entry).toMatchObject({ name: 'etc/app.conf', mode: 0o640, size: bytes.length });
  expect(Buffer.from(entry?.body ?? [])).toEqual(bytes);
});

test('holes stay holes: the tar of a sparse file is short, and its contents are whole', async () => {
  const file = join(work, 'f');
  writeFileSync(file, 'start');
  truncateSync(file, 8 * MiB);
  appendFileSync(file, 'end');
  const plain = readTar(await tarOf({ kind: 'file', path: file, destination: p('f'), into: false }))[0];
  expect(plain?.size).toBe(8 * MiB + 3);
  expect(plain?.sparse).toEqual([
    [0, 4096],
    [8 * MiB, 3],
  ]);
  expect(plain?.body.length).toBeLessThan(10_000);
});

test('a socket is left out, with a warning that names it', async () => {
  const server = createServer().listen(join(work, 'socket'));
  await once(server, 'listening');
  const warnings: string[] = [];
  expect(readTar(await tarOf({ path: work }, { adding: addingWith(warnings) }))).toEqual([]);
  expect(warnings).toEqual([`FILE_LEFT_OUT "${work}/socket" is left out: it is a socket`]);
  await new Promise((resolve) => server.close(resolve));
});

test('a file that would hide one of the image is refused', async () => {
  writeFileSync(join(work, '.wh.passwd'), '');
  await expect(tarOf({ path: work })).rejects.toMatchObject({
    code: 'LAYER_INVALID',
    message: `"${work}/.wh.passwd" would remove a file of the layers below: its name begins with ".wh."`,
  });
});

test('a file that changes while it is read is an error that names it', async () => {
  const first = join(work, 'a');
  writeFileSync(first, Buffer.alloc(2 * MiB, 'x'));
  const addition = additionOf({ path: work });
  const reading = (async () => {
    for await (const _chunk of openAddition(addition, placeInNothing(addition), addingWith()))
      appendFileSync(first, 'more');
  })();
  await expect(reading).rejects.toMatchObject({
    code: 'IO',
    message: `"${first}" has changed while it was read`,
  });
});

test('reading ends where its signal is aborted', async () => {
  writeFileSync(join(work, 'f'), Buffer.alloc(4 * MiB));
  const controller = new AbortController();
  const addition = additionOf({ path: work });
  const stream = openAddition(addition, placeInNothing(addition), addingWith([], controller.signal));
  const reading = (async () => {
    for await (const _ of stream) controller.abort(new Error('enough'));
  })();
  await expect(reading).rejects.toThrow('enough');
});
