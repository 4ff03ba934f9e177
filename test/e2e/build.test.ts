import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { randomTree, writeTree } from '../support/build/random-tree.ts';
import { bin, rewrite } from '../support/e2e/cli.ts';
import { unpack } from '../support/e2e/judge.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { differences, type Listing, listRootfs } from '../support/e2e/rootfs-listing.ts';
import { runs, seed } from '../support/extent.ts';
import { readImage } from '../support/image-reader.ts';

// umoci (Go's archive/tar) and GNU tar decide what is in a layer: the very files of the directory.
let work: string;
beforeAll(() => {
  work = workFolder('build');
});
afterAll(() => removeFolder(work));

let count = 0;
function newFolder(): string {
  const folder = join(work, `t${count++}`);
  mkdirSync(folder);
  return folder;
}

/** Everything that a layer can hold, made by programs, since Node makes none of it. */
const awkward = [
  'mkdir -p deep/er "$(printf "caf\\351")"',
  'mkfifo pipe',
  'mknod null c 1 3',
  'mknod disk b 8 17',
  'echo data > file && ln file deep/name && ln -s ../nowhere deep/er/symlink',
  'setfattr -n user.comment -v 0x00ff0a file',
  'setfattr -n user.folder -v x deep',
  'cp /bin/true program && setcap cap_net_raw+ep program',
  'chmod 4755 file && chmod 1777 deep',
  'truncate -s 64M sparse && printf middle | dd of=sparse bs=1 seek=30000000 conv=notrunc status=none',
  'touch -d 2001-02-03T04:05:06.123456789Z pipe file && touch -h -d 1969-12-31T00:00:00Z deep/er/symlink',
  'touch "$(printf %0120d 7)" "$(printf "line\\nend")"',
  'chown 1000:2000 pipe && chown -h 70000:3000000 deep/er/symlink',
].join('\n');

/** Returns a listing without its root, which has the attributes of the folder that it was unpacked into. */
function withoutRoot(listing: Listing): Listing {
  return new Map([...listing].filter(([path]) => path !== ''));
}

const keep = ['--chown', 'keep', '--mtime', 'keep'];

async function build(folder: string, ...options: readonly string[]): Promise<string> {
  const layout = `${folder}.layout`;
  await rewrite(['build', `oci:${layout}:v1`, '--layer', folder, ...options]);
  return layout;
}

async function expectSameFiles(folder: string): Promise<void> {
  const layout = await build(folder, ...keep);
  const wanted = withoutRoot(await listRootfs(folder));
  await unpack(layout, `${folder}.umoci`);
  expect(differences(wanted, withoutRoot(await listRootfs(`${folder}.umoci`)))).toEqual([]);
  const { tars } = await readImage(layout, { tag: 'v1' });
  writeFileSync(`${folder}.tar`, tars[0] ?? '');
  mkdirSync(`${folder}.gnu`);
  const words = ['--extract', '--numeric-owner', '--preserve-permissions', '--xattrs', '--xattrs-include=*'];
  await run('tar', [...words, '--file', `${folder}.tar`, '--directory', `${folder}.gnu`]);
  expect(differences(wanted, withoutRoot(await listRootfs(`${folder}.gnu`)))).toEqual([]);
}

test('umoci and GNU tar unpack the files of a directory that has everything', async () => {
  const folder = newFolder();
  await run('bash', ['-euc', `cd "$1"\n${awkward}`, 'make', folder]);
  await expectSameFiles(folder);
});

test('umoci and GNU tar unpack the files of random directories', async () => {
  for (const tree of fc.sample(randomTree(), { numRuns: runs(8, 60), seed })) {
    const folder = newFolder();
    writeTree(folder, tree);
    await expectSameFiles(folder);
  }
});

test('programs put into bin, lib and sbin run on a base where these are symlinks, beside those of the base', async () => {
  const folder = newFolder();
  for (const name of ['bin', 'sbin', 'lib/own']) mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['bin/hello', 'sbin/hello2'])
    writeFileSync(join(folder, name), '#!/bin/sh\ncat /lib/own/words\n', { mode: 0o755 });
  writeFileSync(join(folder, 'lib/own/words'), 'from the layer\n');
  const base = `oci:${inject('images')}/nginx:v1`;
  const layout = `${folder}.appended`;
  await rewrite(['append', base, `oci:${layout}:v1`, '--layer', folder]);
  const rootfs = `${folder}.rootfs`;
  await unpack(layout, rootfs);
  expect(readlinkSync(join(rootfs, 'bin'))).toBe('usr/bin');
  const said = await run('chroot', [rootfs, '/bin/sh', '-c', '/bin/hello && hello2 && ls -d /bin/ls']);
  expect(said).toBe('from the layer\nfrom the layer\n/bin/ls\n');
});

test('an image of the files that extract wrote is the same image', async () => {
  const folder = newFolder();
  await run('bash', ['-euc', `cd "$1"\n${awkward}`, 'make', folder]);
  // Node sets times to some hundred nanoseconds, so these are not kept.
  const owners = ['--chown', 'keep'];
  const layout = await build(folder, ...owners);
  const grants = ['--owners', '--devices', '--setuid', '--xattrs'];
  await run(bin, ['extract', `oci:${layout}:v1`, '/', `${folder}.out`, ...grants]);
  const again = await build(`${folder}.out`, ...owners);
  const [first, second] = [await readImage(layout, { tag: 'v1' }), await readImage(again, { tag: 'v1' })];
  expect(second.descriptor.digest).toBe(first.descriptor.digest);
});
