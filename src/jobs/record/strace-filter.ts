import { type ByteString, ascii, asByteString, utf8Bytes } from '../../bytes/bytes.ts';
import type { Launch } from './launch.ts';

/** How the command ended: an exit status as a shell would report it. */
export interface CommandEnd {
  readonly status: number;
  readonly signal: string | null;
}

const line =
  /^(\d+) +(?:(execve(?:at)?)\(|\+\+\+ (?:exited with (\d+)|killed by (SIG\w+)|(superseded) by execve))/;
const resumed = /^(\d+) +<\.\.\. execve(?:at)? resumed>/;
const elsewhere = / = \d+ \/\* (\d+) in strace's PID NS \*\//;

/** Numbers of signals that end programs, for exit statuses. */
const signals: Readonly<Record<string, number>> = {
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

/**
 * Of the lines of `strace -f -o`, those of the command and what it starts: not those of the programs that brought it into
 * its root. It knows which processes live, so that they can be sent signals. Line by line; keeps process numbers only.
 */
export class StraceFilter {
  readonly #launch: Pick<Launch, 'execs' | 'cwd' | 'hostRoot'>;
  #execs = 0;
  /** Helpers that were there before the command; they may outlive its start. */
  readonly #helpers = new Set<number>();
  readonly #alive = new Set<number>();
  /** Executions that have not returned: the beginnings of their lines. */
  readonly #begun = new Map<number, ByteString>();
  #command: number | null = null;
  #end: CommandEnd | null = null;

  constructor(launch: Pick<Launch, 'execs' | 'cwd' | 'hostRoot'>) {
    this.#launch = launch;
  }

  /** The process of the command; null until it was started. */
  get command(): number | null {
    return this.#command;
  }

  /** Null while it runs. */
  get end(): CommandEnd | null {
    return this.#end;
  }

  /** The command and what it started, as far as they live. */
  get alive(): ReadonlySet<number> {
    return this.#alive;
  }

  /** What the trace is to have for a line: some lines, without their ends. */
  take(text: ByteString): readonly ByteString[] {
    const pid = Number.parseInt(text.slice(0, 12), 10);
    // What strace itself has to say.
    if (Number.isNaN(pid)) return [];
    const found = line.exec(text);
    if (this.#command === null) return this.#before(text, pid, found);
    if (this.#helpers.has(pid)) return [];
    if (found?.[5] !== undefined) {
      this.#alive.delete(pid);
    } else if (found?.[3] !== undefined || found?.[4] !== undefined) {
      this.#alive.delete(pid);
      if (pid === this.#command) this.#end = endOf(found[3], found[4]);
    } else this.#alive.add(pid);
    // Process numbers of another namespace, where ours are beside them.
    return [asByteString(text.replace(elsewhere, ' = $1'))];
  }

  #before(text: ByteString, pid: number, found: RegExpExecArray | null): readonly ByteString[] {
    const isResumed = resumed.test(text);
    const begun = isResumed ? this.#begun.get(pid) : undefined;
    this.#begun.delete(pid);
    const isExec = found?.[2] !== undefined || isResumed;
    if (isExec && text.endsWith('<unfinished ...>')) this.#begun.set(pid, text);
    if (!isExec || !/\) += 0$/.test(text) || ++this.#execs < this.#launch.execs) {
      this.#helpers.add(pid);
      return [];
    }
    this.#helpers.delete(pid);
    this.#command = pid;
    this.#alive.add(pid);
    const { cwd, hostRoot } = this.#launch;
    // Where it stands is for the reader to know, which saw nothing of how it came there.
    const place = [ascii`${pid} chdir("${escape(cwd)}") = 0`];
    const root = hostRoot === null ? [] : [ascii`${pid} chroot("${escape(hostRoot)}") = 0`];
    return [...root, ...place, ...(begun === undefined ? [] : [begun]), text];
  }
}

function endOf(status: string | undefined, signal: string | undefined): CommandEnd {
  if (signal === undefined) return { status: Number(status), signal: null };
  return { status: 128 + (signals[signal] ?? 0), signal };
}

/** As strace writes strings. */
function escape(path: string): ByteString {
  const escaped = utf8Bytes(path)
    .replace(/["\\]/g, ascii`\\$&`)
    .replace(/[^ -~]/g, (unit) => `\\${unit.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return asByteString(escaped);
}
