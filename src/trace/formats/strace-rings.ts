/** Rings of io_uring: through them the kernel opens files on behalf of a program, without a system call that a tracer sees. */
import type { ReturnedCall } from './strace-return.ts';

/**
 * The program of Node. Its library, libuv, sets up a ring of 256 entries for epoll_ctl in each event loop. The ring for files, which
 * only UV_USE_IO_URING turns on, has 64 entries and a thread of the kernel (IORING_SETUP_SQPOLL).
 */
const node = /(?:^|\/)node(?:js)?$/;
const epollEntries = 256;
const sqPoll = 2;

/** Returns whether files may be opened through the ring that io_uring_setup(2) returned. */
export function opensFiles(returned: ReturnedCall): boolean {
  if (!node.test(returned.process.program)) return true;
  const flags = /flags=([^,}]*)/.exec(returned.text(1))?.[1] ?? '';
  const polls = /^[0-9]/.test(flags) ? (Number.parseInt(flags) & sqPoll) !== 0 : flags.includes('SQPOLL');
  return returned.number(0) !== epollEntries || polls;
}
