/**
 * Finds the programs and files that a command line names, without running anything. The rules for the config and for kept commands
 * call it, and the checks of the result.
 */
import { baseOf, type Path } from '../bytes/path.ts';
import { type ByteString, utf8Bytes, ascii, noBytes } from '../bytes/bytes.ts';
import type { ClosureContext, Need } from './rule.ts';

/** The PATH of a container whose image sets none (containerd, Docker). */
const defaultPath = ascii`/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

type Place = Pick<ClosureContext, 'fs' | 'runtime'>;

/** Returns the name under which a program would be executed, found like execvp(3) does; null where the image has none. */
export function findProgram(name: ByteString, { fs, runtime }: Place): ByteString | null {
  if (name === '') return null;
  // A name with a slash is executed whatever it is.
  const isPath = name.includes('/');
  const isProgram = (place: ByteString): boolean => {
    const { path } = fs.resolve(place);
    return path !== null && (isPath || (fs.kind(path) === 'file' && (fs.mode(path) & 0o111) !== 0));
  };
  return programPlaces(name, runtime).find(isProgram) ?? null;
}

/** Returns the names under which a program may be, from the root, in the order in which execvp(3) looks. */
export function programPlaces(name: ByteString, runtime: Place['runtime']): readonly ByteString[] {
  const { workingDirectory, environment } = runtime;
  if (name.includes('/')) return [fromWorkingDirectory(name, workingDirectory)];
  return searchPath(environment).map(
    (directory) => ascii`${fromWorkingDirectory(directory, workingDirectory)}/${name}`,
  );
}

/** Returns the directories of PATH. An empty element is the current directory (POSIX.1-2017, XBD 8.3). */
function searchPath(environment: ReadonlyMap<string, string>): readonly ByteString[] {
  return utf8Bytes(environment.get('PATH') || defaultPath)
    .split(':')
    .map((directory) => (directory === '' ? ascii`.` : directory));
}

/** Returns a name from the root. Relative names count from the working directory of the config. */
function fromWorkingDirectory(name: ByteString, workingDirectory: string): ByteString {
  return name.startsWith('/') ? name : ascii`/${utf8Bytes(workingDirectory)}/${name}`;
}

/** Programs whose option -c is a script. */
const shells: ReadonlySet<string> = new Set(['sh', 'ash', 'bash', 'dash', 'ksh', 'zsh', 'busybox']);
/** Programs that run the command among their arguments. */
const wrappers: ReadonlySet<string> = new Set(
  'env exec tini docker-init dumb-init catatonit gosu su-exec setpriv nice nohup stdbuf timeout chpst s6-setuidgid'.split(
    ' ',
  ),
);
/** Words of shells that are not programs, or that need not be. */
const builtins: ReadonlySet<string> = new Set(
  'cd echo exit exec export eval false read return set shift test trap true ulimit umask unset wait printf kill command then else fi do done if for while until case esac local source'.split(
    ' ',
  ),
);

/** Yields what a command needs: its program, the programs that it runs, and the files among its arguments. */
export function* commandNeeds(
  words: readonly string[],
  context: Place,
  { detail, required = false }: { readonly detail: ByteString; readonly required?: boolean },
): Generator<Need> {
  const [first = noBytes, ...rest] = words.map(utf8Bytes);
  if (first === '') return;
  const program = findProgram(first, context);
  // A missing program is yielded by its name, which a problem can show.
  yield { path: program ?? first, detail, required };

  const script = shellScript(first, rest);
  if (script !== null) yield* scriptNeeds(script, context, detail);
  yield* argumentNeeds(rest, context, detail);
  const wrapped = rest.indexOf(ascii`--`) + 1 || (wrappers.has(baseOf(first)) ? 1 : 0);
  const inner = wrapped === 0 ? [] : rest.slice(rest[wrapped - 1] === '--' ? wrapped : 0);
  for (const word of inner) {
    if (word.startsWith('-') || word.includes('=')) continue;
    const found = findProgram(word, context);
    if (found !== null) yield { path: found, detail };
  }
}

/** Returns the script of `sh -c`; null for other commands. */
function shellScript(program: ByteString, rest: readonly ByteString[]): ByteString | null {
  if (!shells.has(baseOf(program))) return null;
  const at = rest.findIndex((word) => /^-[a-z]*c[a-z]*$/.test(word));
  return at < 0 ? null : (rest[at + 1] ?? null);
}

/** Yields the programs of the simple commands in a script, and files among their arguments. Words with expansions are skipped. */
export function* scriptNeeds(script: ByteString, context: Place, detail: ByteString): Generator<Need> {
  for (const command of script.split(/&&|\|\||[;|&\n()]/)) {
    const words = command
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '' && word !== '!' && !/^\w+=/.test(word));
    while (words[0] === 'exec' || words[0] === 'command') words.shift();
    const [first = noBytes, ...rest] = words.map((word) => word.replace(/^(["'])(.*)\1$/s, ascii`$2`));
    if (!/^[\w./+@:-]+$/.test(first) || builtins.has(first)) continue;
    const program = findProgram(first, context);
    if (program !== null) yield { path: program, detail: ascii`${detail}, in its shell command` };
    yield* argumentNeeds(rest, context, detail);
  }
}

/** A longer argument is not the name of a file (PATH_MAX). */
const longestArgument = 4096;

/** Yields the arguments that name files in the image: "app.py", "/etc/app.conf", "--config=/etc/app.conf". */
function* argumentNeeds(
  words: readonly ByteString[],
  { fs, runtime }: Place,
  detail: ByteString,
): Generator<Need> {
  for (const word of words) {
    const value = word.match(/^-[^=]*=(.+)$/s)?.[1] ?? word;
    if (value === '' || value.startsWith('-') || value.length > longestArgument) continue;
    const place = fromWorkingDirectory(value, runtime.workingDirectory);
    const { path } = fs.resolve(place);
    if (path === null || path === '') continue;
    // A plain word may be the name of a directory by chance.
    if (fs.kind(path) === 'directory' && !value.startsWith('/')) continue;
    yield { path: place, detail: ascii`${detail}, an argument` };
  }
}

/** Returns the file of the program of a command, with symlinks followed; null where the image has none. */
export function resolveProgram(words: readonly string[], context: Place): Path | null {
  const place = findProgram(utf8Bytes(words[0] ?? ''), context);
  return place === null ? null : context.fs.resolve(place).path;
}
