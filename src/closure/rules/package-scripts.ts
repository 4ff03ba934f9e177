/**
 * The rule for scripts of package.json that commands of the image run: `npm start`, `yarn serve`, `pnpm run x`, `npx next`. `families.ts` lists
 * it.
 */
import { ascii, type ByteString, joinBytes, noBytes, utf8Bytes } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import { KiB } from '../../units.ts';
import { isOfShell } from '../../rootfs/facts/shebang.ts';
import { healthCommand } from '../checks/check.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { linesOf, objectAt, objectOf } from './configuration.ts';
import { wordNeeds, wordsIn } from './text.ts';

/** The largest package.json, or script, that is read. */
const largest = 64 * KiB;
/** Scripts that run other scripts, at most so deep. */
const deepest = 8;

/** Programs that run scripts and programs of a package, and the files that are these programs. */
const managers = /^(?:npm|npx|yarn|yarnpkg|pnpm|pnpx|bun|bunx)(?:-cli)?(?:\.c?js)?$/;
/** Programs that run scripts by their names alone. */
const runners = /^(?:run-s|run-p|npm-run-all2?)$/;
/** Options with a value behind them, and those of these that name the folder of the package. */
const valued = /^(?:--prefix|-C|--dir|--cwd|--workspace|-w|--filter|-F|--loglevel)$/;
const folders = /^(?:--prefix|-C|--dir|--cwd)$/;
/** Scripts that npm runs by a command of their names. */
const named = /^(?:start|stop|restart|test)$/;

export const packageScriptsRule: ClosureRule = {
  name: 'package-scripts',
  describe:
    'Unless the granularity is `file`: for a script of package.json that the config, `--keep-command`, a needed script of a shell or another such script runs (`npm start`, `yarn serve`, `pnpm run x`), and for a program that npx and the like run: the programs in it, also those of the package, and its files.',
  reads: (path) => (baseOf(path) === 'package.json' || path.endsWith('.sh') ? largest : 0),
  *roots(context) {
    if (context.granularity === 'file') return;
    const { entrypoint, command } = context.runtime;
    const commands = [[...entrypoint, ...command], healthCommand(context.runtime), ...context.keepCommands];
    for (const words of commands) yield* new PackageScripts(context).ofCommand(words.map(utf8Bytes));
  },
  *follow(path, context) {
    const { facts, fs, granularity } = context;
    if (granularity === 'file' || fs.kind(path) !== 'file' || context.strengthOf(path) !== 'needed') return;
    const line = facts.script(path);
    if (line === null || !isOfShell(line)) return;
    const scripts = new PackageScripts(context);
    yield* scripts.ofText(joinBytes([...linesOf(path, context, /^#/)], '\n'));
  },
};

/** What a manager is told to run. */
interface Run {
  readonly kind: 'script' | 'program' | 'either';
  readonly name: ByteString;
  /** The folder of the package, if the command names one. */
  readonly folder: ByteString | null;
}

/** Follows the scripts that one command runs, from one to the next. */
class PackageScripts {
  readonly #context: ClosureContext;
  readonly #seen = new Set<string>();
  /** The folder that the command is in. */
  #folder: Path | null;

  constructor(context: ClosureContext) {
    this.#context = context;
    this.#folder = context.fs.resolve(ascii`/${utf8Bytes(context.runtime.workingDirectory)}`).path;
  }

  /** Yields what a command runs, whose words may be texts of a shell. */
  *ofCommand(words: readonly ByteString[]): Generator<Need> {
    yield* this.#run(words, 0);
    for (const word of words) if (/\s/.test(word)) yield* this.ofText(word);
  }

  /** Yields what the commands in a text of a shell run. The folder at the end of a subshell is that of its beginning. */
  *ofText(text: ByteString, depth = 0): Generator<Need> {
    const outer: (Path | null)[] = [];
    for (const part of text.split(/&&|\|\||[;|&\n]|(?=[()])|(?<=[()])/)) {
      if (part === '(') outer.push(this.#folder);
      else if (part === ')') this.#folder = outer.length === 0 ? this.#folder : (outer.pop() ?? null);
      else yield* this.#command(part, depth);
    }
  }

  *#command(text: ByteString, depth: number): Generator<Need> {
    const words = text
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/^(["'])(.*)\1$/s, ascii`$2`));
    const [program, folder = noBytes] = words;
    if (program === 'cd') this.#folder = this.#resolved(folder);
    else yield* this.#run(words, depth);
  }

  *#run(words: readonly ByteString[], depth: number): Generator<Need> {
    if (depth >= deepest) return;
    const at = words.findIndex((word) => managers.test(baseOf(word)));
    const rest = words.slice(at + 1);
    if (at >= 0) {
      const run = runOf(baseOf(words[at] ?? noBytes), rest);
      if (run !== null) yield* this.#start(run, depth);
    } else if (words.some((word) => runners.test(baseOf(word))))
      for (const name of words) yield* this.#start({ kind: 'script', name, folder: null }, depth);
  }

  *#start({ kind, name, folder }: Run, depth: number): Generator<Need> {
    const place = folder === null ? this.#folder : this.#resolved(folder);
    if (place === null) return;
    const file = join(place, ascii`package.json`);
    const scripts = objectOf(objectAt(file, this.#context)?.['scripts']) ?? {};
    const isScript = Object.hasOwn(scripts, name);
    if (kind === 'program' || (kind === 'either' && !isScript)) {
      yield* this.#program(name, place, ascii`a program that /${file} has`);
      return;
    }
    for (const key of [`pre${name}`, name, `post${name}`]) {
      const text = Object.hasOwn(scripts, key) ? scripts[key] : undefined;
      if (typeof text === 'string') yield* this.#script(utf8Bytes(text), { key, file, depth });
    }
  }

  /** Yields what the text of a script names, once. */
  *#script(
    text: ByteString,
    { key, file, depth }: { readonly key: string; readonly file: Path; readonly depth: number },
  ): Generator<Need> {
    const id = `${file}\0${key}`;
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const place = parentOf(file);
    const detail = ascii`named in the script ${utf8Bytes(key)} of /${file}`;
    for (const word of wordsIn(text)) {
      const name = utf8Bytes(word);
      yield* this.#program(name, place, detail);
      yield* this.#file(name, place, detail);
    }
    // A script begins in the folder of its package.json, and the folder of the script that runs it stays.
    const outer = this.#folder;
    this.#folder = place;
    yield* this.ofText(text, depth + 1);
    this.#folder = outer;
  }

  /** Yields a program of the package by its name; else what the word names otherwise. */
  *#program(name: ByteString, place: Path, detail: ByteString): Generator<Need> {
    const local = this.#local(name, place);
    if (local !== null) yield { path: local, detail };
    else yield* wordNeeds(name, detail, this.#context);
  }

  /** Yields the file that a word names, as Node finds modules. */
  *#file(word: ByteString, place: Path, detail: ByteString): Generator<Need> {
    if (!/[./]/.test(word) || word.startsWith('/')) return;
    for (const ending of ['', '.js', '.mjs', '.cjs']) {
      const name = ascii`/${place}/${word}${utf8Bytes(ending)}`;
      const { path } = this.#context.fs.resolve(name);
      if (path === null || this.#context.fs.kind(path) !== 'file') continue;
      yield { path: name, detail };
      return;
    }
  }

  /** Returns a program of the package, or of the workspace above it; null for another name. */
  #local(name: ByteString, place: Path): Path | null {
    if (name.includes('/') || name === '') return null;
    for (let at = place; ; at = parentOf(at)) {
      const path = join(at, ascii`node_modules/.bin/${name}`);
      if (this.#context.fs.kind(path) !== null) return path;
      if (at === '') return null;
    }
  }

  #resolved(folder: ByteString): Path | null {
    const from = folder.startsWith('/') || this.#folder === null ? noBytes : ascii`/${this.#folder}/`;
    return this.#context.fs.resolve(ascii`${from}${folder}`).path;
  }
}

/** Reads the words behind a manager. Null for a command that runs nothing, such as an installation. */
function runOf(manager: ByteString, words: readonly ByteString[]): Run | null {
  let folder: ByteString | null = null;
  const plain: ByteString[] = [];
  for (let i = 0; i < words.length && plain.length < 2; i++) {
    const word = words[i] as ByteString;
    const [, option = noBytes, value = noBytes] = word.match(/^(--[\w-]+)=(.*)$/s) ?? [];
    if (folders.test(option)) folder = value;
    if (valued.test(word)) {
      i++;
      if (folders.test(word)) folder = words[i] ?? null;
    } else if (word !== '' && !word.startsWith('-')) plain.push(word);
  }
  const [first, second] = plain;
  if (first === undefined) return null;
  if (/^(?:npx|pnpx|bunx)/.test(manager)) return { kind: 'program', name: first, folder };
  if (/^(?:exec|dlx|x)$/.test(first))
    return second === undefined ? null : { kind: 'program', name: second, folder };
  if (/^(?:run|run-script|rum|urn)$/.test(first))
    return second === undefined ? null : { kind: 'script', name: second, folder };
  if (named.test(first)) return { kind: 'script', name: first, folder };
  return manager.startsWith('npm') ? null : { kind: 'either', name: first, folder };
}
