/**
 * Reads the database of apk, which Alpine's and Wolfi's packages are installed with. `package-index.ts` reads it beside the other
 * databases.
 */
import { rootPath } from '../../bytes/path.ts';
import { type ByteString, readByteString, ascii, noBytes, utf8Text } from '../../bytes/bytes.ts';
import { largestDatabase, linesOf, noteLinked, readDatabaseFile } from './database-file.ts';
import { isLeftOut } from './documentation.ts';
import { FileLocator, type Located } from './file-locator.ts';
import {
  type EditedDatabase,
  noDetails,
  type Package,
  type PackageDatabase,
  type UnreadDatabase,
} from './package.ts';
import { cutStanzas, stanzasIn } from './stanzas.ts';

/** Since Alpine 3.22, the database may be below /usr. */
const places = [rootPath`lib/apk/db/installed`, rootPath`usr/lib/apk/db/installed`];

/** The database of apk-tools (Alpine, Wolfi): stanzas of one-letter fields. `F:` names a directory, `R:` a file in it. */
export const apk: PackageDatabase = {
  kind: 'apk',
  reads: (path) => (places.includes(path) ? largestDatabase : 0),
  read(fs, facts) {
    const locator = new FileLocator(fs);
    const packages: Package[] = [];
    const unread: UnreadDatabase[] = [];
    for (const path of places) {
      noteLinked(fs, facts, path, unread);
      const bytes = readDatabaseFile(fs, facts, path, unread);
      if (bytes === null) continue;
      for (const each of readStanzas(readByteString(bytes), locator)) packages.push(each);
    }
    return { packages, unread };
  },
  without(fs, facts, packages) {
    const edited: EditedDatabase[] = [];
    const byName = new Map(packages.map((each) => [each.name, each]));
    for (const path of places) {
      const bytes = readDatabaseFile(fs, facts, path, []);
      if (bytes === null) continue;
      const text = readByteString(bytes);
      const cut = [...stanzasIn(text, betweenStanzas)].flatMap((stanza) => {
        const found = byName.get(nameIn(stanza.text) ?? noBytes);
        return found === undefined ? [] : [{ stanza, found }];
      });
      if (cut.length === 0) continue;
      const contents = cutStanzas(
        text,
        cut.map(({ stanza }) => stanza),
      );
      edited.push({ path, contents, packages: [...new Set(cut.map(({ found }) => found))] });
    }
    return { edited, gone: [] };
  },
};

/** Ends a stanza: the end of its last line, and the empty lines behind it. */
const betweenStanzas = /\n(?:\r?\n)+/g;

/** Returns the name that a stanza states last, as `readStanzas` takes it; null for a stanza without one. */
function nameIn(stanza: ByteString): ByteString | null {
  const line = linesOf(stanza).findLast((each) => each.startsWith('P:'));
  return line === undefined ? null : line.slice(2);
}

function* readStanzas(text: ByteString, locator: FileLocator): Generator<Package> {
  for (const { text: stanza } of stanzasIn(text, betweenStanzas)) {
    const fields = new Map<string, ByteString>();
    let directory = noBytes;
    const names: ByteString[] = [];
    for (const line of linesOf(stanza)) {
      const value = line.slice(2);
      switch (line.slice(0, 2)) {
        case 'F:':
          directory = value;
          break;
        case 'R:':
          names.push(ascii`${directory}/${value}`);
          break;
        case 'P:':
        case 'V:':
        case 'A:':
        case 'L:':
        case 'o:':
        case 'm:':
        case 't:':
          fields.set(line.slice(0, 1), value);
          break;
      }
    }
    const name = fields.get('P');
    if (name !== undefined) yield makePackage(name, fields, locator.locateAll(names, isLeftOut));
  }
}

/** Makes a package of the fields of its stanza (APKINDEX format of apk-tools). */
function makePackage(
  name: ByteString,
  fields: ReadonlyMap<string, ByteString>,
  { files, missing }: Located,
): Package {
  const text = (field: string): string | null => {
    const value = fields.get(field);
    return value === undefined || value === '' ? null : utf8Text(value);
  };
  const [licence, origin] = [text('L'), text('o')];
  const built = Number(text('t') ?? 0);
  return {
    kind: 'apk',
    name,
    version: text('V'),
    files,
    ...(built > 0 ? { changes: [built] } : {}),
    details: {
      ...noDetails,
      architecture: text('A'),
      source: origin === null || origin === utf8Text(name) ? null : { name: origin, version: null },
      licences: licence === null ? [] : [licence],
      supplier: text('m'),
      missing,
    },
  };
}
