/**
 * Surveys the attack surface of one root filesystem. `compareSurface` calls it for that before and that after a pruning.
 */
import type { Filesystem } from '../filesystem.ts';
import { baseOf, type Path, parentOf } from '../../bytes/path.ts';
import type { ByteString } from '../../bytes/bytes.ts';
import { type ProgramKind, programKind } from './programs.ts';
import type { SurfaceFile, SurfaceFiles, SurfaceKind } from './surface.ts';

const rows: Readonly<Record<ProgramKind, SurfaceKind>> = {
  shell: 'shells',
  'package-manager': 'package-managers',
  interpreter: 'interpreters',
  compiler: 'compilers',
  'network-tool': 'network-tools',
};

/** Permission bits (inode(7)). */
const executable = 0o111;
const setuidBits = 0o6000;
const sticky = 0o1000;
const writableByAll = 0o002;

/**
 * Finds the files of a root filesystem that help an attacker who has entered a container, in one walk. A program counts where it lies
 * in a directory named `bin` or `sbin`, or in one of `searchPath` (PATH): elsewhere names mean other things
 * (`etc/cron.daily/dpkg`).
 */
export function surveyFiles(fs: Filesystem, searchPath: ByteString): SurfaceFiles {
  const searched = searchedDirectories(fs, searchPath);
  const found = new Findings();
  const holdsPrograms = remember(
    (directory: Path) => isProgramDirectory(directory) || searched.has(directory),
  );
  for (const path of fs.all()) {
    const kind = fs.kind(path);
    if (kind === 'directory') surveyDirectory(path, fs, found);
    if (kind === 'file') surveyModes(path, fs, found);
    if ((kind === 'file' || kind === 'symlink') && holdsPrograms(parentOf(path)))
      surveyProgram(path, fs, found);
  }
  return found.files();
}

function surveyDirectory(path: Path, fs: Filesystem, found: Findings): void {
  const mode = fs.mode(path);
  if ((mode & writableByAll) !== 0 && (mode & sticky) === 0)
    found.add('world-writable-directories', path, path, path);
}

/** Looks at a name among programs, and at the file that it leads to. */
function surveyProgram(name: Path, fs: Filesystem, found: Findings): void {
  const program = programKind(baseOf(name));
  if (program === null) return;
  const file = fs.resolve(name).path;
  if (file !== null && fs.kind(file) === 'file' && (fs.mode(file) & executable) !== 0)
    found.add(rows[program], inodeOf(fs, file), name, file);
}

function surveyModes(path: Path, fs: Filesystem, found: Findings): void {
  const mode = fs.mode(path);
  if ((mode & setuidBits) !== 0) found.add('setuid', inodeOf(fs, path), path, path);
  if ((mode & writableByAll) !== 0) found.add('world-writable-files', inodeOf(fs, path), path, path);
  if (fs.capable(path)) found.add('capabilities', inodeOf(fs, path), path, path);
}

/** Remembers the last answer: a walk goes through one directory after the other. */
function remember(ask: (directory: Path) => boolean): (directory: Path) => boolean {
  let last: Path | null = null;
  let answer = false;
  return (directory) => {
    if (directory !== last) {
      last = directory;
      answer = ask(directory);
    }
    return answer;
  };
}

/** Returns a key that all names of a file have in common. */
function inodeOf(fs: Filesystem, path: Path): string | number {
  return fs.carrier(path)?.id ?? path;
}

function isProgramDirectory(directory: Path): boolean {
  return /(?:^|\/)s?bin$/.test(directory);
}

/** Returns the directories of PATH, free of symlinks. */
function searchedDirectories(fs: Filesystem, searchPath: ByteString): ReadonlySet<Path> {
  const names = searchPath.split(':').filter((name) => name.startsWith('/'));
  return new Set(names.flatMap((name) => fs.resolve(name).path ?? []));
}

/** Collects names by kind and file. */
class Findings {
  readonly #byKind = new Map<SurfaceKind, Map<string | number, { real: Path; own: Path[]; links: Path[] }>>();

  /** Adds a name that leads to the file `real`. `file` is the key of that file. */
  add(kind: SurfaceKind, file: string | number, name: Path, real: Path): void {
    let files = this.#byKind.get(kind);
    if (files === undefined) this.#byKind.set(kind, (files = new Map()));
    let row = files.get(file);
    if (row === undefined) files.set(file, (row = { real, own: [], links: [] }));
    (name === real ? row.own : row.links).push(name);
  }

  files(): SurfaceFiles {
    const list = (kind: SurfaceKind): SurfaceFile[] =>
      [...(this.#byKind.get(kind)?.values() ?? [])]
        .map(({ real, own, links }) => {
          const [path = real, ...others] = own;
          return { path, names: [...others, ...links].sort() };
        })
        .sort((a, b) => (a.path < b.path ? -1 : 1));
    return {
      shells: list('shells'),
      'package-managers': list('package-managers'),
      interpreters: list('interpreters'),
      compilers: list('compilers'),
      'network-tools': list('network-tools'),
      setuid: list('setuid'),
      capabilities: list('capabilities'),
      'world-writable-files': list('world-writable-files'),
      'world-writable-directories': list('world-writable-directories'),
    };
  }
}
