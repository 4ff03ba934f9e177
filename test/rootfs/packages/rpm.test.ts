import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Package } from '../../../src/rootfs/packages/package.ts';
import { rpm } from '../../../src/rootfs/packages/rpm.ts';
import { readNdb } from '../../../src/rootfs/packages/ndb.ts';
import { SqliteFile } from '../../../src/rootfs/packages/sqlite.ts';
import { type Files, imageOf } from './rig.ts';

/** Made by rpm itself: see fixtures/rpm/build.sh. */
const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../../fixtures/rpm/${name}`, import.meta.url));
const sqlite = gunzipSync(fixture('rpmdb.sqlite.gz'));
const berkeley = gunzipSync(fixture('Packages.gz'));
const mainframe = gunzipSync(fixture('Packages-big-endian.gz'));

/** What `rpm -qa` says: name, version, architecture, state of the file, file. One of them is a directory. */
const said = fixture('files.tsv')
  .toString('latin1')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t') as [string, string, string, string, string])
  .filter(([, , , , file]) => file !== '/usr/share/parcel');
const everything: Files = Object.fromEntries(said.map(([, , , , file]) => [file.slice(1), 'x']));

/** The same as lines "name version file", of those files that rpm says are in their place. */
const expected = said
  .filter(([, , , state]) => state === '0')
  .map(([name, version, arch, , file]) => {
    const twice = name === 'parcel-piece1';
    return `${twice ? `${name}.${arch}` : name} ${version} ${file.slice(1)}`;
  })
  .sort();

const lines = (packages: readonly Package[]): string[] =>
  packages.flatMap(({ name, version, files }) => files.map((file) => `${name} ${version} ${file}`)).sort();

/** The format as rpm writes it (lib/backend/ndb/rpmpkg.c): head, slots, blobs with heads and tails. */
function writeNdb(blobs: readonly Uint8Array[]): Buffer {
  const slots = Buffer.alloc(4096);
  slots.write('RpmP');
  slots.writeUInt32LE(1, 12);
  const parts: Buffer[] = [slots];
  let block = 4096 / 16;
  for (const [i, blob] of blobs.entries()) {
    const size = Math.ceil((16 + blob.length + 12) / 16);
    const slot = 32 + 16 * i;
    slots.write('Slot', slot);
    slots.writeUInt32LE(i + 1, slot + 4);
    slots.writeUInt32LE(block, slot + 8);
    slots.writeUInt32LE(size, slot + 12);
    const part = Buffer.alloc(size * 16);
    part.write('BlbS');
    part.writeUInt32LE(i + 1, 4);
    part.writeUInt32LE(blob.length, 12);
    part.set(blob, 16);
    part.writeUInt32LE(blob.length, part.length - 8);
    part.write('BlbE', part.length - 4);
    parts.push(part);
    block += size;
  }
  for (let slot = 32 + 16 * blobs.length; slot < 4096; slot += 16) slots.write('Slot', slot);
  return Buffer.concat(parts);
}

let ndb: Buffer;
beforeAll(() => {
  ndb = writeNdb([...new SqliteFile(sqlite).rows('Packages')].map(([, blob]) => blob as Uint8Array));
});

describe('the database of rpm', () => {
  it.each([
    ['rpmdb.sqlite', () => sqlite],
    ['Packages.db', () => ndb],
    ['Packages', () => berkeley],
    ['Packages', () => mainframe],
  ])('in %s gives what rpm prints', async (name, bytes) => {
    for (const directory of ['var/lib/rpm', 'usr/lib/sysimage/rpm']) {
      const { fs, facts } = await imageOf({ ...everything, [`${directory}/${name}`]: bytes() });
      const { packages, unread } = rpm.read(fs, facts);
      expect(unread).toEqual([]);
      expect(lines(packages)).toEqual(expected);
    }
  });

  it('names the architecture of packages that are installed for two', async () => {
    const { fs, facts } = await imageOf({ ...everything, 'var/lib/rpm/rpmdb.sqlite': sqlite });
    const names = rpm.read(fs, facts).packages.map(({ name }) => name);
    expect(names).toHaveLength(64);
    expect(names.filter((name) => /piece1(?:\.|$)/.test(name)).sort()).toEqual([
      'parcel-piece1.i686',
      'parcel-piece1.x86_64',
    ]);
  });

  it('is named as unread if it is damaged, and gives the packages before the damage', async () => {
    const damaged = Buffer.from(sqlite);
    // The last page of the file that belongs to the table loses its kind.
    const whole = await imageOf({ ...everything, 'var/lib/rpm/rpmdb.sqlite': sqlite });
    const all = rpm.read(whole.fs, whole.facts).packages.length;
    let pages = 0;
    for (let page = sqlite.length - 4096; page > 0 && pages < 30; page -= 4096)
      if (damaged[page] === 13) {
        damaged[page] = 99;
        pages++;
      }
    const { fs, facts } = await imageOf({ ...everything, 'var/lib/rpm/rpmdb.sqlite': damaged });
    const { packages, unread } = rpm.read(fs, facts);
    expect(unread).toEqual([{ path: 'var/lib/rpm/rpmdb.sqlite', why: 'a page does not belong to a table' }]);
    expect(packages.length).toBeLessThan(all);
  });

  it('is named as unread if it has a log that was never written back', async () => {
    const { fs, facts } = await imageOf({
      'var/lib/rpm/rpmdb.sqlite': sqlite,
      'var/lib/rpm/rpmdb.sqlite-wal': 'changes',
    });
    expect(rpm.read(fs, facts).unread).toEqual([
      { path: 'var/lib/rpm/rpmdb.sqlite-wal', why: 'it holds changes that are not in the database yet' },
    ]);
  });

  it.each(['rpmdb.sqlite', 'Packages.db', 'Packages'])(
    'is named as unread if it has another format: %s',
    async (name) => {
      const { fs, facts } = await imageOf({ [`var/lib/rpm/${name}`]: 'x'.repeat(5000) });
      const { packages, unread } = rpm.read(fs, facts);
      expect(packages).toEqual([]);
      expect(unread).toHaveLength(1);
    },
  );

  it('in ndb is refused if two slots name one package', () => {
    const [first] = readNdb(ndb);
    const doubled = writeNdb([first as Uint8Array]);
    for (let slot = 48; slot < 4096; slot += 16) doubled.copyWithin(slot, 32, 48);
    expect(() => [...readNdb(doubled)]).toThrow('its packages overlap');
  });
});
