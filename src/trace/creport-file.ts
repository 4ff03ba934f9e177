/**
 * Writes what was recorded of an image in the form of SlimToolkit's container report (`creport.json`), for tools that read it.
 * `slim --creport` calls it; `formats/creport.ts` reads such a report.
 *
 * The form: pkg/report/container_report.go of slimtoolkit/slim and mintoolkit/mint. Its own readers take `image.files[].file_path`
 * (--include-paths-creport-file), `image.files[].flags` (AppArmor), and `monitors.pt` with `enabled`, `arch_name` and `syscall_stats`
 * (seccomp). What is not known is left out: `first_eid`, `release`, `distro`, hashes, and the processes below the program.
 */
import { ascii, bytesOf, type ByteString, utf8Bytes, utf8Text } from '../bytes/bytes.ts';
import { baseOf } from '../bytes/path.ts';
import { inTurns, sortSteps } from '../steps.ts';
import { textOf } from './json-record.ts';
import { interfacesOf } from './seccomp-numbers.ts';
import { type Trace, type TracedPath, type Uses, uses } from './trace.ts';

/** What the report says about the image. */
export interface ReportedImage {
  /** The reference of the image: "registry.example/app:1". */
  readonly name: string;
  /** The digest of its config, which is Docker's image id; null where it is not known. */
  readonly id: string | null;
  /** "linux/amd64"; null where it is not known. */
  readonly platform: string | null;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** As the config has it; '' for root. */
  readonly user: string;
  /** As the config has it; '' for the root directory. */
  readonly workingDirectory: string;
}

/** A file that the image has. */
export interface ReportedFile {
  /** From the root of the image, without a leading slash. */
  readonly path: ByteString;
  readonly kind: 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo';
  /** Permission bits, with those of setuid, setgid and sticky. */
  readonly mode: number;
  /** Bytes, as lstat(2) counts them; null where they are not known. */
  readonly size: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
  /** The target of a symlink as it is stored; null for any other file. */
  readonly target: ByteString | null;
  /** The SHA-1 of the contents in hexadecimal digits; null where it is not known. */
  readonly sha1: string | null;
}

/** What a report is made of. */
export interface CreportContents {
  /** What the runs of the original used. */
  readonly trace: Trace;
  readonly image: ReportedImage;
  /** The files of the image, in the order of the report. They are taken once. */
  readonly files: Iterable<ReportedFile>;
  /** Says which program wrote the report: "ocislim 1.2.0". */
  readonly producer: string;
}

/** Characters of a piece of the document. */
const pieceLength = 65_536;

/**
 * The process that all uses are put down to: the program of a container, as its own namespace numbers it. A trace does not tell
 * which process used a path.
 */
const mainProcess = '1';

/** Uses that SlimToolkit's first monitor (fanotify) counts as reads. It does not know listings. */
const reads: Uses = uses.open | uses.list;

/** Uses that its second monitor (ptrace) counts as `ops_checkfile`. */
const checks: Uses = uses.stat | uses.link | uses.fail | uses.failLink;

/**
 * Yields the report in pieces: JSON, with a line for each path. Counts are 1, since a trace tells whether a path was used, not how
 * often. JSON holds no names that are not UTF-8: such a file stands in `image.files` with U+FFFD for its bytes, which are in
 * `file_path_base64`; the two objects by path leave it out. A trace without all system calls gives `enabled: false` and no
 * `syscall_stats`, because readers make a seccomp profile of these.
 *
 * @throws the signal's reason
 */
export async function* creportDocument(
  contents: CreportContents,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const sorted = await inTurns(sortSteps(contents.trace.paths.keys()), signal);
  let pending = '';
  for (const text of documentText(contents, sorted)) {
    pending += text;
    if (pending.length < pieceLength) continue;
    signal.throwIfAborted();
    yield pending;
    pending = '';
  }
  yield pending;
}

function* documentText(contents: CreportContents, sorted: readonly TracedPath[]): Generator<string> {
  const { trace, image, producer, files } = contents;
  const platform = trace.platform ?? image.platform;
  const head = {
    document: 'doc.report.container',
    version: 'ov/container/1.1',
    target_id: image.name,
    ...(image.id === null ? {} : { image_id: image.id }),
    start_command: startCommand(trace, image),
    sensor: { version: producer, args: [] },
    system: { type: systemType(platform) },
  };
  yield `${JSON.stringify(head).slice(0, -1)},\n"monitors":{\n"fan":{${fanotifyHead(trace, image)},"process_files":{"${mainProcess}":{`;
  yield* lines(fanotifyFiles(trace, sorted));
  yield `}}},\n"pt":{${ptraceHead(trace, platform)},"fs_activity":{`;
  yield* lines(activities(trace, sorted));
  yield '}}},\n"image":{"files":[';
  yield* lines(imageFiles(files, trace));
  yield ']}}\n';
}

/** Puts items on lines of their own, with commas between them. */
function* lines(items: Iterable<string>): Generator<string> {
  let separator = '\n';
  for (const item of items) {
    yield `${separator}${item}`;
    separator = ',\n';
  }
  if (separator !== '\n') yield '\n';
}

/** Returns the words of the program that ran: those of the trace, otherwise those of the image. */
function wordsOfProgram(trace: Trace, image: ReportedImage): readonly string[] {
  return trace.command?.map(utf8Text) ?? [...image.entrypoint, ...image.command];
}

function startCommand(trace: Trace, image: ReportedImage): object {
  const [program, ...args] = wordsOfProgram(trace, image);
  return {
    ...(program === undefined ? {} : { app_name: program, app_args: args }),
    app_entrypoint: image.entrypoint,
    app_cmd: image.command,
    app_user: image.user,
  };
}

/** Returns the name of the operating system, as uname(2) writes it. */
function systemType(platform: string | null): string {
  return platform === null || platform.startsWith('linux/') ? 'Linux' : (platform.split('/')[0] as string);
}

/** Returns the members of `fan` before the files, without the braces around them. */
function fanotifyHead(trace: Trace, image: ReportedImage): string {
  const words = wordsOfProgram(trace, image);
  const [program = ''] = words;
  const main = {
    pid: Number(mainProcess),
    name: utf8Text(baseOf(utf8Bytes(program))),
    ...(program.startsWith('/') ? { path: program } : {}),
    cmd: words.join(' '),
    cwd: image.workingDirectory === '' ? '/' : image.workingDirectory,
    root: '/',
    ppid: 0,
  };
  let events = 0;
  for (const [path, bits] of trace.paths) if (nameOf(path) !== null) events += eventsOf(bits);
  return JSON.stringify({
    event_count: events,
    main_process: main,
    processes: { [mainProcess]: main },
  }).slice(1, -1);
}

/** Counts what the first monitor would have seen of a path. */
function eventsOf(bits: Uses): number {
  return [reads, uses.write, uses.exec].filter((kind) => (bits & kind) !== 0).length;
}

function* fanotifyFiles(trace: Trace, sorted: readonly TracedPath[]): Generator<string> {
  for (const path of sorted) {
    const bits = trace.paths.get(path) ?? 0;
    const name = eventsOf(bits) === 0 ? null : nameOf(path);
    if (name === null) continue;
    const counts = {
      event_count: eventsOf(bits),
      ...((bits & reads) === 0 ? {} : { reads: 1 }),
      ...((bits & uses.write) === 0 ? {} : { writes: 1 }),
      ...((bits & uses.exec) === 0 ? {} : { execs: 1 }),
    };
    yield `${JSON.stringify(name)}:${JSON.stringify(counts)}`;
  }
}

/** Returns the members of `pt` before the files, without the braces around them. */
function ptraceHead(trace: Trace, platform: string | null): string {
  const calls = trace.hasAllSyscalls ? [...trace.syscalls].sort(([a], [b]) => (a < b ? -1 : 1)) : [];
  const numbers = interfacesOf(platform?.split('/')[1] ?? '')?.[0].numbers;
  const stats = new Map<string, object>();
  for (const [name, count] of calls) {
    const number = numbers?.get(name) ?? numberInName(name);
    const key = String(number);
    // A call without a number, or with that of another name, has its name as its key.
    if (number === null || stats.has(key)) stats.set(name, { name, count });
    else stats.set(key, { num: number, name, count });
  }
  return JSON.stringify({
    enabled: calls.length > 0,
    ...archName(platform),
    syscall_count: calls.reduce((sum, [, count]) => sum + count, 0),
    syscall_num: calls.length,
    syscall_stats: Object.fromEntries(stats),
  }).slice(1, -1);
}

/** Returns the number of a call for which strace had no name: `syscall_0x1cf`. */
function numberInName(name: string): number | null {
  const [, digits] = /^syscall_0x([0-9a-f]{1,7})$/.exec(name) ?? [];
  return digits === undefined ? null : Number.parseInt(digits, 16);
}

/** Architectures that SlimToolkit names otherwise than images (pkg/system/arch.go). */
const archNames: ReadonlyMap<string, string> = new Map([
  ['arm64', 'aarch64'],
  ['arm', 'armhf'],
]);

function archName(platform: string | null): object {
  const architecture = platform?.split('/')[1];
  return architecture === undefined ? {} : { arch_name: archNames.get(architecture) ?? architecture };
}

function* activities(trace: Trace, sorted: readonly TracedPath[]): Generator<string> {
  const above = directoriesAbove(sorted);
  for (const path of sorted) {
    const bits = trace.paths.get(path) ?? 0;
    const name = nameOf(path);
    // SlimToolkit counts calls here that look, open to read, or execute.
    if (name === null || (bits & (checks | reads | uses.exec)) === 0) continue;
    const looks = (bits & checks) === 0 ? 0 : 1;
    const others = [reads, uses.exec].filter((kind) => (bits & kind) !== 0).length;
    const activity = {
      ops_all: looks + others,
      ops_checkfile: looks,
      // The form has objects here, which count calls and processes by their numbers. A trace does not tell them.
      syscalls: {},
      pids: {},
      is_subdir: above.has(path),
    };
    yield `${JSON.stringify(name)}:${JSON.stringify(activity)}`;
  }
}

/** Collects all directories above paths. */
function directoriesAbove(paths: readonly TracedPath[]): ReadonlySet<string> {
  const above = new Set<string>();
  for (const path of paths) {
    let slash = path.lastIndexOf('/');
    while (slash > 0 && !above.has(path.slice(0, slash))) {
      above.add(path.slice(0, slash));
      slash = path.lastIndexOf('/', slash - 1);
    }
  }
  if (paths.some((path) => path !== '')) above.add('');
  return above;
}

function* imageFiles(files: Iterable<ReportedFile>, trace: Trace): Generator<string> {
  for (const file of files) {
    const { path, kind, mode, size, uid, gid, target, sha1 } = file;
    const flags = flagsOf(trace.paths.get(path) ?? 0);
    yield JSON.stringify({
      file_type: fileTypes[kind],
      ...bytesField('file_path', rooted(path)),
      mode: modeText(kind, mode),
      ...(target === null ? {} : bytesField('link_ref', target)),
      ...(flags === null ? {} : { flags }),
      ...(size === null ? {} : { file_size: size }),
      ...(sha1 === null ? {} : { sha1_hash: sha1 }),
      ...(uid === null ? {} : { uid }),
      ...(gid === null ? {} : { gid }),
    });
  }
}

const fileTypes: Readonly<Record<ReportedFile['kind'], string>> = {
  file: 'file',
  directory: 'dir',
  symlink: 'symlink',
  char: 'unknown',
  block: 'unknown',
  fifo: 'unknown',
};

/** Returns how a file was opened; null for one that was not. SlimToolkit has no flags then, either. */
function flagsOf(bits: Uses): Readonly<Record<string, true>> | null {
  if (eventsOf(bits) === 0) return null;
  return {
    ...((bits & reads) === 0 ? {} : { R: true }),
    ...((bits & uses.write) === 0 ? {} : { W: true }),
    ...((bits & uses.exec) === 0 ? {} : { X: true }),
  };
}

/** Letters of types, of which Go writes those of setuid, setgid and sticky in front, too (fs.FileMode.String, Go's io/fs). */
const typeLetters: Readonly<Record<ReportedFile['kind'], string>> = {
  file: '',
  directory: 'd',
  symlink: 'L',
  char: 'D',
  block: 'D',
  fifo: 'p',
};

/** Writes a mode as Go does: `-rwxr-xr-x`, `Lrwxrwxrwx`, `ugrwxr-xr-x`, `dtrwxrwxrwx`, `Dcrw-rw-rw-`. */
export function modeText(kind: ReportedFile['kind'], mode: number): string {
  const special = [
    (mode & 0o4000) === 0 ? '' : 'u',
    (mode & 0o2000) === 0 ? '' : 'g',
    kind === 'char' ? 'c' : '',
    (mode & 0o1000) === 0 ? '' : 't',
  ].join('');
  const front = `${typeLetters[kind]}${special}`;
  const bits = 'rwxrwxrwx'
    .split('')
    .map((letter, i) => ((mode >> (8 - i)) & 1 ? letter : '-'))
    .join('');
  return `${front === '' ? '-' : front}${bits}`;
}

/** Returns the name of a used path in the report; null for one that is not UTF-8. */
function nameOf(path: TracedPath): string | null {
  return textOf(rooted(path));
}

/** Writes a path from the root. One that counts from the directory where the program was started stays as it is. */
function rooted(path: ByteString): ByteString {
  return path === '.' || path.startsWith('./') ? path : ascii`/${path}`;
}

/** Makes the field of a name. One that is not UTF-8 has its bytes in base64 beside a text for people. */
function bytesField(key: string, name: ByteString): object {
  const text = textOf(name);
  return text === null
    ? { [key]: utf8Text(name), [`${key}_base64`]: Buffer.from(bytesOf(name)).toString('base64') }
    : { [key]: text };
}
