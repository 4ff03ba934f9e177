/**
 * The rule for data that libraries and modules read by fixed paths. `families.ts` lists it.
 */
import { ascii, asciiList, type ByteString } from '../../bytes/bytes.ts';
import { type Path, rootPaths } from '../../bytes/path.ts';
import { MiB } from '../../units.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { namedByVariables, variable } from './configuration.ts';
import { present } from './present.ts';

/** A library or module by its file name, and the data that it reads, by distribution. */
interface Reader {
  /** Matches the path of the library or module. */
  readonly file: RegExp;
  readonly what: ByteString;
  readonly data: readonly Path[];
}

/** Data that take more than this stay only as far as they were seen. */
const most = 4 * MiB;

/** The tables of MIME types of web servers and distributions. */
const mimeTables = rootPaths(
  'etc/mime.types',
  'etc/apache/mime.types',
  'etc/apache2/mime.types',
  'etc/httpd/mime.types',
  'etc/httpd/conf/mime.types',
  'usr/local/etc/httpd/conf/mime.types',
);
/** The same of the desktop, which some programs read instead. */
const globs = rootPaths('usr/share/mime/globs2', 'usr/local/share/mime/globs2');

const readers: readonly Reader[] = [
  {
    file: /(?:^|\/)libmagic\.so\./,
    what: ascii`the tables of file types`,
    data: rootPaths(
      'etc/magic',
      'usr/share/misc/magic.mgc',
      'usr/lib/file/magic.mgc',
      'usr/share/file/magic.mgc',
      'usr/local/share/misc/magic.mgc',
    ),
  },
  {
    file: /(?:^|\/)lib(?:ncursesw?|tinfow?|terminfo)\.so\./,
    what: ascii`descriptions of terminals`,
    data: rootPaths(
      'etc/terminfo',
      'lib/terminfo',
      'usr/lib/terminfo',
      'usr/share/terminfo',
      'usr/share/lib/terminfo',
    ),
  },
  {
    file: /(?:^|\/)(?:libgio-2\.0\.so\..*|libQt\dCore\.so\..*)$/,
    what: ascii`the tables of MIME types`,
    data: rootPaths(
      'usr/share/mime/mime.cache',
      'usr/share/mime/globs2',
      'usr/share/mime/magic',
      'usr/share/mime/aliases',
      'usr/share/mime/subclasses',
    ),
  },
  {
    // Python reads the first of these that are there when a type is first asked for (mimetypes.knownfiles).
    file: /(?:^|\/)(?:mimetypes\.py|mod_mime\.so|run-mailcap)$/,
    what: ascii`the table of MIME types`,
    data: mimeTables,
  },
  {
    file: /(?:^|\/)(?:mailcap\.py|Mail\/Cap\.pm|run-mailcap)$/,
    what: ascii`the programs for MIME types`,
    data: rootPaths(
      'etc/mailcap',
      'etc/mailcap.order',
      'usr/etc/mailcap',
      'usr/local/etc/mailcap',
      'usr/share/etc/mailcap',
    ),
  },
];

export const libraryDataRule: ClosureRule = {
  name: 'library-data',
  describe:
    'Unless the granularity is `file`: the data of libraries and modules that stay: file types for libmagic, terminals for ncurses, MIME types for GIO, Qt and mimetypes.py, and for an ELF file that names their table (Go), mailcap for its readers; the paths in MAGIC, TERMINFO and TERMINFO_DIRS.',
  *roots(context) {
    yield* namedByVariables(asciiList('MAGIC', 'TERMINFO'), context);
    for (const path of variable('TERMINFO_DIRS', context).split(':'))
      if (path !== '') yield { path, detail: ascii`named by TERMINFO_DIRS`, below: true };
  },
  *follow(path, context): Generator<Need> {
    if (context.granularity === 'file') return;
    yield* ofReaders(path, context);
    const named = context.facts.mentions(path).find((name) => /mime(?:\.types|\/globs2)$/.test(name));
    if (named === undefined) return;
    for (const place of present(context.fs, [...mimeTables, ...globs]))
      yield { path: place, detail: ascii`/${path} names /${named}`, strength: 'whole' };
  },
};

function* ofReaders(path: Path, context: ClosureContext): Generator<Need> {
  for (const { file, what, data } of readers) {
    if (!file.test(path)) continue;
    for (const place of present(context.fs, data))
      if (bytesOf(place, context) <= most)
        yield { path: place, detail: ascii`${what}, for /${path}`, below: true, strength: 'whole' };
  }
}

function bytesOf(place: Path, { fs }: ClosureContext): number {
  let bytes = 0;
  for (const path of fs.below(place)) if (fs.kind(path) === 'file') bytes += fs.size(path);
  return bytes;
}
