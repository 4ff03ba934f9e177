/**
 * The rule for data that libraries and modules read by fixed paths. `families.ts` lists it.
 */
import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { baseOf, type Path, rootPaths } from '../../bytes/path.ts';
import { MiB } from '../../units.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { present } from './present.ts';

/** A library or module by its file name, and the data that it reads, by distribution. */
interface Reader {
  readonly file: RegExp;
  readonly what: ByteString;
  readonly data: readonly Path[];
}

/** Data that take more than this stay only as far as they were seen. */
const most = 4 * MiB;

const readers: readonly Reader[] = [
  {
    file: /^libmagic\.so\./,
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
    file: /^lib(?:ncursesw?|tinfow?|terminfo)\.so\./,
    what: ascii`descriptions of terminals`,
    data: rootPaths('etc/terminfo', 'lib/terminfo', 'usr/lib/terminfo', 'usr/share/terminfo'),
  },
  {
    file: /^(?:libgio-2\.0\.so\..*|libQt\dCore\.so\..*)$/,
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
    file: /^(?:mimetypes\.py|libmime.*\.so.*|mod_mime\.so|Types\.pm|run-mailcap)$/,
    what: ascii`the table of MIME types`,
    data: rootPaths('etc/mime.types', 'etc/apache2/mime.types', 'etc/httpd/conf/mime.types'),
  },
  {
    file: /^(?:mailcap\.py|Mailcap\.pm|run-mailcap)$/,
    what: ascii`the programs for MIME types`,
    data: rootPaths('etc/mailcap', 'usr/share/etc/mailcap'),
  },
];

export const libraryDataRule: ClosureRule = {
  name: 'library-data',
  describe:
    'Unless the granularity is `file`: the data of libraries and modules that stay: file types for libmagic, terminals for ncurses, MIME types for GIO, Qt and mimetypes.py, mailcap for its readers.',
  *follow(path, context): Generator<Need> {
    if (context.granularity === 'file') return;
    for (const { file, what, data } of readers) {
      if (!file.test(baseOf(path))) continue;
      for (const place of present(context.fs, data))
        if (bytesOf(place, context) <= most)
          yield { path: place, detail: ascii`${what}, for /${path}`, below: true, strength: 'whole' };
    }
  },
};

function bytesOf(place: Path, { fs }: ClosureContext): number {
  let bytes = 0;
  for (const path of fs.below(place)) if (fs.kind(path) === 'file') bytes += fs.size(path);
  return bytes;
}
