import { rootPath } from '../../bytes/path.ts';
import { type ByteString, readByteString, ascii, noBytes } from '../../bytes/bytes.ts';
import { largestDatabase, readDatabaseFile } from './database-file.ts';
import { FileLocator } from './file-locator.ts';
import type { Package, PackageDatabase, UnreadDatabase } from './package.ts';

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
      const bytes = readDatabaseFile(fs, facts, path, unread);
      if (bytes === null) continue;
      for (const each of readStanzas(readByteString(bytes), locator)) packages.push(each);
    }
    return { packages, unread };
  },
};

function* readStanzas(text: ByteString, locator: FileLocator): Generator<Package> {
  for (const stanza of text.split(/\n\n+/)) {
    let name: ByteString | null = null;
    let version: ByteString | null = null;
    let directory = noBytes;
    const names: ByteString[] = [];
    for (const line of stanza.split('\n')) {
      const value = line.slice(2);
      switch (line.slice(0, 2)) {
        case 'P:':
          name = value;
          break;
        case 'V:':
          version = value;
          break;
        case 'F:':
          directory = value;
          break;
        case 'R:':
          names.push(ascii`${directory}/${value}`);
          break;
      }
    }
    if (name !== null) yield { kind: 'apk', name, version, files: locator.locateAll(names) };
  }
}
