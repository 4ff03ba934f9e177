import { utf8Bytes } from '../../bytes/bytes.ts';
import { isObject, type JsonObject, memberOf } from '../../bytes/json-value.ts';
import { type Uses, uses } from '../trace.ts';
import type { TraceSink } from '../trace-sink.ts';

/** SlimToolkit's `creport.json`: what fanotify and ptrace saw, and the files that it decided to keep. */
export function isContainerReport(object: JsonObject): boolean {
  return memberOf(object, 'document') === 'doc.report.container';
}

/** False where there is nothing of a trace in it. */
export function readContainerReport(report: JsonObject, sink: TraceSink): boolean {
  const monitors = inner(report, 'monitors');
  const fanotify = inner(monitors, 'fan');
  const ptrace = inner(monitors, 'pt');
  sink.knowsExecs = isObject(memberOf(monitors, 'fan'));
  for (const [, files] of entries(inner(fanotify, 'process_files'))) {
    for (const [path, file] of entries(files)) sink.use(utf8Bytes(path), usesOfFile(file), '');
  }
  for (const [path, activity] of entries(inner(ptrace, 'fs_activity'))) {
    const all = Number(memberOf(activity, 'ops_all') ?? 0);
    const looks = Number(memberOf(activity, 'ops_checkfile') ?? 0);
    sink.use(utf8Bytes(path), looks > 0 && looks >= all ? uses.stat : uses.open, '');
  }
  for (const [, stat] of entries(inner(ptrace, 'syscall_stats'))) {
    const name = memberOf(stat, 'name');
    if (typeof name === 'string' && /^\w{1,40}$/.test(name))
      sink.syscall(name, count(memberOf(stat, 'count')));
  }
  // It counts every call of the program and its children.
  sink.hasAllSyscalls = sink.syscalls.size > 0;
  sink.platform = platforms[String(memberOf(ptrace, 'arch_name'))] ?? null;
  const files = memberOf(inner(report, 'image'), 'files');
  for (const file of Array.isArray(files) ? (files as readonly unknown[]) : []) {
    if (!isObject(file)) continue;
    const path = memberOf(file, 'file_path');
    if (typeof path === 'string' && path !== '') sink.use(utf8Bytes(path), usesOfImageFile(file), '');
  }
  const start = inner(report, 'start_command');
  const name = memberOf(start, 'app_name');
  const args = memberOf(start, 'app_args');
  if (typeof name === 'string' && name !== '')
    sink.command = [name, ...(Array.isArray(args) ? args.map(String) : [])].map(utf8Bytes);
  return isObject(memberOf(report, 'monitors')) || Array.isArray(files);
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
      return memberOf(inner(file, 'flags'), 'X') === true ? uses.exec : uses.open;
  }
}

const platforms: Readonly<Record<string, string>> = {
  x86_64: 'linux/amd64',
  amd64: 'linux/amd64',
  aarch64: 'linux/arm64',
  arm64: 'linux/arm64',
  arm: 'linux/arm',
  i386: 'linux/386',
};

function inner(object: JsonObject, name: string): JsonObject {
  const value = memberOf(object, name);
  return isObject(value) ? value : {};
}

function entries(object: JsonObject): [string, JsonObject][] {
  return Object.entries(object).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
