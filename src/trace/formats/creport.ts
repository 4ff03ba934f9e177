/**
 * Reads the report of SlimToolkit (`creport.json`): what its sensor saw by fanotify and ptrace, and the files that it decided to
 * keep. `json-document.ts` calls it for a document of this kind.
 */
import { type ByteString, utf8Bytes, noBytes, readByteString } from '../../bytes/bytes.ts';
import { isObject, type JsonObject, listOf, memberOf, stringOr } from '../../bytes/json-value.ts';
import { scalarOf } from '../json-record.ts';
import { type Uses, uses } from '../trace.ts';
import type { TraceSink } from '../trace-sink.ts';

/** Returns whether a JSON object is such a report. */
export function isContainerReport(object: JsonObject): boolean {
  return memberOf(object, 'document') === 'doc.report.container';
}

/** Reads a report. Returns false where it holds neither what the monitors saw nor a list of files. */
export function readContainerReport(report: JsonObject, sink: TraceSink): boolean {
  const monitors = inner(report, 'monitors');
  const files = memberOf(inner(report, 'image'), 'files');
  sink.knowsExecs = isObject(memberOf(monitors, 'fan'));
  readPtrace(inner(monitors, 'pt'), readFanotify(inner(monitors, 'fan'), sink), sink);
  readImageFiles(files, sink);
  readCommand(inner(report, 'start_command'), sink);
  return isObject(memberOf(report, 'monitors')) || Array.isArray(files);
}

/** Reads `process_files` → process → path → counts. Returns the paths. */
function readFanotify(fanotify: JsonObject, sink: TraceSink): ReadonlySet<string> {
  const opened = new Set<string>();
  for (const [, files] of entries(inner(fanotify, 'process_files'))) {
    for (const [path, file] of entries(files)) {
      opened.add(path);
      sink.use(utf8Bytes(path), usesOfFile(file), noBytes);
    }
  }
  return opened;
}

/**
 * Reads `fs_activity` → path → counts; `syscall_stats` → number → name and count. Of a path that the other monitor saw opened, that
 * one tells for what.
 */
function readPtrace(ptrace: JsonObject, opened: ReadonlySet<string>, sink: TraceSink): void {
  for (const [path, activity] of entries(inner(ptrace, 'fs_activity'))) {
    const all = Number(scalarOf(memberOf(activity, 'ops_all')) ?? 0);
    const looks = Number(scalarOf(memberOf(activity, 'ops_checkfile')) ?? 0);
    const isOnlyLookedAt = looks > 0 && looks >= all;
    const bits = (looks > 0 ? uses.stat : 0) | (isOnlyLookedAt || opened.has(path) ? 0 : uses.open);
    if (bits !== 0) sink.use(utf8Bytes(path), bits, noBytes);
  }
  for (const [, stat] of entries(inner(ptrace, 'syscall_stats'))) {
    const name = memberOf(stat, 'name');
    if (typeof name === 'string' && /^\w{1,40}$/.test(name))
      sink.syscall(name, count(memberOf(stat, 'count')));
  }
  // The sensor counts every call of the program and of its children.
  sink.hasAllSyscalls = sink.syscalls.size > 0;
  sink.platform = platforms.get(stringOr(memberOf(ptrace, 'arch_name'), '')) ?? null;
}

function readImageFiles(files: unknown, sink: TraceSink): void {
  for (const file of Array.isArray(files) ? (files as readonly unknown[]) : []) {
    if (!isObject(file)) continue;
    const path = nameOfImageFile(file);
    if (path !== '') sink.use(path, usesOfImageFile(file), noBytes);
  }
}

/** Returns the name of a file. One that is not UTF-8 is in base64, as `creport-file.ts` writes it. */
function nameOfImageFile(file: JsonObject): ByteString {
  const encoded = memberOf(file, 'file_path_base64');
  return typeof encoded === 'string'
    ? readByteString(Buffer.from(encoded, 'base64'))
    : utf8Bytes(stringOr(memberOf(file, 'file_path'), ''));
}

function readCommand(start: JsonObject, sink: TraceSink): void {
  const name = memberOf(start, 'app_name');
  const args = memberOf(start, 'app_args');
  if (typeof name === 'string' && name !== '')
    sink.command = [name, ...listOf(args).flatMap((arg) => scalarOf(arg)?.toString() ?? [])].map(utf8Bytes);
}

function usesOfFile(file: JsonObject): Uses {
  const bits =
    (count(memberOf(file, 'reads')) > 0 ? uses.open : 0) |
    (count(memberOf(file, 'writes')) > 0 ? uses.write : 0) |
    (count(memberOf(file, 'execs')) > 0 ? uses.exec : 0);
  return bits === 0 ? uses.open : bits;
}

function usesOfImageFile(file: JsonObject): Uses {
  switch (memberOf(file, 'file_type')) {
    case 'dir':
      return uses.stat;
    case 'symlink':
      return uses.link;
    default:
      return usesOfFlags(inner(file, 'flags'));
  }
}

/** Reads how a file was opened: R, W, X. A file without flags was kept for another reason, and counts as opened. */
function usesOfFlags(flags: JsonObject): Uses {
  const bits =
    (memberOf(flags, 'R') === true ? uses.open : 0) |
    (memberOf(flags, 'W') === true ? uses.write : 0) |
    (memberOf(flags, 'X') === true ? uses.exec : 0);
  return bits === 0 ? uses.open : bits;
}

/** Platforms by the names of architectures of SlimToolkit. */
const platforms: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'linux/amd64'],
  ['amd64', 'linux/amd64'],
  ['aarch64', 'linux/arm64'],
  ['arm64', 'linux/arm64'],
  ['arm', 'linux/arm'],
  ['armhf', 'linux/arm'],
  ['i386', 'linux/386'],
  ['386', 'linux/386'],
]);

/** Returns a member that is an object; an empty object for any other. */
function inner(object: JsonObject, name: string): JsonObject {
  const value = memberOf(object, name);
  return isObject(value) ? value : {};
}

/** Returns the members that are objects. */
function entries(object: JsonObject): [string, JsonObject][] {
  return Object.entries(object).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));
}

/** Returns a count; 0 for any other value. */
function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
