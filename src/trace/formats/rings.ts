/**
 * Rings of io_uring: through them the kernel opens files on behalf of a program, without a system call that a tracer sees. The readers of
 * formats that show how rings are made ask here.
 */
import type { ReturnedCall } from './strace-return.ts';

/** A ring, as far as a trace tells of it. */
export interface Ring {
  /** The program, by its path or its short name. */
  readonly program: string;
  /** How many entries it was asked to have; NaN where the trace does not tell. */
  readonly entries: number;
  /** Whether a thread of the kernel takes its entries (IORING_SETUP_SQPOLL). */
  readonly polls: boolean;
}

/**
 * The program of Node, and the short name of its main thread. Its library, libuv, sets up a ring of 256 entries for epoll_ctl in each
 * event loop. The ring for files, which only UV_USE_IO_URING turns on, has 64 entries and a thread of the kernel.
 */
const node = /(?:^|\/)(?:node(?:js)?|node-MainThread)$/;
const epollEntries = 256;
const sqPoll = 2;

/** Returns whether files may be opened through a ring. The one that Node uses for sockets opens none. */
export function mayOpenFiles({ program, entries, polls }: Ring): boolean {
  if (!node.test(program) || polls) return true;
  return !Number.isNaN(entries) && entries !== epollEntries;
}

/** Returns whether the flags of io_uring_setup(2), names or a number, ask for a thread of the kernel. */
export function pollsBy(flags: string): boolean {
  return /^[0-9]/.test(flags) && !flags.includes('(')
    ? (Number.parseInt(flags) & sqPoll) !== 0
    : flags.includes('SQPOLL');
}

/** Returns whether files may be opened through the ring that io_uring_setup(2) returned. */
export function opensFiles(returned: ReturnedCall): boolean {
  const flags = /flags=([^,}]*)/.exec(returned.text(1))?.[1] ?? '';
  return mayOpenFiles({
    program: returned.process.program,
    entries: returned.number(0),
    polls: pollsBy(flags),
  });
}
