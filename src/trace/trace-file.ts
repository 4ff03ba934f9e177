/**
 * The trace file of ocislim: one JSON object a line. `trace record` and `trace show` write it, and `formats/all.ts` offers it to
 * the trace reader as its first format.
 */
import { OcislimError } from '../errors.ts';
import { isDigest } from '../oci/digest.ts';
import { parsePlatform } from '../oci/platform.ts';
import { bytesOf, type ByteString, noBytes, utf8Bytes, readByteString } from '../bytes/bytes.ts';
import { isObject, type JsonObject, memberOf } from '../bytes/json-value.ts';
import { inTurns, sortSteps } from '../steps.ts';
import { byteMember, parseRecord, recordText, textOf } from './json-record.ts';
import { firstLost } from './lost-paths.ts';
import { readRights, rightsFields } from './rights-fields.ts';
import {
  type NameChange,
  type NotInImage,
  type RunEnd,
  type Trace,
  type TracedPath,
  type Uses,
  uses,
} from './trace.ts';
import { started, tracedPath } from './traced-path.ts';
import type { TraceFormat } from './trace-format.ts';
import { own } from './own-copy.ts';
import type { TraceSink } from './trace-sink.ts';

/** The version of the format. It is raised when an older reader would misunderstand a file. */
const version = 1;

/** The names of uses in the file. */
const words = Object.entries(uses) as readonly (readonly [name: string, bit: Uses])[];

/** Characters of a piece of a trace file. */
const pieceLength = 65_536;

/** Yields the trace file of a trace in pieces of whole lines. @throws the signal's reason */
export async function* streamTrace(trace: Trace, signal: AbortSignal): AsyncGenerator<string> {
  let pending = '';
  for (const line of linesOf(trace, await inTurns(sortSteps(trace.paths.keys()), signal))) {
    pending += line;
    if (pending.length < pieceLength) continue;
    yield pending;
    pending = '';
  }
  if (pending !== '') yield pending;
}

/**
 * Yields the lines of a trace file: a header, the paths in bytewise order with their uses, the changes of names, the system calls
 * by name. The same
 * trace gives the same bytes. Left out are the names of the files that it was read from, and their unreadable lines.
 */
export function* writeTrace(trace: Trace): Generator<string> {
  yield* linesOf(trace, [...trace.paths.keys()].sort());
}

function* linesOf(trace: Trace, sorted: readonly TracedPath[]): Generator<string> {
  const { formats, platform, image, command, knowsExecs, hasAllSyscalls, paths, syscalls } = trace;
  const { changes, ends, gaps, isBlind, notInImage } = trace;
  const header = {
    ocislim: 'trace',
    version,
    formats,
    ...(platform === null ? {} : { platform }),
    ...(image === null ? {} : { image }),
    ...(command === null ? {} : commandFields(command)),
    ...(ends.length === 0 ? {} : { runs: ends }),
    ...(notInImage === null ? {} : { notInImage: lossFields(notInImage) }),
    ...(gaps.length === 0 ? {} : { gaps }),
    ...(isBlind ? { isBlind } : {}),
    knowsExecs,
    hasAllSyscalls,
    ...rightsFields(trace.rights),
  };
  yield `${JSON.stringify(header)}\n`;
  const written = new Map<Uses, string>();
  for (const path of sorted) {
    const bits = paths.get(path) ?? 0;
    let used = written.get(bits);
    if (used === undefined) written.set(bits, (used = JSON.stringify(wordsOf(bits))));
    yield plain.test(path)
      ? `{"path":"${path}","uses":${used}}\n`
      : `${JSON.stringify(nameFields('path', path)).slice(0, -1)},"uses":${used}}\n`;
  }
  for (const change of changes) yield `${JSON.stringify(changeFields(change))}\n`;
  for (const name of [...syscalls.keys()].sort())
    yield `${JSON.stringify({ syscall: name, count: syscalls.get(name) })}\n`;
}

/** Characters that JSON writes as they are. */
const plain = /^[ !#-[\]-~]*$/;

/** Returns the names of the uses that are set. */
export function wordsOf(bits: Uses): string[] {
  return words.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
}

function commandFields(command: readonly ByteString[]): JsonObject {
  const texts = command.map(textOf);
  return texts.includes(null)
    ? { commandBase64: command.map((word) => Buffer.from(bytesOf(word)).toString('base64')) }
    : { command: texts };
}

function lossFields({ count, first }: NotInImage): JsonObject {
  return { count, first: first.map((path) => nameFields('path', path)) };
}

function changeFields(change: NameChange): JsonObject {
  return change.kind === 'symlink'
    ? { ...nameFields('symlink', change.path), ...nameFields('target', change.target) }
    : { ...nameFields('moved', change.path), ...nameFields('from', change.from) };
}

/** Makes the fields of a path. One that is not UTF-8 has its bytes in base64, and a readable form that readers ignore. */
function nameFields(key: string, path: ByteString): JsonObject {
  const text = textOf(path);
  return text === null
    ? {
        [key]: Buffer.from(bytesOf(path)).toString('utf8'),
        [`${key}Base64`]: Buffer.from(bytesOf(path)).toString('base64'),
      }
    : { [key]: text };
}

export const traceFile: TraceFormat = {
  name: 'ocislim',
  unit: 'line',
  detect: ({ json }) => isObject(json) && memberOf(json, 'ocislim') === 'trace',
  read(sink) {
    let isBegun = false;
    return {
      record(text) {
        const value = parseRecord(text);
        if (!isObject(value)) return false;
        if (!isBegun) {
          isBegun = true;
          readHeader(value, sink);
          return true;
        }
        return readSyscall(value, sink) || readChange(value, sink) || readPath(value, sink);
      },
    };
  },
};

/** Reads the first line. @throws TRACE_INVALID for another version, or a text that is not a platform */
function readHeader(header: JsonObject, sink: TraceSink): void {
  if (memberOf(header, 'version') !== version)
    throw new OcislimError(
      'TRACE_INVALID',
      `${sink.file} is a trace file of version ${recordText(memberOf(header, 'version'))}; this ocislim reads version ${version}`,
    );
  const { formats, platform, image, knowsExecs, hasAllSyscalls } = header;
  sink.formats = strings(formats) ?? [];
  sink.platform = typeof platform === 'string' ? checkedPlatform(platform, sink.file) : null;
  sink.image = isDigest(image) ? image : null;
  sink.knowsExecs = knowsExecs === true;
  sink.hasAllSyscalls = hasAllSyscalls === true;
  readRights(memberOf(header, 'rights'), sink);
  const runs = memberOf(header, 'runs');
  sink.ends = Array.isArray(runs) ? (runs as readonly unknown[]).flatMap((run) => readEnd(run) ?? []) : [];
  sink.notInImage = readLoss(memberOf(header, 'notInImage'));
  sink.gaps = strings(memberOf(header, 'gaps')) ?? [];
  sink.isBlind = memberOf(header, 'isBlind') === true;
  const texts = strings(memberOf(header, 'command'));
  const encoded = strings(memberOf(header, 'commandBase64'));
  sink.command = encoded?.map(decodeBase64) ?? texts?.map(utf8Bytes) ?? null;
}

/** Returns the platform as it is written. @throws TRACE_INVALID for a text that is not one */
function checkedPlatform(text: string, file: string): string {
  try {
    parsePlatform(text);
  } catch (cause) {
    throw new OcislimError('TRACE_INVALID', `${file} states ${JSON.stringify(text)} as its platform`, {
      cause,
      advice: 'Write a platform such as linux/amd64 into its first line, or none.',
    });
  }
  return text;
}

function readSyscall(value: JsonObject, sink: TraceSink): boolean {
  const { syscall, count } = value;
  if (typeof syscall !== 'string' || !/^\w{1,40}$/.test(syscall)) return false;
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) return false;
  sink.syscall(syscall, count);
  return true;
}

/** Reads what a recording opened that its image does not have; null for a value that does not say it. */
function readLoss(value: unknown): NotInImage | null {
  if (!isObject(value)) return null;
  const { count, first } = value;
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) return null;
  const list: readonly unknown[] = Array.isArray(first) ? first.slice(0, firstLost) : [];
  const paths = list.flatMap((each) => (isObject(each) ? (nameMember(each, 'path') ?? []) : []));
  return { count, first: paths.map(own) };
}

/** Reads how a run ended; null for a value that does not say it. */
function readEnd(run: unknown): RunEnd | null {
  if (!isObject(run)) return null;
  const [status, signal, stopped, seconds] = ['status', 'signal', 'stopped', 'seconds'].map((key) =>
    memberOf(run, key),
  );
  if (typeof status !== 'number' || !Number.isSafeInteger(status)) return null;
  return {
    status,
    signal: typeof signal === 'string' && /^SIG[A-Z0-9+]{1,12}$/.test(signal) ? signal : null,
    stopped: stopped === 'for' || stopped === 'signal' ? stopped : null,
    seconds: typeof seconds === 'number' && seconds >= 0 ? seconds : null,
  };
}

function readChange(value: JsonObject, sink: TraceSink): boolean {
  const moved = nameMember(value, 'moved');
  const path = moved ?? nameMember(value, 'symlink');
  const rest = nameMember(value, moved === null ? 'target' : 'from');
  if (path === null || rest === null) return false;
  const place = (name: ByteString): TracedPath | null =>
    tracedPath(name === started || name.startsWith(`${started}/`) ? started : noBytes, name);
  const placed = place(path);
  const from = moved === null ? rest : place(rest);
  if (placed === null || from === null) return false;
  sink.change(
    moved === null ? { kind: 'symlink', path: placed, target: rest } : { kind: 'moved', path: placed, from },
  );
  return true;
}

/** Returns the name that a member has as text, or in base64; null where it is missing or empty. */
function nameMember(value: JsonObject, key: string): ByteString | null {
  const encoded = memberOf(value, `${key}Base64`);
  const name = typeof encoded === 'string' ? decodeBase64(encoded) : byteMember(value, key);
  return name === '' ? null : name;
}

function readPath(value: JsonObject, sink: TraceSink): boolean {
  const path = nameMember(value, 'path');
  const names = strings(memberOf(value, 'uses'));
  if (path === null || names === null) return false;
  let bits = 0;
  for (const name of names) bits |= words.find(([word]) => word === name)?.[1] ?? 0;
  return sink.inside(path, bits);
}

function decodeBase64(text: string): ByteString {
  return readByteString(Buffer.from(text, 'base64'));
}

/** Returns an array of strings; null for any other value. */
function strings(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : null;
}
