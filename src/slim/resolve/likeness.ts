/**
 * The order of `--order similar`: similar files side by side, which packs better. `ordering.ts` sorts the data of rewritten layers by
 * it.
 */
import type { ChangeKind } from '../../changeset/layer-index.ts';
import { baseOf, type Path } from '../../bytes/path.ts';
import type { ByteString } from '../../bytes/bytes.ts';

/** The sort key of an entry: the smaller group first, then by kind of name, base name and path. */
export interface Likeness {
  readonly group: number;
  /** The common part of names of one kind: the extension in lower case, or a word in its place. */
  readonly kind: string;
  readonly base: ByteString;
  readonly path: Path;
}

/**
 * Groups of extensions, in the order in which they come. Code of one machine shares its idioms, text of one language its
 * words; what is packed already comes last, where it parts nothing that belongs together.
 */
const groups: readonly (readonly string[])[] = [
  ['so', 'a', 'o', 'ko', 'node', 'exe', 'dll'],
  ['pyc', 'pyo', 'elc', 'class', 'beam', 'wasm'],
  ['c', 'h', 'cc', 'cpp', 'cxx', 'hh', 'hpp', 'hxx', 'inc', 'ipp', 's', 'go', 'rs', 'java'],
  ['py', 'pyi', 'pyx', 'pxd'],
  ['pl', 'pm', 'pod', 'ph', 'al', 't'],
  ['rb', 'rake', 'gemspec', 'ri', 'rbs'],
  ['php', 'phpt', 'lua', 'tcl', 'sh', 'bash', 'awk', 'm4', 'vim', 'el', 'r'],
  ['js', 'cjs', 'mjs', 'jsx', 'ts', 'cts', 'mts', 'tsx', 'map', 'css', 'scss', 'less'],
  [
    'json',
    'yaml',
    'yml',
    'toml',
    'ini',
    'conf',
    'cfg',
    'cnf',
    'properties',
    'service',
    'desktop',
    'cmake',
    'pc',
    'la',
  ],
  ['xml', 'xsd', 'xsl', 'dtd', 'html', 'htm', 'xhtml', 'svg'],
  ['md', 'markdown', 'rst', 'txt', 'text', 'tex', 'texi', 'info', 'pot', 'po'],
  [
    'list',
    'md5sums',
    'symbols',
    'shlibs',
    'triggers',
    'postinst',
    'prerm',
    'postrm',
    'preinst',
    'conffiles',
    'templates',
  ],
  ['mo', 'gmo', 'dat', 'cache', 'hwdb', 'bin', 'db', 'sqlite', 'tables', 'enc'],
];
const packed: ReadonlySet<string> = new Set(
  (
    'gz tgz bz2 xz lzma lz4 zst zip whl egg jar war gem phar deb rpm apk br 7z rar png jpg jpeg gif webp avif ico mp3 mp4 ' +
    'ogg webm woff woff2 pdf'
  ).split(' '),
);
// Group 0 has the entries without data, and group 1 programs; the groups above follow.
const groupOf = new Map(groups.flatMap((extensions, i) => extensions.map((each) => [each, i + 2] as const)));
const otherGroup = groups.length + 2;
const packedGroup = groups.length + 3;
const programGroup = 1;

/** Libraries, also with a version after the extension: `libssl.so.3`. */
const library = /\.so(?:\.[0-9][0-9.]*)?$/;
/** Manual pages, also translated ones: `man/de/man1/ls.1`. */
const manual = /(?:^|\/)man\/(?:[^/]+\/)?man[0-9a-z]+\//;
/** Files in directories of programs. Most have no extension that tells their kind. */
const programs = /(?:^|\/)(?:s?bin|libexec)\/[^/]+$/;

/** Returns the sort key of an entry, from its kind and name: contents do not count, so that headers determine the order. */
export function likenessOf(entry: ChangeKind, path: Path): Likeness {
  const base = baseOf(path);
  if (entry !== 'file') return { group: 0, kind: entry, base, path };
  if (library.test(base)) return { group: groupOf.get('so') as number, kind: 'so', base, path };
  const dot = base.lastIndexOf('.');
  const extension = dot > 0 ? base.slice(dot + 1).toLowerCase() : '';
  if (packed.has(extension)) return { group: packedGroup, kind: extension, base, path };
  if (manual.test(path)) return { group: groupOf.get('md') as number, kind: 'man', base, path };
  const known = groupOf.get(extension);
  if (known !== undefined) return { group: known, kind: extension, base, path };
  if (programs.test(path)) return { group: programGroup, kind: '', base, path };
  return { group: otherGroup, kind: extension, base, path };
}

/** Compares two keys. The order is total over different paths. */
export function compareLikeness(a: Likeness, b: Likeness): number {
  return (
    a.group - b.group ||
    compareText(a.kind, b.kind) ||
    compareText(a.base, b.base) ||
    compareText(a.path, b.path)
  );
}

/** Compares by bytes: a byte string has one UTF-16 unit for each byte, so the order does not depend on a locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
