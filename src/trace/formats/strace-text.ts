import type { ByteString } from '../../bytes/bytes.ts';

/** The syntax of strace: what a line starts with, where arguments begin and end, and how names are escaped. */

const quote = 0x22;
const backslash = 0x5c;
const open = 0x28;
const close = 0x29;
const comma = 0x2c;
const less = 0x3c;
const space = 0x20;

/** Larger than any PID of Linux: a number without a unit in front is then a time (`-ttt` in whole seconds). */
const largestPid = 1 << 22;

/** Where the body of a line starts, and whose it is; null where no PID is given. */
export interface LineStart {
  pid: number | null;
  body: number;
}

/**
 * Skips `123 `, `[pid 123] `, `123<name> ` (-Y), times of all kinds (-t, -tt, -ttt, -r, and both: `(+ 0.000048)`), numbers of calls
 * (-n: `[ 257]`) and instruction pointers (-i: `[00007f…]`).
 */
export function readStart(text: ByteString, start: LineStart): void {
  start.pid = null;
  let i = 0;
  if (text.startsWith('[pid ')) {
    const end = text.indexOf('] ', 5);
    const pid = end < 0 ? 0 : Number.parseInt(text.slice(5, end), 10);
    if (pid > 0) {
      start.pid = pid;
      i = end + 2;
    }
  }
  for (let first = i === 0; ; first = false) {
    const token = i;
    while (text.charCodeAt(i) === space) i++;
    const unit = text.charCodeAt(i);
    let end = i;
    if (isDigit(unit)) {
      let plain = true;
      for (let each = unit; isDigit(each) || each === 0x2e || each === 0x3a; each = text.charCodeAt(++end))
        plain &&= isDigit(each);
      // -Y: the name of the program; it may hold anything but is short.
      if (plain && text.charCodeAt(end) === less) {
        const named = text.indexOf('> ', end);
        if (named > 0) end = named + 1;
      }
      if (text.charCodeAt(end) !== space) break;
      if (plain && first && token === i) {
        const pid = Number.parseInt(text.slice(i, end), 10);
        if (pid > 0 && pid <= largestPid) start.pid = pid;
      }
    } else if (unit === open && text.charCodeAt(i + 1) === 0x2b) {
      end = text.indexOf(')', i) + 1;
    } else if (unit === 0x5b && isInBrackets(text.charCodeAt(i + 1))) {
      end = text.indexOf('] ', i) + 1;
    }
    if (end <= i || text.charCodeAt(end) !== space) break;
    i = end;
  }
  start.body = i;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

/** Of `[ 257]`, `[00007f…]`, `[????]`; `[pid 1]` has been read by now. */
function isInBrackets(unit: number): boolean {
  return isDigit(unit) || (unit >= 0x61 && unit <= 0x66) || unit === space || unit === 0x3f;
}

/** Where the name that starts here ends, if a parenthesis follows; else -1. */
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
    if (!isWord || i - start > 40) return -1;
    i++;
  }
}

/** The arguments of one call; reused from line to line, since there are millions. */
export interface Arguments {
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Those beyond the capacity are not counted. */
  count: number;
  /** Of the parenthesis. */
  close: number;
}

export function newArguments(capacity: number): Arguments {
  return { start: new Int32Array(capacity), end: new Int32Array(capacity), count: 0, close: -1 };
}

/** False where the parenthesis is never closed. */
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
  // `<... chdir resumed> ) = 0`: older ones put a space there.
  let last = end;
  while (last > start && text.charCodeAt(last - 1) === space) last--;
  into.start[into.count] = start;
  into.end[into.count++] = last;
}

/** Of the closing quote; -1 where there is none. */
function endOfString(text: ByteString, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === quote) return i;
    if (unit === backslash) i++;
  }
  return -1;
}

/**
 * What -y and -yy put behind a descriptor: `</path>`, `</dev/null<char 1:3>>`, `<socket:[1]>`, `<TCP:[a->b]>`. Angle brackets
 * within paths are escaped.
 */
function endOfAnnotation(text: ByteString, start: number): number {
  // `1<<12`
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

/** The path of an annotation that starts here (at `<`); null where it is none. */
export function annotatedPath(text: ByteString, start: number): ByteString | null {
  if (text.charCodeAt(start) !== less || text.charCodeAt(start + 1) !== 0x2f) return null;
  const inner = text.indexOf('<', start + 1);
  const outer = text.indexOf('>', start + 1);
  if (outer < 0) return null;
  const path = unescape(text.slice(start + 1, inner < 0 || inner > outer ? outer : inner));
  return path.endsWith(' (deleted)') ? path.slice(0, -10) : path;
}

/** A name between quotes; null for a pointer, and for one that strace cut short. */
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

/** `\n`, `\"`, `\303` (one to three octal digits) and `\xc3` (-x, -xx) each stand for a byte. */
function unescape(text: ByteString): ByteString {
  if (!text.includes('\\')) return text;
  return text.replace(
    /\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))/gs,
    (_all, hex?: string, octal?: string, other?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      return letters[other as string] ?? (other as string);
    },
  );
}

/** The strings of `["a", "b c"]`; null where some are missing. */
export function quotedList(text: ByteString, start: number, end: number): ByteString[] | null {
  if (text.charCodeAt(start) !== 0x5b || text.charCodeAt(end - 1) !== 0x5d) return null;
  const list = `(${text.slice(start + 1, end - 1)})`;
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

/** strace shows 32 unless told otherwise. */
const longestList = 256;
