import { baseOf, type Path } from '../bytes/path.ts';
import { type ByteString, utf8Bytes, ascii, noBytes } from '../bytes/bytes.ts';
import type { ClosureContext, Need } from './rule.ts';

/** What runtimes set where an image does not (containerd's and Docker's default). */
const defaultPath = ascii`/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

type Place = Pick<ClosureContext, 'fs' | 'runtime'>;

/** The name under which a program would be executed, as execvp(3) searches; null where there is none. */
export function findProgram(name: ByteString, { fs, runtime }: Place): ByteString | null {
  if (name === '') return null;
  if (name.includes('/')) {
    const place = fromWorkingDirectory(name, runtime.workingDirectory);
    return fs.resolve(place).path === null ? null : place;
  }
  for (const directory of searchPath(runtime.environment)) {
    const place = ascii`${fromWorkingDirectory(directory, runtime.workingDirectory)}/${name}`;
    const { path } = fs.resolve(place);
    if (path !== null && fs.kind(path) === 'file' && (fs.mode(path) & 0o111) !== 0) return place;
  }
  return null;
}

/** The directories in which programs are looked for. */
function searchPath(environment: ReadonlyMap<string, string>): readonly ByteString[] {
  return utf8Bytes(environment.get('PATH') || defaultPath)
    .split(':')
    .map((directory) => (directory === '' ? ascii`.` : directory));
}

/** A name from the root: relative ones start in the directory where the program does. */
function fromWorkingDirectory(name: ByteString, workingDirectory: string): ByteString {
  return name.startsWith('/') ? name : ascii`/${utf8Bytes(workingDirectory)}/${name}`;
}

const shells: ReadonlySet<string> = new Set(['sh', 'ash', 'bash', 'dash', 'ksh', 'zsh', 'busybox']);
/** Programs that run what follows. */
const wrappers: ReadonlySet<string> = new Set(
  'env exec tini docker-init dumb-init catatonit gosu su-exec setpriv nice nohup stdbuf timeout chpst s6-setuidgid'.split(
    ' ',
  ),
);
const builtins: ReadonlySet<string> = new Set(
  'cd echo exit exec export eval false read return set shift test trap true ulimit umask unset wait printf kill command then else fi do done if for while until case esac local source'.split(
    ' ',
  ),
);

/** What a command (of the image's config, or one that is to go on working) names: its program, and files among its arguments. */
export function* commandNeeds(
  words: readonly string[],
  context: Place,
  { detail, required = false }: { readonly detail: ByteString; readonly required?: boolean },
): Generator<Need> {
  const [first = noBytes, ...rest] = words.map(utf8Bytes);
  if (first === '') return;
  const program = findProgram(first, context);
  // A name that leads nowhere, so that what looks for missing programs has something to show.
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

/** What `sh -c` is given; null for other commands. */
function shellScript(program: ByteString, rest: readonly ByteString[]): ByteString | null {
  if (!shells.has(baseOf(program))) return null;
  const at = rest.findIndex((word) => /^-[a-z]*c[a-z]*$/.test(word));
  return at < 0 ? null : (rest[at + 1] ?? null);
}

/** The first words of simple commands in a script, as far as they are plain. */
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

/** Arguments that name files which are there: "app.py", "/etc/app.conf", "--config=/etc/app.conf". */
function* argumentNeeds(
  words: readonly ByteString[],
  { fs, runtime }: Place,
  detail: ByteString,
): Generator<Need> {
  for (const word of words) {
    const value = word.match(/^-[^=]*=(.+)$/s)?.[1] ?? word;
    if (value === '' || value.startsWith('-') || value.length > 4096) continue;
    const place = fromWorkingDirectory(value, runtime.workingDirectory);
    const { path } = fs.resolve(place);
    if (path === null || path === '') continue;
    // A bare word may well be the name of a directory by chance.
    if (fs.kind(path) === 'directory' && !value.startsWith('/')) continue;
    yield { path: place, detail: ascii`${detail}, an argument` };
  }
}

/** Where a command's program ends up, symlinks followed; null where there is none. */
export function resolveProgram(words: readonly string[], context: Place): Path | null {
  const place = findProgram(utf8Bytes(words[0] ?? ''), context);
  return place === null ? null : context.fs.resolve(place).path;
}
