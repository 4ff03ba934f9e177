import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collect } from '../../src/stream/collect.ts';
import { type NewEntry, writeTar } from '../../src/tar/writer.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { readAttributes } from '../../src/tar/attributes.ts';
import { MiB } from '../../src/units.ts';
import { newEntry } from '../support/arbitrary/new-entries.ts';
import { b } from '../support/bytes.ts';
import { describeNew } from '../support/corpus/new-entry.ts';
import { readWholeTar } from '../support/model/tar-bytes.ts';
import { runs } from '../support/extent.ts';

const written = (entries: readonly NewEntry[]) => collect(writeTar(entries), MiB, 'the tar');

/** Returns attributes by their names. */
const byName = (xattrs: Iterable<readonly [string, string]>) =>
  Object.fromEntries([...xattrs].map(([name, value]) => [name, value]));

/** Returns an entry without its holes. */
function plain(entry: NewEntry): NewEntry {
  if (entry.kind !== 'file') return entry;
  const { pieces: _, ...rest } = entry;
  return rest;
}

test('another reader finds in a new tar what was to be written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(newEntry, { maxLength: 4 }), async (entries) => {
      const { entries: read, complete } = readWholeTar(await written(entries));
      const plainly = readWholeTar(await written(entries.map(plain))).entries;
      const found = read.map(({ type, name, mode, uid, gid, linkname, devmajor, devminor, xattrs }) => {
        const device = type === 'char' || type === 'block' ? [devmajor, devminor] : null;
        return { type, name, mode, uid, gid, linkname, device, xattrs: byName(xattrs) };
      });
      const types = { directory: 'dir', hardlink: 'link' } as const;
      const wanted = entries.map((each) => ({
        type: each.kind === 'directory' || each.kind === 'hardlink' ? types[each.kind] : each.kind,
        name: each.kind === 'directory' ? `${each.name}/` : each.name,
        mode: each.mode,
        uid: each.uid,
        gid: each.gid,
        linkname: 'link' in each ? each.link : '',
        device: 'major' in each ? [each.major, each.minor] : null,
        xattrs: byName(each.xattrs ?? []),
      }));
      expect(found).toEqual(wanted);
      expect(read.map(({ content, size }) => [content, size])).toEqual(
        plainly.map(({ content, size }) => [content, size]),
      );
      expect(complete).toBe(true);
    }),
    { numRuns: runs(100, 400) },
  );
});

test('the reader of layers finds names, times, owners and attributes as they were', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(newEntry, { maxLength: 4 }), async (entries) => {
      const reader = new TarReader(writeTar(entries));
      for (const entry of entries) {
        const read = await reader.next();
        if (read === null) throw new Error('an entry is missing');
        const wanted = describeNew(entry);
        const { uid, gid, mtime, records, device } = readAttributes(read);
        const text = [...records].map(([key, value]) => `${key}=${value}\n`).sort();
        expect({
          kind: read.kind,
          name: read.name,
          link: read.link,
          owner: `${uid}:${gid}`,
          device,
          records: text.join(''),
          mtime,
        }).toEqual({
          kind: wanted.kind,
          name: wanted.name,
          link: wanted.link,
          owner: wanted.owner,
          device: wanted.device,
          records: wanted.records,
          mtime: wanted.decimal,
        });
      }
      expect(await reader.next()).toBeNull();
    }),
    { numRuns: runs(100, 400) },
  );
});

test('the same entries give the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(newEntry, { maxLength: 3 }), async (entries) => {
      const reversed = entries.map((each) => ({ ...each, xattrs: (each.xattrs ?? []).toReversed() }));
      expect(Buffer.from(await written(reversed))).toEqual(Buffer.from(await written(entries)));
    }),
    { numRuns: runs(50, 200) },
  );
});

test('an attribute that a tar cannot name is refused', async () => {
  const entry = { kind: 'fifo', name: b('a'), mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;
  await expect(written([{ ...entry, xattrs: [[b('user.a=b'), b('')]] }])).rejects.toThrow(RangeError);
});
