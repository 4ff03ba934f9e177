/**
 * One call that has returned, as its line shows it: arguments, result, and what -y says of descriptors. `strace.ts` reads
 * these from lines; `strace-effects.ts` asks them what the call did.
 */
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import type { TracedPath } from '../trace.ts';
import { tracedPath } from '../traced-path.ts';
import type { Process } from './strace-process.ts';
import { annotatedPath, type Arguments, quoted, quotedList, splitArguments } from './strace-text.ts';

const space = 0x20;
const minus = 0x2d;
const less = 0x3c;
const equals = 0x3d;
const question = 0x3f;

/**
 * Reads the line of a call from its opening parenthesis on. The result is `unfinished` for `= ?` (the process ended inside the
 * call, or the kernel repeats it), and `unreadable` for a line without a closing parenthesis or a result.
 *
 * `into` is overwritten: the result is valid until the next call of this function with the same `into`.
 */
export function readReturn(
  process: Process,
  line: ByteString,
  parenthesis: number,
  into: Arguments,
): ReturnedCall | 'unfinished' | 'unreadable' {
  if (!splitArguments(line, parenthesis, into)) return 'unreadable';
  let at = into.close + 1;
  while (line.charCodeAt(at) === space) at++;
  if (line.charCodeAt(at) !== equals) return 'unreadable';
  const result = at + '= '.length;
  const unit = line.charCodeAt(result);
  if (Number.isNaN(unit)) return 'unreadable';
  if (unit === question) return 'unfinished';
  return new ReturnedCall(process, line, into, { offset: result, isError: unit === minus });
}

/** Where the result of a call is in its line, and whether it is an error. */
interface Result {
  readonly offset: number;
  readonly isError: boolean;
}

/** A call that returned. Arguments are numbered from 0; an argument that is absent gives null, '' or false. */
export class ReturnedCall {
  readonly process: Process;
  readonly #line: ByteString;
  readonly #arguments: Arguments;
  /** Offset of the result in the line. */
  readonly #result: number;

  /** Whether the call failed. */
  readonly isError: boolean;

  constructor(process: Process, line: ByteString, args: Arguments, { offset, isError }: Result) {
    this.process = process;
    this.#line = line;
    this.#arguments = args;
    this.#result = offset;
    this.isError = isError;
  }

  /** The name of the error, "ENOENT"; '' for a successful call, and where the line shows no name. */
  get error(): string {
    return this.isError
      ? (/ (E[A-Z0-9]+)/.exec(this.#line.slice(this.#result, this.#result + 40))?.[1] ?? '')
      : '';
  }

  /** The whole line, for flags that may stand anywhere in it. */
  get line(): ByteString {
    return this.#line;
  }

  has(index: number): boolean {
    return index < this.#arguments.count;
  }

  /** Returns an argument as it is written. */
  text(index: number): ByteString {
    return this.#line.slice(this.#startOf(index), this.#endOf(index));
  }

  startsWith(index: number, text: string): boolean {
    return this.has(index) && this.#line.startsWith(text, this.#startOf(index));
  }

  /** Returns a name between quotes; null for an address that strace did not follow, and for a name that it cut short. */
  string(index: number): ByteString | null {
    return this.has(index) ? quoted(this.#line, this.#startOf(index), this.#endOf(index)) : null;
  }

  /** Returns the path of a socket in the file system among the members of an argument; null for any other address. */
  socketPath(index: number): ByteString | null {
    const found = this.has(index) ? socketPath.exec(this.text(index)) : null;
    return found === null ? null : quoted(found[1] as ByteString, 0, (found[1] as ByteString).length);
  }

  /** Returns the strings of an array; null if strace left some out. */
  strings(index: number): readonly ByteString[] | null {
    return this.has(index) ? quotedList(this.#line, this.#startOf(index), this.#endOf(index)) : null;
  }

  /** Returns the number at the start of an argument; -1 for any other argument. */
  number(index: number): number {
    return this.has(index) ? numberAt(this.#line, this.#startOf(index)) : -1;
  }

  /** Returns whether an argument sets a flag: by its name, or by its bit where flags are numbers (-X raw). */
  hasFlag(index: number, name: string, bit: number): boolean {
    if (!this.has(index)) return false;
    const text = this.text(index);
    // strace 6.1 writes `|0x900`.
    const flags = text.startsWith('|') ? text.slice(1) : text;
    return digitAt(flags, 0) >= 0 ? (Number.parseInt(flags) & bit) !== 0 : flags.includes(name);
  }

  /** Returns the path that -y shows after a descriptor; null without -y, and for a descriptor of something else. */
  annotation(index: number): TracedPath | null {
    const [start, end] = [this.#startOf(index), this.#endOf(index)];
    let mark = start;
    while (mark < end && this.#line.charCodeAt(mark) !== less) mark++;
    const path = mark < end ? annotatedPath(this.#line, mark) : null;
    return path === null ? null : tracedPath(noBytes, path);
  }

  /** The number that the call returned: a descriptor. */
  get descriptor(): number {
    return numberAt(this.#line, this.#result);
  }

  /**
   * The process that the call made. With --decode-pids, `= 2 /* 14816 in strace's PID NS *\/`, it is the second number,
   * since that is the one by which strace begins the lines of the child.
   */
  get child(): number {
    const comment = this.#line.indexOf('/* ', this.#result);
    return comment < 0 ? this.descriptor : numberAt(this.#line, comment + 3);
  }

  /** Whether -y shows behind the result what was opened. */
  get isAnnotated(): boolean {
    return this.#line.charCodeAt(this.#mark()) === less;
  }

  /** The path that -y shows behind the result, absolute as strace has it. Null where it shows something else. */
  get opened(): ByteString | null {
    return annotatedPath(this.#line, this.#mark());
  }

  /** Returns the offset after the digits of the result. */
  #mark(): number {
    let mark = this.#result;
    while (digitAt(this.#line, mark) >= 0) mark++;
    return mark;
  }

  #startOf(index: number): number {
    return this.#arguments.start[index] as number;
  }

  #endOf(index: number): number {
    return this.#arguments.end[index] as number;
  }
}

/** The name of a socket of AF_UNIX. That of an abstract one has an `@` before it. */
const socketPath = /sun_path=("(?:[^"\\]|\\.)*")/;

/** The longest number of a descriptor or process has ten digits (2^31). */
const mostDigits = 10;

function numberAt(line: string, start: number): number {
  let value = 0;
  for (let i = start; i < start + mostDigits; i++) {
    const digit = digitAt(line, i);
    if (digit < 0) return i === start ? -1 : value;
    value = value * 10 + digit;
  }
  return value;
}

/** Returns the value of a decimal digit; -1 for another character, and beyond the end. */
function digitAt(text: string, index: number): number {
  const digit = text.charCodeAt(index) - 0x30;
  return digit >= 0 && digit <= 9 ? digit : -1;
}
