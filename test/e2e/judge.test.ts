import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { differences, listRootfs } from '../support/e2e/rootfs-listing.ts';

// A judge that finds everything equal would pass every other test here.
let work: string;
let original: string;
let altered: string;

const build = `
  mkdir -p dir/sub empty; printf content >dir/file; printf other >dir/sub/other; ln dir/file dir/hard
  ln -s file dir/symlink; mkfifo fifo; mknod device c 1 3; printf x >capable; setcap cap_net_raw+ep capable
  printf x >attributed; setfattr -n user.origin -v 0x6101ff attributed
  printf bad >"$(printf 'bad\\377name')"
  find . -exec touch -h -d 2001-01-01T00:00:00.123456789Z {} +`;

beforeEach(async () => {
  work = workFolder('judge');
  original = join(work, 'original');
  altered = join(work, 'altered');
  for (const folder of [original, altered]) {
    mkdirSync(folder);
    await run('/bin/sh', ['-euc', `cd "$0"; umask 022; ${build}`, folder]);
  }
});

afterEach(() => removeFolder(work));

async function alter(script: string): Promise<string[]> {
  await run('/bin/sh', ['-euc', `cd "$0"; ${script}`, altered]);
  return differences(await listRootfs(original), await listRootfs(altered));
}

/** Returns a script that also restores the times of the directories that it changes. */
const steadily = (script: string): string =>
  `${script}; touch -d 2001-01-01T00:00:00.123456789Z dir dir/sub .`;

it('finds two trees equal that are', async () => {
  expect(await alter('true')).toEqual([]);
});

it.each([
  ['the mode', 'chmod 640 dir/file', ['"dir/file": mode', '"dir/hard": mode']],
  ['a setuid bit', 'chmod u+s dir/sub/other', ['"dir/sub/other": mode']],
  ['the owner', 'chown -h 7 dir/symlink', ['"dir/symlink": uid']],
  ['the group', 'chgrp 3000000 empty', ['"empty": gid']],
  ['the time of a file', 'touch -d 2001-01-01T00:00:00.123456788Z fifo', ['"fifo": mtime']],
  ['the time of a directory', 'touch -d 2001-01-02T00:00:00Z empty', ['"empty": mtime']],
  ['the time of a symlink', 'touch -h -d 2001-01-02T00:00:00Z dir/symlink', ['"dir/symlink": mtime']],
  ['an xattr', 'setfattr -n user.origin -v 0x6102ff attributed', ['"attributed": xattrs']],
  ['an xattr that is gone', 'setfattr -x user.origin attributed', ['"attributed": xattrs']],
  ['a capability', 'setcap cap_net_raw+p capable', ['"capable": xattrs']],
  [
    'the content',
    'printf CONTENT >dir/sub/other; touch -d 2001-01-01T00:00:00.123456789Z dir/sub/other',
    ['"dir/sub/other": s'],
  ],
  [
    'a symlink target',
    steadily('ln -sfn filf dir/symlink; touch -h -d 2001-01-01T00:00:00.123456789Z dir/symlink'),
    ['"dir/symlink": target'],
  ],
  [
    'a device number',
    steadily('rm device; mknod device c 1 5; touch -d 2001-01-01T00:00:00.123456789Z device'),
    ['"device": device'],
  ],
  [
    'a broken hard link',
    steadily('cp -p dir/hard dir/copy; mv dir/copy dir/hard'),
    ['"dir/file": was one file', '"dir/hard": was one file'],
  ],
  ['a new hard link', steadily('ln -f attributed capable'), ['"attributed": was one file', '"capable": ']],
  [
    'a changed kind',
    steadily('rm fifo; mkdir fifo; chmod 644 fifo; touch -d 2001-01-01T00:00:00.123456789Z fifo'),
    ['"fifo": type'],
  ],
  ['a missing path', steadily('rm dir/sub/other'), ['"dir/sub/other": is missing']],
  ['an added path', steadily('printf x >dir/new'), ['"dir/new": is new']],
  [
    'a name that is not UTF-8',
    steadily(`mv bad* "$(printf 'bad\\376name')"`),
    ['"badÿname": is missing', '"badþname": is new'],
  ],
])('sees %s', async (_what, script, expected) => {
  const found = await alter(script);
  for (const start of expected) expect(found.filter((line) => line.startsWith(start))).not.toEqual([]);
  const paths = new Set(expected.map((line) => line.slice(0, line.indexOf('":'))));
  expect(found.filter((line) => !paths.has(line.slice(0, line.indexOf('":'))))).toEqual([]);
});

it('wants a removed path gone, and what is below it reported', async () => {
  const before = await listRootfs(original);
  expect(differences(before, await listRootfs(altered), new Set(['capable']))).toEqual([
    '"capable": is there, though reported as removed',
  ]);
  rmSync(join(altered, 'dir/sub'), { recursive: true });
  writeFileSync(join(altered, 'dir/sub'), '');
  const after = await listRootfs(altered);
  expect(differences(before, after, new Set(['dir/sub']))).toContain(
    '"dir/sub/other": is missing (was a file)',
  );
});
