/** How the traced command ended, by the lines of strace about its first process. `strace.ts` shows it every such line. */
import type { ByteString } from '../../bytes/bytes.ts';
import type { RunEnd } from '../trace.ts';

/** The end of a process. The groups are its status and its signal. */
const ended = /^\+\+\+ (?:exited with (\d+)|killed by (SIG[A-Z0-9+]+))/;
/** A signal by which people and container runtimes tell programs to end, sent by a process. */
const told = /^--- SIG(?:TERM|INT|QUIT|HUP) \{.*si_code=(?:SI_USER|SI_KERNEL|SI_TKILL|SI_QUEUE)/;

/** Numbers of the signals that end programs (signal(7)). */
const numbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
}; // prettier-ignore

/** Returns the exit status that shells report for a signal. */
export function statusOfSignal(signal: string): number {
  return 128 + (numbers[signal] ?? 0);
}

/** Watches the first process of a trace with process numbers. Without them (-ff), a file may be that of any child. */
export class FirstProcess {
  #pid: number | null = null;
  #isTold = false;
  #end: RunEnd | null = null;

  /** How the process ended, without its time; null before that. */
  get end(): RunEnd | null {
    return this.#end;
  }

  /** Meets the process of a line: the first one with a number counts. */
  meet(pid: number | null): void {
    this.#pid ??= pid;
  }

  /** Takes a line about a signal or the end of a process, without prefixes. */
  take(pid: number | null, text: ByteString): void {
    if (pid === null || pid !== this.#pid) return;
    if (told.test(text)) this.#isTold = true;
    const found = ended.exec(text);
    if (found === null) return;
    const [, status, signal = null] = found;
    this.#end = {
      status: signal === null ? Number(status) : statusOfSignal(signal),
      signal,
      stopped: this.#isTold ? 'signal' : null,
      seconds: null,
    };
  }
}
