import { describe, expect, it } from 'vitest';
import { readTrace } from './read-trace.ts';

const start =
  '10 execve("/app", ["app"], 0x1 /* 0 vars */) = 0\n10 clone(child_stack=NULL, flags=SIGCHLD) = 11\n';
const term = '--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---';

describe('the end of a run', () => {
  it.each([
    ['10 +++ exited with 0 +++', { status: 0, signal: null, stopped: null, seconds: null }],
    ['10 +++ exited with 3 +++', { status: 3, signal: null, stopped: null, seconds: null }],
    [
      '10 +++ killed by SIGSEGV (core dumped) +++',
      { status: 139, signal: 'SIGSEGV', stopped: null, seconds: null },
    ],
    ['10 +++ killed by SIGKILL +++', { status: 137, signal: 'SIGKILL', stopped: null, seconds: null }],
    [`10 ${term}\n10 +++ exited with 1 +++`, { status: 1, signal: null, stopped: 'signal', seconds: null }],
    [
      `10 ${term}\n10 +++ killed by SIGTERM +++`,
      { status: 143, signal: 'SIGTERM', stopped: 'signal', seconds: null },
    ],
    [
      '10 --- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---\n10 +++ killed by SIGINT +++',
      { status: 130, signal: 'SIGINT', stopped: 'signal', seconds: null },
    ],
    // A child that ends, or is told to end, says nothing about the command.
    [
      `11 ${term}\n11 +++ killed by SIGTERM +++\n10 +++ exited with 2 +++`,
      { status: 2, signal: null, stopped: null, seconds: null },
    ],
  ])('is that of the first process: %j', (lines, end) => {
    expect(readTrace(`${start}${lines}\n`).ends).toEqual([end]);
  });

  it('is unknown where lines have no process, and before it comes', () => {
    expect(readTrace(start).ends).toEqual([]);
    expect(readTrace('execve("/app", ["app"], 0x1 /* 0 vars */) = 0\n+++ exited with 3 +++\n').ends).toEqual(
      [],
    );
  });
});

describe('a ring of io_uring', () => {
  const node = '10 execve("/usr/bin/node", ["node"], 0x1 /* 0 vars */) = 0\n';

  it.each([
    [start, 'io_uring_setup(8, {flags=0, sq_entries=8}) = 3', true],
    [start, 'io_uring_setup(256, {flags=0, sq_entries=256}) = 3', true],
    [start, 'io_uring_setup(8, {flags=0}) = -1 EPERM (Operation not permitted)', false],
    // libuv makes one for epoll_ctl in each event loop, and with UV_USE_IO_URING one for files.
    [node, 'io_uring_setup(256, {flags=0x10000 /* IORING_SETUP_??? */, sq_entries=256}) = 4', false],
    [node, 'io_uring_setup(64, {flags=IORING_SETUP_SQPOLL, sq_entries=64}) = 4', true],
    [
      `${node}10 clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES}, 88) = 11\n`,
      'io_uring_setup(256, {flags=0}) = 4',
      false,
    ],
  ])('%j%s hides opened files: %s', (begin, line, isBlind) => {
    const trace = readTrace(`${begin}10 ${line}\n`);
    expect(trace.isBlind).toBe(isBlind);
    expect(trace.gaps).toEqual(isBlind ? ['does not show what was opened through io_uring'] : []);
  });
});
