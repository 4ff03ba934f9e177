import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { callsOfRights } from '../../src/trace/formats/strace-rights.ts';
import { capabilities, isCapability } from '../../src/trace/rights.ts';
import { readFixture, readTrace } from './read-trace.ts';
import { mergeTraces } from '../../src/trace/merge.ts';
import type { Trace } from '../../src/trace/trace.ts';

const notes = readFileSync(new URL('../../spec-notes/trace-rights.md', import.meta.url), 'utf8');
const rows = [...notes.matchAll(/^\| `(.+)` \| (.+) \|$/gm)].map(
  ([, line = '', shows = '']): [string, string] => [line.replaceAll('\\|', '|'), shows],
);

function shown({ rights }: Trace): string {
  const needed = [...rights.capabilities].map(([name, calls]) => `${name}: ${[...calls].join(' ')}`);
  return [...rights.sockets, ...needed].join('; ') || 'nothing';
}

it('the table of rights is read', () => expect(rows.length).toBeGreaterThan(85));

it.each(rows)('%s shows: %s', (line, shows) => {
  const trace = readTrace(`openat(AT_FDCWD, "/d", O_RDONLY|O_PATH) = 9\n${line}\n`);
  expect(trace.unreadable.count).toBe(0);
  expect(shown(trace)).toBe(shows);
});

it.each(rows)('%s, interrupted, shows: %s', (line, shows) => {
  const name = line.slice(0, line.indexOf('('));
  const text =
    `5 openat(AT_FDCWD, "/d", O_RDONLY|O_PATH) = 9\n` +
    `5 ${name}( <unfinished ...>\n6 getpid() = 6\n5 <... ${name} resumed>${line.slice(name.length + 1)}\n`;
  expect(shown(readTrace(text))).toBe(shows);
});

it('each capability that the table names is one of Linux, and most of Linux are in the table', () => {
  const named = new Set(rows.flatMap(([, shows]) => shows.match(/[a-z_]+(?=:)/g) ?? []));
  expect([...named].filter((each) => !isCapability(each))).toEqual([]);
  // A line cannot show these, or no call of a program in a container does.
  const absent = capabilities.filter((each) => !named.has(each));
  expect(absent).toEqual(
    (
      'audit_control audit_read block_suspend checkpoint_restore dac_override fowner ipc_owner kill lease mac_admin ' +
      'mac_override net_broadcast'
    ).split(' '),
  );
});

it('the calls that are recorded leave out those that programs make all the time', () => {
  expect(callsOfRights).toEqual(expect.arrayContaining(['socket', 'socketpair', 'fchown', 'prctl', 'kill']));
  expect(callsOfRights).not.toContain('ioctl');
  expect(callsOfRights).not.toContain('setsockopt');
});

describe('users of processes', () => {
  const start = '1 execve("/a", ["a"], 0x1 /* 1 var */) = 0\n1 clone(flags=SIGCHLD) = 2\n2 getpid() = 2\n';

  it('a signal to a process of another user needs a capability', () => {
    expect(shown(readTrace(`${start}2 setuid(33) = 0\n1 kill(2, SIGTERM) = 0\n`))).toBe(
      'setuid: setuid; kill: kill',
    );
    const group = `${start}2 setuid(33) = 0\n1 kill(-2, SIGTERM) = 0\n`;
    expect(shown(readTrace(group))).toContain('kill: kill');
    const renumbered = `${start}2 setuid(33) = 0\n1 kill(7 /* 2 in strace's PID NS */, SIGTERM) = 0\n`;
    expect(shown(readTrace(renumbered))).toContain('kill: kill');
  });

  it('a signal to a process of the same user needs none, nor does one that was refused', () => {
    expect(shown(readTrace(`${start}1 kill(2, SIGTERM) = 0\n`))).toBe('nothing');
    const both = `1 execve("/a", ["a"], 0x1 /* 1 var */) = 0\n1 setuid(33) = 0\n1 fork() = 2\n2 kill(1, SIGTERM) = 0\n`;
    expect(shown(readTrace(both))).toBe('setuid: setuid');
    expect(shown(readTrace(`${start}2 setuid(33) = 0\n2 kill(1, SIGTERM) = -1 EPERM (x)\n`))).toBe(
      'setuid: setuid',
    );
    expect(shown(readTrace(`${start}2 setuid(33) = 0\n1 kill(9, SIGTERM) = 0\n`))).toBe('setuid: setuid');
  });

  it('becoming the user that a process is already needs nothing', () => {
    const trace = readTrace('1 setresuid(33, 33, 33) = 0\n1 setreuid(33, 33) = 0\n1 setuid(33) = 0\n');
    expect(shown(trace)).toBe('setuid: setresuid');
    // Each of the three may be another one.
    expect(shown(readTrace('1 setuid(33) = 0\n1 setresuid(-1, 33, 0) = 0\n'))).toBe(
      'setuid: setuid setresuid',
    );
  });
});

describe('the user as which a program starts', () => {
  const user = { uid: 1000, gid: 100 };
  const becomeOneself = [
    'setgid(100) = 0\nsetuid(1000) = 0\n',
    'setresgid(-1, 100, -1) = 0\nsetreuid32(1000, 1000) = 0\nsetfsuid(1000) = 1000\n',
    '1 fork() = 2\n2 setregid(100, 100) = 0\n2 setuid(1000) = 0\n1 kill(2, SIGTERM) = 0\n',
  ];

  it.each(becomeOneself)('needs nothing to become itself: %j', (lines) => {
    expect(shown(readTrace(lines, { user }))).toBe('nothing');
    expect(shown(readTrace(lines))).not.toBe('nothing');
  });

  it.each(becomeOneself)('may be what calls before told: %j', (lines) => {
    const first = lines.startsWith('1 ') ? '1 ' : '';
    const asked = `${first}getgid() = 100\n${first}geteuid() = 1000\n`;
    expect(shown(readTrace(`${asked}${lines}`))).toBe('nothing');
  });

  it('root needs nothing to stay root, also where the start is not known', () => {
    const lines = 'setgid(0) = 0\nsetuid(0) = 0\n';
    expect(shown(readTrace(lines))).toBe('nothing');
    expect(shown(readTrace(lines, { user: { uid: 0, gid: 0 } }))).toBe('nothing');
  });

  it.each([{ user: { uid: 0, gid: 0 } }, {}])(
    'root needs capabilities to become another user: %j',
    (options) => {
      const nginx = 'setgid(101) = 0\nsetgroups(1, [101]) = 0\nsetuid(101) = 0\n';
      expect(shown(readTrace(nginx, options))).toBe('setgid: setgid setgroups; setuid: setuid');
      const plain = 'geteuid() = 0\nsetresgid(70, 70, 70) = 0\nsetresuid(70, 70, 70) = 0\n';
      expect(shown(readTrace(plain, options))).toBe('setgid: setresgid; setuid: setresuid');
      const there = 'setuid(0) = 0\nsetuid(33) = 0\n';
      expect(shown(readTrace(there, options))).toBe('setuid: setuid');
    },
  );

  it('a call that asks for the user after a change does not tell as whom the program started', () => {
    const lines = '1 fork() = 2\n2 setuid(33) = 0\n2 getuid() = 33\n1 setuid(33) = 0\n1 getuid() = 33\n';
    expect(shown(readTrace(lines))).toBe('setuid: setuid');
  });

  it('an ordinary user gives its own files to its groups without a capability, and root needs it', () => {
    const lines =
      'fchown(3, 1000, 100) = 0\nchown("/a", -1, 100) = 0\nfchownat(AT_FDCWD, "/a", 1000, 100, 0) = 0\n';
    expect(shown(readTrace(lines, { user }))).toBe('nothing');
    expect(shown(readTrace(lines, { user: { uid: 0, gid: 0 } }))).toBe('chown: fchown chown fchownat');
    expect(shown(readTrace(lines))).toBe('chown: fchown chown fchownat');
    expect(shown(readTrace('chown("/a", 33, -1) = 0\n', { user }))).toBe('chown: chown');
  });
});

describe('whether rights are complete', () => {
  it('a trace of all system calls has all, and one of some calls may not', () => {
    expect(readFixture('strace/f-all.txt').rights.isComplete).toBe(true);
    expect(readFixture('strace/f-y.txt').rights.isComplete).toBe(false);
    expect(readFixture('fatrace.txt').rights).toEqual({
      isComplete: false,
      sockets: new Set(),
      capabilities: new Map(),
    });
  });

  it('merged traces have the rights of each, and all if each has all', () => {
    const one = readTrace('socket(AF_INET, SOCK_STREAM, 0) = 3\nchroot("/a") = 0\n');
    const other = readTrace(
      'socket(AF_UNIX, SOCK_STREAM, 0) = 3\nfchown(3, 1, 1) = 0\nchown("/a", 1, 1) = 0\n',
    );
    const complete = (trace: Trace) => ({ ...trace, rights: { ...trace.rights, isComplete: true } });
    expect(shown(mergeTraces([one, other]))).toBe(
      'inet stream; unix stream; sys_chroot: chroot; chown: fchown chown',
    );
    expect(mergeTraces([complete(one), other]).rights.isComplete).toBe(false);
    expect(mergeTraces([complete(one), complete(other)]).rights.isComplete).toBe(true);
    expect(mergeTraces([complete(one), readTrace('')]).rights.isComplete).toBe(true);
  });
});
