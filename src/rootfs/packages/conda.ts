/**
 * Reads the records that conda and mamba keep of their packages. `package-index.ts` reads it beside the other databases.
 */
import { baseOf, join, parentOf } from '../../bytes/path.ts';
import { utf8Bytes, ascii } from '../../bytes/bytes.ts';
import { readDatabaseFile } from './database-file.ts';
import { FileLocator } from './file-locator.ts';
import { listOf, memberOf, tryParseJson, stringOr } from '../../bytes/json-value.ts';
import {
  noDetails,
  type Package,
  type PackageDatabase,
  type PackageDetails,
  type UnreadDatabase,
} from './package.ts';
import { licencesIn } from './manifest-details.ts';
import { MiB } from '../../units.ts';

/** The most bytes of a record that are read: it may name a hundred thousand files with their digests. */
const largestRecord = 32 * MiB;

const record = /(?:^|\/)conda-meta\/[^/]+\.json$/;

/** Packages of conda and mamba: each has a record in `conda-meta` of its environment, with its files relative to that. */
export const conda: PackageDatabase = {
  kind: 'conda',
  reads: (path) => (record.test(path) ? largestRecord : 0),
  read(fs, facts) {
    const locator = new FileLocator(fs);
    const packages: Package[] = [];
    const unread: UnreadDatabase[] = [];
    for (const path of fs.all()) {
      if (!record.test(path)) continue;
      const bytes = readDatabaseFile(fs, facts, path, unread);
      const json = bytes === null ? null : tryParseJson(bytes);
      const name = memberOf(json, 'name');
      if (typeof name !== 'string') continue;
      const environment = parentOf(parentOf(path));
      const names = listOf(memberOf(json, 'files'))
        .filter((file) => typeof file === 'string')
        .map((file) => join(environment, utf8Bytes(file)));
      // The record belongs to its package: scanners know the package by it.
      const own = join(environment, ascii`conda-meta/${baseOf(path)}`);
      const { files, missing } = locator.locateAll([...names, own]);
      packages.push({
        kind: 'conda',
        name: utf8Bytes(name),
        version: stringOr(memberOf(json, 'version'), null),
        files,
        details: { ...detailsIn(json), missing },
      });
    }
    return { packages, unread };
  },
};

/** Reads what a record says of its origin. Members that are no text are left out. */
function detailsIn(json: unknown): PackageDetails {
  const text = (name: string): string | null => stringOr(memberOf(json, name), null);
  const qualifiers = { build: text('build'), channel: text('channel'), subdir: text('subdir') };
  const file = text('fn') ?? '';
  const type = ['.conda', '.tar.bz2'].find((suffix) => file.endsWith(suffix))?.slice(1) ?? null;
  const told = Object.entries({ ...qualifiers, type }).filter(([, value]) => value !== null);
  return {
    ...noDetails,
    architecture: text('arch'),
    licences: licencesIn(memberOf(json, 'license')),
    qualifiers: Object.fromEntries(told) as Readonly<Record<string, string>>,
  };
}
