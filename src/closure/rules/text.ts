/**
 * The rule for names in text that stays: programs in scripts of shells, and paths in settings. `families.ts` lists it.
 */
import { asByteString, ascii, noBytes, type ByteString } from '../../bytes/bytes.ts';
import { baseOf, type Path } from '../../bytes/path.ts';
import { KiB, MiB } from '../../units.ts';
import { isOfShell } from '../../rootfs/facts/shebang.ts';
import { findProgram } from '../commands.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { linesOf } from './configuration.ts';
import { lent } from './script.ts';

/** The largest text that is read. */
const largest = 64 * KiB;

/** Settings, by their places and names. Trees of packages have their own rules, and name what their programs do not use. */
const settings = /^etc\/|\.(?:conf|cfg|cnf|ini|ya?ml|toml|properties)$/;
const others =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|gems|python[23][\d.]*)\/|^usr\/(?:share|lib)\/|^etc\/(?:passwd|group|g?shadow|shells|subuid|subgid|services|protocols|mime\.types|ld\.so.*|ssl\/.*|pki\/.*|alternatives\/.*|ca-certificates.*|init\.d\/.*|rc.\.d\/.*|cron\..*)-?$/;

/** Programs of package managers: a script asks them about the system. They stay alone, since their packages are large. */
const managers = /^(?:dpkg.*|apt.*|apk|rpm|dnf|microdnf|yum|zypper|debconf.*)$/;

/** The most bytes, and entries, of a directory that settings name and that stays whole. */
const directoryBounds = { bytes: MiB, entries: 1000 };

export const textRule: ClosureRule = {
  name: 'text',
  describe:
    'Unless the granularity is `file`: the programs that a needed script of a shell names, in any branch, and the files behind its absolute paths; the absolute paths, and the programs of commands, in settings that stay (etc, *.conf, *.ini, *.yml, …).',
  reads: (path) => (path.endsWith('.sh') || (settings.test(path) && !others.test(path)) ? largest : 0),
  *follow(path, context): Generator<Need> {
    const { facts, fs, granularity } = context;
    if (granularity === 'file' || fs.kind(path) !== 'file') return;
    const line = facts.script(path);
    if (line === null ? path.endsWith('.sh') : isOfShell(line)) {
      if (context.strengthOf(path) === 'needed') yield* ofScript(path, context);
    } else if (line === null && settings.test(path) && !others.test(path)) yield* ofSettings(path, context);
  },
};

/** Yields the programs that a script names, and what its absolute paths lead to. */
function* ofScript(path: Path, context: ClosureContext): Generator<Need> {
  const words = new Set<string>();
  for (const line of linesOf(path, context, /^#/)) for (const word of wordsOf(line)) words.add(word);
  for (const word of words) yield* wordNeeds(asByteString(word), ascii`named in /${path}`, context);
}

/** Returns the words of a line of a script: those of messages do not count, those of $(…) and of scripts in quotes do. */
function wordsOf(line: string): readonly string[] {
  const inner = [
    ...line.matchAll(/\$\(([^()]*)\)|`([^`]*)`|(?:^|\s)(?:-[a-z]*c|eval) +(?:"([^"]*)"|'([^']*)')/g),
  ];
  const nested = inner.flatMap(([, ...parts]) =>
    parts.flatMap((part) => (part === undefined ? [] : wordsIn(part))),
  );
  const bare = line
    .replace(/(?:^|\s)#.*$/, '')
    .replaceAll(/"[^"]*\s[^"]*"|'[^']*\s[^']*'/g, ' ')
    .replaceAll(/^(?:echo|printf)\s.*$/g, (text) => text.replace(/^[^|;&]*/, ''));
  return [...wordsIn(bare), ...nested];
}

/** Returns the words of a command that may be names of programs or files. */
export function wordsIn(text: string): readonly string[] {
  return text.split(/[\s;|&()<>"'`=]+/).filter((word) => /^[\w./+@-]+$/.test(word) && /[A-Za-z]/.test(word));
}

/** Yields what a word of a script means: a program in PATH, or an absolute path. */
export function* wordNeeds(word: ByteString, detail: ByteString, context: ClosureContext): Generator<Need> {
  if (word.startsWith('/')) {
    yield* pathNeeds(word, detail, context);
    return;
  }
  if (word.includes('/')) return;
  const program = findProgram(word, context);
  if (program === null) return;
  yield { path: program, detail, strength: managers.test(word) ? 'whole' : 'needed' };
}

/** Yields the absolute paths in settings, and the programs of their commands. */
function* ofSettings(path: Path, context: ClosureContext): Generator<Need> {
  const detail = ascii`named in /${path}`;
  const seen = new Set<string>();
  for (const line of linesOf(path, context, /^(?:[#;]|\/\/|<!--)/)) {
    for (const { 0: name = noBytes } of line.matchAll(/(?<![\w.$%}~:/*-])\/(?:[\w.+@-]+\/)*[\w.+@-]+/g)) {
      if (seen.has(name)) continue;
      seen.add(name);
      yield* pathNeeds(asByteString(name), detail, context);
    }
    const [, command] =
      line.match(/\b(?:command|exec\w*|program|cmd|\w+_command)["']?\s*[=:]\s*["']?(?:&quot;)?([\w.+-]+)/i) ??
      [];
    const program = command === undefined ? null : findProgram(asByteString(command), context);
    if (program !== null) yield* pathNeeds(program, detail, context);
  }
}

/** Yields what an absolute path leads to: a program with its package, a file, a small directory with its contents. */
function* pathNeeds(name: ByteString, detail: ByteString, context: ClosureContext): Generator<Need> {
  const { fs } = context;
  const { path } = fs.resolve(name);
  if (path === null || !path.includes('/')) return;
  if (fs.kind(path) === 'directory') {
    if (isSmall(path, fs)) yield { path: name, detail, below: true, strength: 'whole' };
    return;
  }
  if (fs.kind(path) !== 'file') return;
  if ((fs.mode(path) & 0o111) !== 0 && !managers.test(baseOf(path))) lent.of(context).add(path);
  yield { path: name, detail, strength: 'whole' };
}

function isSmall(directory: Path, fs: ClosureContext['fs']): boolean {
  let bytes = 0;
  let entries = 0;
  for (const path of fs.below(directory)) {
    if (fs.kind(path) === 'file') bytes += fs.size(path);
    if (++entries > directoryBounds.entries || bytes > directoryBounds.bytes) return false;
  }
  return true;
}
