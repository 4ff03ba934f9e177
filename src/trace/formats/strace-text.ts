/**
 * The syntax of strace's lines: prefixes, argument lists, strings, and the annotations of -y. `strace.ts` and
 * `strace-return.ts` take lines apart with it. What calls mean is not known here.
 */
import { type ByteString, asByteString, ascii } from '../../bytes/bytes.ts';

const quote = 0x22;
const backslash = 0x5c;
const open = 0x28;
const close = 0x29;
const comma = 0x2c;
const less = 0x3c;
const space = 0x20;

/** Linux gives no larger PID (PID_MAX_LIMIT). A larger number at the start of a line is a time (-ttt in whole seconds). */
const largestPid = 1 << 22;

/** Where the body of a line starts, behind its prefixes, and the process that the line belongs to. */
export interface LineStart {
  /** Null where the line gives no PID. */
  pid: number | null;
  body: number;
}

/**
 * Skips the prefixes of a line: `123 `, `[pid 123] `, `123<name> ` (-Y), times of all kinds (-t, -tt, -ttt, -r, and both:
 * `(+ 0.000048)`), numbers of calls (-n: `[ 257]`) and instruction pointers (-i: `[00007f…]`). The result goes into `start`,
 * which is used again from line to line.
 */
export function readStart(text: ByteString, start: LineStart): void {
  start.pid = null;
  let at = readBracketedPid(text, start);
  const isBracketed = at > 0;
  for (let isFirst = true; ; isFirst = false) {
    const token = at;
    while (text.charCodeAt(at) === space) at++;
    const end = endOfPrefix(text, at);
    if (end <= at || text.charCodeAt(end) !== space) break;
    // Only a number at the very start of a line may be a PID: strace aligns times with spaces.
    if (isFirst && !isBracketed && token === at) start.pid = pidAt(text, at, end);
    at = end;
  }
  start.body = at;
}

/** Reads `[pid 123] `, and returns where it ends; 0 for a line without it. */
function readBracketedPid(text: ByteString, start: LineStart): number {
  if (!text.startsWith('[pid ')) return 0;
  const end = text.indexOf('] ', 5);
  const pid = end < 0 ? 0 : Number.parseInt(text.slice(5, end), 10);
  if (!(pid > 0)) return 0;
  start.pid = pid;
  return end + 2;
}

/** Returns the end of the prefix that starts here; `at` or less if none does. */
function endOfPrefix(text: ByteString, at: number): number {
  const unit = text.charCodeAt(at);
  if (isDigit(unit)) return endOfNumber(text, at);
  if (unit === open && text.charCodeAt(at + 1) === 0x2b) return text.indexOf(')', at) + 1;
  if (unit === 0x5b && isInBrackets(text.charCodeAt(at + 1))) return text.indexOf('] ', at) + 1;
  return at;
}

/** Skips a time (`12:00:01.5`), or a PID and with -Y the name of its program, which may hold any character. */
function endOfNumber(text: ByteString, at: number): number {
  let end = at;
  let isPlain = true;
  for (
    let unit = text.charCodeAt(at);
    isDigit(unit) || unit === 0x2e || unit === 0x3a;
    unit = text.charCodeAt(++end)
  )
    isPlain &&= isDigit(unit);
  if (!isPlain || text.charCodeAt(end) !== less) return end;
  const named = text.indexOf('> ', end);
  return named > 0 ? named + 1 : end;
}

/** Returns the PID of a prefix; null for a time. */
function pidAt(text: ByteString, at: number, end: number): number | null {
  let digits = at;
  while (isDigit(text.charCodeAt(digits))) digits++;
  if (digits === at || (digits !== end && text.charCodeAt(digits) !== less)) return null;
  const pid = Number.parseInt(text.slice(at, digits), 10);
  return pid > 0 && pid <= largestPid ? pid : null;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

/** Returns whether the character may follow the bracket of `[ 257]`, `[00007f…]` or `[????]`. `[pid 1]` was read before. */
function isInBrackets(unit: number): boolean {
  return isDigit(unit) || (unit >= 0x61 && unit <= 0x66) || unit === space || unit === 0x3f;
}

/** The longest name of a call has 26 characters (sched_rr_get_interval_time64); strace puts a `?` before doubtful ones. */
const longestName = 40;

/** Returns where the name of a call that starts here ends, if a parenthesis follows; else -1. */
export function endOfName(text: ByteString, start: number): number {
  let i = start;
  for (;;) {
    const unit = text.charCodeAt(i);
    if (unit === open) return i > start ? i : -1;
    const isWord =
      (unit >= 0x61 && unit <= 0x7a) ||
      isDigit(unit) ||
      unit === 0x5f ||
      unit === 0x3f ||
      (unit >= 0x41 && unit <= 0x5a);
    if (!isWord || i - start > longestName) return -1;
    i++;
  }
}

/** Where the arguments of one call are in its line. One object serves all lines, since a trace may have millions. */
export interface Arguments {
  /** Offsets of the first characters. Only the first `count` are valid. */
  readonly start: Int32Array;
  /** Offsets behind the last characters. */
  readonly end: Int32Array;
  /** Number of arguments, without those beyond the capacity. */
  count: number;
  /** Offset of the closing parenthesis; -1 where it is missing. */
  close: number;
}

export function newArguments(capacity: number): Arguments {
  return { start: new Int32Array(capacity), end: new Int32Array(capacity), count: 0, close: -1 };
}

/** Finds the arguments of a call whose opening parenthesis is at this offset. Returns false where it is never closed. */
export function splitArguments(text: ByteString, parenthesis: number, into: Arguments): boolean {
  let depth = 0;
  let start = parenthesis + 1;
  into.count = 0;
  into.close = -1;
  for (let i = start; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case quote:
        i = endOfString(text, i);
        if (i < 0) return false;
        break;
      case less:
        i = endOfAnnotation(text, i);
        if (i < 0) return false;
        break;
      case open:
      case 0x5b:
      case 0x7b:
        depth++;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
        break;
      case comma:
        if (depth !== 0) break;
        put(text, into, start, i);
        start = text.charCodeAt(i + 1) === space ? i + 2 : i + 1;
        break;
      case close:
        if (depth-- > 0) break;
        put(text, into, start, i);
        into.close = i;
        return true;
    }
  }
  return false;
}

function put(text: ByteString, into: Arguments, start: number, end: number): void {
  if (into.count === into.start.length) return;
  // strace before 5.0 puts a space before the parenthesis: `<... chdir resumed> ) = 0`.
  let last = end;
  while (last > start && text.charCodeAt(last - 1) === space) last--;
  into.start[into.count] = start;
  into.end[into.count++] = last;
}

/** Returns the offset of the closing quote; -1 if it is missing. */
function endOfString(text: ByteString, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === quote) return i;
    if (unit === backslash) i++;
  }
  return -1;
}

/**
 * Finds the end of an annotation of -y or -yy: `</path>`, `</dev/null<char 1:3>>`, `<socket:[1]>`, `<TCP:[a->b]>`. strace escapes
 * angle brackets within paths. Returns the offset of the last bracket; -1 where it is missing.
 */
function endOfAnnotation(text: ByteString, start: number): number {
  // A number such as `1<<12`.
  if (text.charCodeAt(start + 1) === less) return start + 1;
  const end = text.indexOf('>', start);
  if (end < 0) return -1;
  if (text.charCodeAt(start + 1) === 0x2f) {
    const inner = text.indexOf('<', start + 1);
    return inner < 0 || inner > end ? end : text.charCodeAt(end + 1) === 0x3e ? end + 1 : end;
  }
  const bracket = text.indexOf('[', start);
  if (bracket < 0 || bracket > end) return end;
  const both = text.indexOf(']>', bracket);
  return both < 0 ? end : both + 1;
}

/** Reads the path of an annotation that starts here, at `<`. Null for any other text, and for sockets and pipes. */
export function annotatedPath(text: ByteString, start: number): ByteString | null {
  if (text.charCodeAt(start) !== less || text.charCodeAt(start + 1) !== 0x2f) return null;
  const inner = text.indexOf('<', start + 1);
  const outer = text.indexOf('>', start + 1);
  if (outer < 0) return null;
  const path = unescape(text.slice(start + 1, inner < 0 || inner > outer ? outer : inner));
  return path.endsWith(' (deleted)') ? path.slice(0, -10) : path;
}

/** Reads a name between quotes. Null for an address, and for a name that strace cut short (`"abc"...`). */
export function quoted(text: ByteString, start: number, end: number): ByteString | null {
  if (text.charCodeAt(start) !== quote || text.charCodeAt(end - 1) !== quote || end - start < 2) return null;
  return unescape(text.slice(start + 1, end - 1));
}

const letters: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Replaces escapes: `\n`, `\"`, `\303` (one to three octal digits) and `\xc3` (-x, -xx) each stand for a byte. */
function unescape(text: ByteString): ByteString {
  if (!text.includes('\\')) return text;
  const bytes = text.replace(
    /\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))/gs,
    (_all, hex?: string, octal?: string, other?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      return letters[other as string] ?? (other as string);
    },
  );
  return asByteString(bytes);
}

/** strace shows 32 elements of an array unless -v asks for all; real commands have fewer than this. */
const longestList = 256;

/** Reads the strings of `["a", "b c"]`. Null where strace left some out. */
export function quotedList(text: ByteString, start: number, end: number): ByteString[] | null {
  if (text.charCodeAt(start) !== 0x5b || text.charCodeAt(end - 1) !== 0x5d) return null;
  const list = ascii`(${text.slice(start + 1, end - 1)})`;
  const inner = newArguments(longestList);
  if (!splitArguments(list, 0, inner) || inner.count === longestList) return null;
  const words: ByteString[] = [];
  for (let i = 0; i < inner.count; i++) {
    const word = quoted(list, inner.start[i] as number, inner.end[i] as number);
    if (word === null) return null;
    words.push(word);
  }
  return words;
}
