import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collect } from '../../src/stream/collect.ts';
import { type NewEntry, writeTar } from '../../src/tar/writer.ts';
import { MiB } from '../../src/units.ts';
import { b } from '../support/bytes.ts';
import { readWholeTar } from '../support/model/tar-bytes.ts';
import { runs } from '../support/extent.ts';

const written = (entries: readonly NewEntry[]) => collect(writeTar(entries), MiB, 'the tar');

/** Names on both sides of the 100 bytes that a header block holds, of any bytes. */
const name = fc
  .tuple(fc.constantFrom('a', 'usr/bin/a', 'é'), fc.constantFrom(0, 89, 90, 91, 98, 99, 100, 250))
  .map(([start, length]) => b(`${start}${'x'.repeat(length)}`));
const attributes = {
  name,
  mode: fc.constantFrom(0o644, 0o755, 0o1777, 0o4755, 0),
  uid: fc.constantFrom(0, 65_532, 2_097_151),
  gid: fc.constantFrom(0, 65_532, 2_097_151),
  mtime: fc.constantFrom(0, 1, 1_700_000_000),
};
const entry = fc.oneof(
  fc.record({
    ...attributes,
    kind: fc.constant('file' as const),
    bytes: fc.uint8Array({ maxLength: 1100, size: 'max' }),
  }),
  fc.record({ ...attributes, kind: fc.constant('directory' as const) }),
  fc.record({ ...attributes, kind: fc.constant('symlink' as const), link: name }),
);

test('another reader finds in a new tar what was to be written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 4 }), async (entries) => {
      const { entries: read, complete } = readWholeTar(await written(entries));
      const found = read.map(({ type, name, mode, uid, gid, mtime, linkname, body }) => {
        return { type, name, mode, uid, gid, mtime, linkname, body: Buffer.from(body) };
      });
      const wanted = entries.map((each) => ({
        type: each.kind === 'directory' ? 'dir' : each.kind,
        name: each.kind === 'directory' ? `${each.name}/` : each.name,
        mode: each.mode,
        uid: each.uid,
        gid: each.gid,
        mtime: String(each.mtime),
        linkname: each.kind === 'symlink' ? each.link : '',
        body: Buffer.from(each.kind === 'file' ? each.bytes : []),
      }));
      expect(found).toEqual(wanted);
      expect(complete).toBe(true);
    }),
    { numRuns: runs(100, 400) },
  );
});

test('an owner that eight bytes of octal digits cannot name is refused', async () => {
  const entry = { kind: 'directory', name: b('a'), mode: 0o755, uid: 2_097_152, gid: 0, mtime: 0 } as const;
  await expect(written([entry])).rejects.toThrow(RangeError);
});
