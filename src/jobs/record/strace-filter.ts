/**
 * Takes the lines of the command out of the output of strace, which also traces the helpers that enter its root. `record`
 * passes every line through it, and learns from it which processes live.
 */
import { type ByteString, ascii, asByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { statusOfSignal } from '../../trace/formats/strace-end.ts';
import type { Launch } from './launch.ts';

/** How the command ended. */
export interface CommandEnd {
  /** The exit status; for a signal 128 plus its number, as shells report it. */
  readonly status: number;
  /** The signal that ended the command, "SIGTERM"; null where it exited. */
  readonly signal: string | null;
}

/** The lines that matter here. The groups are PID, execve, exit status, signal, and the mark of a superseded thread. */
const line =
  /^(\d+) +(?:(execve(?:at)?)\(|\+\+\+ (?:exited with (\d+)|killed by (SIG\w+)|(superseded) by execve))/;
const resumed = /^(\d+) +<\.\.\. execve(?:at)? resumed>/;
/** A call that gives a process or a file to another user, and was refused. The groups are its name and its error. */
const refusal =
  /^\d+ +(?:<\.\.\. )?(set(?:re|res)?[ug]id(?:32)?|setgroups(?:32)?|l?chown(?:32)?|fchownat)(?:\(| resumed>).*\) += -1 (EPERM|EINVAL) /;
/** A call by which a process has become another user than root. Programs then try whether they can go back, which must fail. */
const switched =
  /^\d+ +(?:<\.\.\. )?set(?:re|res)?uid(?:32)?(?:\((?:[^)]*[^\d-])?[1-9]\d*| resumed>)[^)]*\) += 0$/;
/** A process number of another PID namespace, with that of ours behind it (--decode-pids). */
const elsewhere = / = \d+ \/\* (\d+) in strace's PID NS \*\//;

/** A call by which the command was to become another user, or to give a file to one, and that failed. */
export interface Refusal {
  /** "setgroups". */
  readonly call: string;
  /** "EPERM". */
  readonly error: string;
}

/**
 * Selects from the lines of `strace -f -o` those of the command and of what it starts. Takes one line after the other, and
 * keeps process numbers only.
 */
export class StraceFilter {
  readonly #launch: Pick<Launch, 'execs' | 'mark' | 'cwd' | 'hostRoot'>;
  /** How a call begins by which the counting of executions begins; null where it has begun. */
  #mark: ByteString | null;
  /** Number of successful executions that were counted. */
  #execs = 0;
  /** The processes before the command. They may outlive its start. */
  readonly #helpers = new Set<number>();
  readonly #alive = new Set<number>();
  /** The first halves of the lines of executions that have not returned, by process. */
  readonly #begun = new Map<number, ByteString>();
  #command: number | null = null;
  #end: CommandEnd | null = null;
  #refusal: Refusal | null = null;
  #hasSwitched = false;

  constructor(launch: Pick<Launch, 'execs' | 'mark' | 'cwd' | 'hostRoot'>) {
    this.#launch = launch;
    this.#mark = launch.mark === undefined ? null : ascii` execve("${escape(launch.mark)}", `;
  }

  /** The process of the command; null before it has started. */
  get command(): number | null {
    return this.#command;
  }

  /** How the command ended; null before it has. */
  get end(): CommandEnd | null {
    return this.#end;
  }

  /** The first call that failed to switch users; null for none, and where another one succeeded. */
  get refusal(): Refusal | null {
    return this.#hasSwitched ? null : this.#refusal;
  }

  /** The living processes among the command and what it started. */
  get alive(): ReadonlySet<number> {
    return this.#alive;
  }

  /** Returns the lines of the trace for a line of strace, without line breaks: none, one, or several at the start. */
  take(text: ByteString): readonly ByteString[] {
    const pid = Number.parseInt(text.slice(0, 12), 10);
    // A message of strace about itself.
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
    this.#watchUsers(text);
    return [text.replace(elsewhere, ascii` = $1`)];
  }

  /** Notes whether the command becomes another user, or fails to. */
  #watchUsers(text: ByteString): void {
    if (this.#hasSwitched) return;
    if (switched.test(text)) this.#hasSwitched = true;
    const [, call, error] = this.#refusal === null ? (refusal.exec(text) ?? []) : [];
    if (call !== undefined && error !== undefined) this.#refusal = { call, error };
  }

  /** Counts a successful execution, and returns whether it is that of the command. */
  #isCommand(call: ByteString): boolean {
    if (this.#mark !== null && !call.includes(this.#mark)) return false;
    this.#mark = null;
    return ++this.#execs === this.#launch.execs;
  }

  /** Takes a line that precedes the start of the command, or is that start. */
  #before(text: ByteString, pid: number, found: RegExpExecArray | null): readonly ByteString[] {
    const isResumed = resumed.test(text);
    const begun = isResumed ? this.#begun.get(pid) : undefined;
    this.#begun.delete(pid);
    const isExec = found?.[2] !== undefined || isResumed;
    if (isExec && text.endsWith('<unfinished ...>')) this.#begun.set(pid, text);
    if (!isExec || !/\) += 0$/.test(text) || !this.#isCommand(begun ?? text)) {
      this.#helpers.add(pid);
      return [];
    }
    this.#helpers.delete(pid);
    this.#command = pid;
    this.#alive.add(pid);
    const { cwd, hostRoot } = this.#launch;
    // The reader of the trace does not see how the helpers came to this root and directory: these lines tell it.
    const root = hostRoot === null ? [] : [ascii`${pid} chroot("${escape(hostRoot)}") = 0`];
    return [
      ...root,
      ascii`${pid} chdir("${escape(cwd)}") = 0`,
      ...(begun === undefined ? [] : [begun]),
      text,
    ];
  }
}

function endOf(status: string | undefined, signal: string | undefined): CommandEnd {
  if (signal === undefined) return { status: Number(status), signal: null };
  return { status: statusOfSignal(signal), signal };
}

/** Escapes a path as strace does in strings. */
function escape(path: string): ByteString {
  const escaped = utf8Bytes(path)
    .replace(/["\\]/g, ascii`\\$&`)
    .replace(/[^ -~]/g, (unit) => `\\${unit.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return asByteString(escaped);
}
