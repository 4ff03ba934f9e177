import { baseOf, type Path, quotePath, rootPath } from '../bytes/path.ts';
import { formatPlatform, matchesPlatform, readPlatform } from '../oci/platform.ts';
import { type ByteString, readByteString, utf8Bytes, ascii } from '../bytes/bytes.ts';
import { uses } from '../trace/trace.ts';
import { architectureOf, libcOf, runsOn } from './architecture.ts';
import type { Closure, ClosureInput } from './closure.ts';
import { commandNeeds, findProgram, resolveProgram } from './commands.ts';
import { librarySearch } from './libraries.ts';
import { type Problem, showDetail } from './problem.ts';
import { isRun, readInterpreter } from './rules/script.ts';

/**
 * Why the result of a pruning might not run; empty where nothing speaks against it. `isGone`: is what stood at this literal
 * path not in the result? (It knows what rules took out, and what layers stay as they are.)
 */
export function checkClosure(
  input: ClosureInput,
  closure: Closure,
  isGone: (path: Path) => boolean,
): readonly Problem[] {
  const check: Check = { input, closure, isGone };
  return [
    ...checkPlatform(check),
    ...checkExecution(check),
    ...closure.problems,
    ...checkCommands(check),
    ...checkFiles(check),
    ...checkUser(check),
    ...checkSymlinks(check),
  ];
}

interface Check {
  readonly input: ClosureInput;
  readonly closure: Closure;
  readonly isGone: (path: Path) => boolean;
}

type Fate = 'absent' | 'gone' | 'stays';

/** What becomes of a name: was nothing there in the first place, or does it, or a symlink on the way, go? */
function fateOf(name: ByteString, { input, isGone }: Check): Fate {
  const { path, links } = input.fs.resolve(name.startsWith('/') ? name : ascii`/${name}`);
  if (path === null) return 'absent';
  return isGone(path) || links.some(isGone) ? 'gone' : 'stays';
}

function* checkCommands(check: Check): Generator<Problem> {
  const { entrypoint, command, healthcheck } = check.input.runtime;
  const main = entrypoint.length > 0 ? entrypoint : command;
  const name = utf8Bytes(main[0] ?? '');
  if (name !== '' && findProgram(name, check.input) === null) {
    const what = entrypoint.length > 0 ? 'entrypoint' : 'command';
    yield {
      kind: 'entrypoint',
      path: name,
      sentence: `the ${what} ${quotePath(name)} is no program of the image`,
    };
  }
  const commands = [
    [entrypoint, ascii`the entrypoint`],
    [command, ascii`the command`],
    [healthcheck[0] === 'CMD' ? healthcheck.slice(1) : [], ascii`the health check`],
  ] as const;
  for (const [words, what] of commands) {
    for (const { path, detail } of commandNeeds(words, check.input, { detail: what })) {
      if (fateOf(path, check) !== 'gone') continue;
      yield {
        kind: 'entrypoint',
        path: bare(path),
        sentence: `${quotePath(bare(path))} would be gone (${showDetail(detail)})`,
      };
    }
  }
}

/** What needed files are run with. What was broken before is no fault of the pruning, unless it was seen to run. */
function* checkFiles(check: Check): Generator<Problem> {
  const { fs, facts, runtime } = check.input;
  const main = resolveProgram(
    runtime.entrypoint.length > 0 ? runtime.entrypoint : runtime.command,
    check.input,
  );
  const known = new KnownLibraries(check);
  for (const path of check.closure.paths()) {
    if (check.closure.strengthOf(path) !== 'needed' || fs.kind(path) !== 'file' || check.isGone(path))
      continue;
    const executed = path === main || (check.closure.usesOf(path) & uses.exec) !== 0;
    const elf = facts.elf(path);
    const script = facts.script(path);
    if (elf !== null && elf.interpreter !== null)
      yield* checkInterpreter(path, elf.interpreter, executed, check);
    if (script !== null && isRun(path, { fs, usesOf: (at) => check.closure.usesOf(at) })) {
      const { interpreter, program } = readInterpreter(script);
      yield* checkInterpreter(path, interpreter, executed, check);
      const found = program === null ? null : findProgram(program, check.input);
      if (found !== null || (program !== null && executed))
        yield* checkInterpreter(path, found ?? (program as ByteString), executed, check);
    }
    for (const name of elf?.needed ?? []) yield* checkLibrary(path, name, executed, known, check);
  }
}

function* checkInterpreter(
  path: Path,
  interpreter: ByteString,
  executed: boolean,
  check: Check,
): Generator<Problem> {
  const fate = fateOf(interpreter, check);
  if (fate === 'stays' || (fate === 'absent' && !executed)) return;
  const what = fate === 'gone' ? 'would be gone' : 'is not in the image';
  yield {
    kind: 'interpreter',
    path: bare(interpreter),
    sentence: `${quotePath(bare(interpreter))}, which runs ${quotePath(path)}, ${what}`,
  };
}

function* checkLibrary(
  path: Path,
  name: ByteString,
  executed: boolean,
  known: KnownLibraries,
  check: Check,
): Generator<Problem> {
  const elf = check.input.facts.elf(path);
  if (elf === null) return;
  const places = librarySearch(check.input).find(name, { path, elf, loaders: [] });
  const gone = places.find((place) => fateOf(place, check) === 'gone');
  if (gone !== undefined) {
    yield {
      kind: 'library',
      path: bare(gone),
      sentence: `${quotePath(bare(gone))}, which ${quotePath(path)} needs, would be gone`,
    };
  } else if (places.length === 0 && executed && !known.has(name)) {
    yield {
      kind: 'library',
      path: name,
      sentence: `${quotePath(path)} was executed and needs ${quotePath(name)}, which the image does not have`,
    };
  }
}

/** Libraries that stay, by file name and by the name that they give themselves: one that is loaded already is not searched. */
class KnownLibraries {
  readonly #check: Check;
  #names: ReadonlySet<ByteString> | undefined;

  constructor(check: Check) {
    this.#check = check;
  }

  has(name: ByteString): boolean {
    this.#names ??= this.#collect();
    return this.#names.has(baseOf(name));
  }

  #collect(): ReadonlySet<ByteString> {
    const { closure, input, isGone } = this.#check;
    const names = new Set<ByteString>();
    for (const path of closure.paths()) {
      if (isGone(path)) continue;
      names.add(baseOf(path));
      const soname = input.facts.elf(path)?.soname ?? null;
      if (soname !== null) names.add(soname);
    }
    return names;
  }
}

/** A user or group that is a number needs no file. */
function* checkUser(check: Check): Generator<Problem> {
  const [user = '', group = ''] = utf8Bytes(check.input.runtime.user).split(':');
  const rows = [
    ['user', user, rootPath`etc/passwd`],
    ['group', group, rootPath`etc/group`],
  ] as const;
  for (const [what, name, file] of rows) {
    if (name === '' || /^\d+$/.test(name)) continue;
    const trouble = findRow(name, file, check);
    if (trouble !== null)
      yield { kind: 'user', path: file, sentence: `the config’s ${what} ${quotePath(name)} ${trouble}` };
  }
}

function findRow(name: ByteString, file: Path, check: Check): string | null {
  const fate = fateOf(file, check);
  if (fate === 'absent') return `cannot be found: the image has no ${file}`;
  if (fate === 'gone') return `could not be found: ${file} would be gone`;
  const { path } = check.input.fs.resolve(file);
  const contents = path === null ? null : check.input.facts.contents(path);
  // A file that was not read says nothing; that it stays is all that pruning can do.
  if (contents === null) return null;
  const has = `\n${readByteString(contents)}`.includes(`\n${name}:`);
  return has ? null : `is not in ${file}`;
}

/** Symlinks that are there for a use, or stay since their layer does. Others may lose what a rule names. */
function* checkSymlinks(check: Check): Generator<Problem> {
  const { closure, input, isGone } = check;
  for (const link of input.fs.all()) {
    if (input.fs.kind(link) !== 'symlink' || isGone(link)) continue;
    if (!isNeededOrUnknown(link, closure)) continue;
    const { path } = input.fs.resolve(ascii`/${link}`);
    if (path === null || !isNeededOrUnknown(path, closure) || fateOf(link, check) === 'stays') continue;
    yield {
      kind: 'symlink',
      path: link,
      sentence: `the symlink ${quotePath(link)} would lead nowhere: ${quotePath(path)}, where it led, would be gone`,
    };
  }
}

function isNeededOrUnknown(path: Path, closure: Closure): boolean {
  const strength = closure.strengthOf(path);
  return strength === 'needed' || strength === null;
}

function* checkPlatform({ input }: Check): Generator<Problem> {
  const { trace, platform, fs } = input;
  if (trace.platform !== null && platform !== null) {
    const [os, architecture, variant] = trace.platform.split('/');
    const traced = readPlatform({ os, architecture, variant });
    if (traced !== null && !matchesPlatform(traced, platform)) {
      yield {
        kind: 'platform',
        path: null,
        sentence: `${trace.name} was recorded on ${trace.platform}, the image is for ${formatPlatform(platform)}`,
      };
      return;
    }
  }
  if (trace.paths.size === 0) return;
  const own = new Set<string>();
  const foreign = new Map<string, ByteString>();
  for (const [name, bits] of trace.paths) {
    if ((bits & (uses.open | uses.exec)) === 0) continue;
    const isThere = fs.resolve(name).path !== null;
    const libc = libcOf(name);
    if (libc !== null && isThere) own.add(libc);
    if (isThere) continue;
    const architecture = architectureOf(name);
    if (architecture !== null && platform !== null && !runsOn(architecture, platform.architecture)) {
      yield {
        kind: 'platform',
        path: name,
        sentence: `${trace.name} was recorded on ${architecture} (it opened ${quotePath(name)}), the image is for ${formatPlatform(platform)}`,
      };
      return;
    }
    if (libc !== null && !foreign.has(libc)) foreign.set(libc, name);
  }
  if (own.size > 0) return;
  for (const [libc, name] of foreign) {
    yield {
      kind: 'platform',
      path: name,
      sentence: `${trace.name} was recorded with another C library (${libc}: it opened ${quotePath(name)}, which the image does not have)`,
    };
  }
}

/** Was the entrypoint seen to start? A script may also be opened by what runs it. */
function* checkExecution({ input, closure }: Check): Generator<Problem> {
  const { trace, runtime, fs, facts } = input;
  const words = runtime.entrypoint.length > 0 ? runtime.entrypoint : runtime.command;
  const program = resolveProgram(words, input);
  if (program === null || trace.paths.size === 0) return;
  // A hard link of it is the same program.
  const names = new Set([program, ...fs.names(program)]);
  const seen = [...names].reduce((bits, name) => bits | closure.usesOf(name), 0);
  if ((seen & uses.exec) !== 0) return;
  const script = facts.script(program);
  if ((seen & uses.open) !== 0 && (!trace.knowsExecs || script !== null)) return;
  if (!trace.knowsExecs && seen !== 0) return;
  yield {
    kind: 'no-exec',
    path: program,
    sentence: trace.knowsExecs
      ? `${trace.name} has no execution of the entrypoint, ${quotePath(program)}: the application did not start in it`
      : `${trace.name} does not name the entrypoint, ${quotePath(program)}: the application did not start in it`,
  };
}

function bare(name: ByteString): ByteString {
  return name.replace(/^\/+/, '');
}
