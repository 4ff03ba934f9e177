import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TraceReader } from '../../src/trace/trace-reader.ts';
import type { TraceOptions } from '../../src/trace/trace-sink.ts';
import { b } from '../support/bytes.ts';
import { readTrace } from './read-trace.ts';

function absentOf(lines: string | Uint8Array, options: TraceOptions = {}): readonly string[] {
  const reader = new TraceReader('app.strace', { absent: true, ...options });
  reader.write(typeof lines === 'string' ? Buffer.from(lines, 'latin1') : lines);
  reader.end();
  return reader.absent;
}

const enoent = '= -1 ENOENT (No such file or directory)';
/** Lines that strace 6.1 wrote, before which the process is in /srv and has /d open as descriptor 9. */
const rows: readonly (readonly [line: string, absent: readonly string[]])[] = [
  [`openat(AT_FDCWD, "/etc/app.conf", O_RDONLY|O_CLOEXEC) ${enoent}`, ['etc/app.conf']],
  [`openat(AT_FDCWD</srv>, "app.conf", O_RDONLY) ${enoent}`, ['srv/app.conf']],
  [`openat(9</d>, "a/../b", O_RDONLY) ${enoent}`, ['d/a/../b']],
  [`openat(9, "x", O_RDONLY) ${enoent}`, ['d/x']],
  [`execve("/usr/bin/app", ["app"], 0x7ffd8 /* 3 vars */) ${enoent}`, ['usr/bin/app']],
  [`newfstatat(AT_FDCWD, "/a/b/", {}, AT_SYMLINK_NOFOLLOW) ${enoent}`, ['a/b']],
  [`newfstatat(9, "", 0x7ffc, AT_EMPTY_PATH) ${enoent}`, []],
  [`readlink("/a", 0x7ffc, 4096) ${enoent}`, ['a']],
  [`access("/etc/ld.so.preload", R_OK) ${enoent}`, ['etc/ld.so.preload']],
  [`statx(AT_FDCWD, "/a", AT_STATX_SYNC_AS_STAT, STATX_ALL, 0x7ffc) ${enoent}`, ['a']],
  [`chdir("/var/lib/app") ${enoent}`, ['var/lib/app']],
  [`unlink("/run/app.pid") ${enoent}`, ['run/app.pid']],
  [`truncate("/var/log/x", 0) ${enoent}`, ['var/log/x']],
  [`connect(3, {sa_family=AF_UNIX, sun_path="/run/nscd/socket"}, 110) ${enoent}`, ['run/nscd/socket']],
  // What is to be created lacks its directory.
  [
    `openat(AT_FDCWD, "/var/log/app/log", O_WRONLY|O_CREAT|O_APPEND, 0666) ${enoent}`,
    ['var/log/app/log', 'var/log/app'],
  ],
  [`creat("/var/x/y", 0600) ${enoent}`, ['var/x/y', 'var/x']],
  [`mkdir("/var/cache/a/b", 0755) ${enoent}`, ['var/cache/a/b', 'var/cache/a']],
  [`mkdirat(9, "a/b", 0755) ${enoent}`, ['d/a/b', 'd/a']],
  [`mknod("/a/b", S_IFIFO|0600) ${enoent}`, ['a/b', 'a']],
  [`symlink("target", "/a/b") ${enoent}`, ['a/b', 'a']],
  [`rename("/a/b", "/c/d") ${enoent}`, ['a/b', 'c/d', 'c']],
  [`linkat(AT_FDCWD, "/a/b", AT_FDCWD, "/c/d", 0) ${enoent}`, ['a/b', 'c/d', 'c']],
  [`bind(3, {sa_family=AF_UNIX, sun_path="/run/app/sock"}, 110) ${enoent}`, ['run/app/sock', 'run/app']],
  [`mkdir("/top", 0755) ${enoent}`, ['top']],
  // Other calls and errors say nothing about names that are missing.
  ['openat(AT_FDCWD, "/etc/shadow", O_RDONLY) = -1 EACCES (Permission denied)', []],
  ['openat(AT_FDCWD, "/etc/hostname/x", O_RDONLY) = -1 ENOTDIR (Not a directory)', []],
  ['openat(AT_FDCWD, "/etc/hostname", O_RDONLY) = 3', []],
  [`rt_sigaction(SIGINT, NULL, NULL, 8) ${enoent}`, []],
  [`open(0x1, O_RDONLY) ${enoent}`, []],
];

it.each(rows)('%s shows that these are missing: %j', (line, absent) => {
  expect(absentOf(`chdir("/srv") = 0\nopenat(AT_FDCWD, "/d", O_RDONLY|O_PATH) = 9\n${line}\n`)).toEqual(
    absent,
  );
});

describe('names that are not there', () => {
  const ask = (path: string) => `openat(AT_FDCWD, "${path}", O_RDONLY) ${enoent}\n`;

  it('come once, in the order in which they were asked for', () => {
    expect(absentOf(ask('/b') + ask('/a') + ask('//b') + ask('/./a'))).toEqual(['b', 'a']);
  });

  it('do not come where the run had them before, and removed them', () => {
    const made = 'openat(AT_FDCWD, "/tmp/x", O_WRONLY|O_CREAT, 0600) = 3\nunlink("/tmp/x") = 0\n';
    expect(absentOf(made + ask('/tmp/x'))).toEqual([]);
    expect(absentOf(ask('/tmp/x') + made)).toEqual(['tmp/x']);
  });

  it('count from where a process turns out to be', () => {
    const lines = `openat(AT_FDCWD, "x", O_RDONLY) ${enoent}\nstat("y", 0x1) ${enoent}\nopenat(AT_FDCWD</srv>, "z", O_RDONLY) = 3</srv/z>\n`;
    expect(absentOf(lines)).toEqual(['./x', 'srv/y']);
  });

  it('outside of the root of the container are left out, and not counted', () => {
    const options = { roots: [b('/merged')] };
    const lines = ask('/merged/a') + ask('/elsewhere') + 'stat("/merged/b", {}) = 0\n';
    expect(absentOf(lines, options)).toEqual(['a']);
    expect(readTrace(lines, { ...options, absent: true }).outside).toBe(0);
  });

  it('of a call that was interrupted come when it returns', () => {
    const lines = `7 openat(AT_FDCWD, "/a", O_RDONLY <unfinished ...>\n8 stat("/b", {}) = 0\n7 <... openat resumed>) ${enoent}\n`;
    expect(absentOf(lines)).toEqual(['a']);
  });

  it('are bounded by number and by bytes, without an error', () => {
    const lines = Array.from({ length: 9 }, (_, i) => ask(`/name${i}`)).join('');
    expect(absentOf(lines, { limits: { 'trace-paths': 3 } })).toEqual(['name0', 'name1', 'name2']);
    expect(absentOf(lines, { limits: { 'trace-path-bytes': 12 } })).toEqual(['name0', 'name1']);
  });

  it('are not collected unless they are asked for', () => {
    expect(absentOf(ask('/a'), { absent: false })).toEqual([]);
  });
});

const directory = new URL('../../fixtures/traces/', import.meta.url);
const fixtures = readdirSync(directory).filter((name) => name.includes('.'));

it.each(fixtures)('a trace is the same whether what is missing is collected or not: %s', (name) => {
  const bytes = readFileSync(new URL(name, directory));
  expect(readTrace(bytes, { absent: true })).toEqual(readTrace(bytes));
});
