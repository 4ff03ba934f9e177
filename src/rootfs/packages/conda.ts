import { baseOf, join, parentOf } from '../../bytes/path.ts';
import { utf8Bytes, ascii } from '../../bytes/bytes.ts';
import { readDatabaseFile } from './database-file.ts';
import { FileLocator } from './file-locator.ts';
import { listOf, memberOf, tryParseJson, stringOr } from '../../bytes/json-value.ts';
import type { Package, PackageDatabase, UnreadDatabase } from './package.ts';
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
      packages.push({
        kind: 'conda',
        name: utf8Bytes(name),
        version: stringOr(memberOf(json, 'version'), null),
        // The record belongs to its package: scanners know the package by it.
        files: locator.locateAll([...names, join(environment, ascii`conda-meta/${baseOf(path)}`)]),
      });
    }
    return { packages, unread };
  },
};
