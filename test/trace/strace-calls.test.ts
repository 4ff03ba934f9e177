import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { calls } from '../../src/trace/formats/strace-calls.ts';
import { readTrace } from './read-trace.ts';
import { sayingsOf } from './sayings.ts';

const notes = readFileSync(new URL('../../spec-notes/strace-calls.md', import.meta.url), 'utf8');
const rows = [...notes.matchAll(/^\| `(.+)` \| (.+) \|$/gm)].map(
  ([, line = '', says = '']): [string, string] => [line.replaceAll('\\|', '|'), says],
);

it('the table of calls is read', () => expect(rows.length).toBeGreaterThan(150));

// `d` is opened before each line with O_PATH.
it.each(rows)('%s says: %s', (line, says) => {
  const trace = readTrace(`openat(AT_FDCWD, "/d", O_RDONLY|O_PATH) = 9\n${line}\n`);
  expect(trace.unreadable.count).toBe(0);
  expect(sayingsOf(trace)).toBe(says);
});

/** The calls of strace 6.x in the class %file (TF in its tables) on amd64, arm64 and the 32-bit platforms. */
const ofFiles =
  'open stat lstat access execve truncate getcwd chdir rename mkdir rmdir creat link unlink symlink readlink chmod chown lchown utime mknod uselib statfs pivot_root chroot acct mount umount2 swapon swapoff quotactl setxattr lsetxattr getxattr lgetxattr listxattr llistxattr removexattr lremovexattr utimes inotify_add_watch openat mkdirat mknodat fchownat futimesat newfstatat unlinkat renameat linkat symlinkat readlinkat fchmodat faccessat utimensat fanotify_mark name_to_handle_at renameat2 execveat statx open_tree move_mount fspick openat2 faccessat2 mount_setattr fchmodat2 setxattrat getxattrat listxattrat removexattrat open_tree_attr file_getattr file_setattr umount oldstat oldlstat stat64 lstat64 truncate64 statfs64 fstatat64 chown32 lchown32 utimensat_time64'.split(
    ' ',
  );

it('each call of %file that names something in the image is in the table of calls', () => {
  expect(ofFiles.filter((name) => !calls.has(name))).toEqual([]);
});
