/**
 * Makes random entries of new tars: every kind, with names, numbers and attributes on both sides of what a plain header holds. The tests of
 * the writer take them, and those in which Go reads what it has written.
 */
import fc from 'fast-check';
import type { NewEntry } from '../../../src/tar/writer.ts';
import { b } from '../bytes.ts';

/** Names on both sides of the 100 bytes that a header block holds, of any bytes. */
const entryName = fc
  .tuple(
    fc.constantFrom('a', 'usr/bin/a', 'é', '\xff'),
    fc.constantFrom(0, 89, 90, 91, 98, 99, 100, 250),
    fc.nat({ max: 3 }),
  )
  .map(([start, length, end]) => b(`${start}${'x'.repeat(length)}${end}`));

const time = fc.oneof(
  fc.constantFrom(0, 1, 1_700_000_000, -1, 8 ** 11 - 1, 8 ** 11),
  fc.record({
    seconds: fc.constantFrom(0, 5, -2, 1_700_000_000),
    nanoseconds: fc.constantFrom(0, 1, 500_000_000, 999_999_999),
  }),
);

const owner = fc.constantFrom(0, 65_532, 2_097_151, 2_097_152, 4_294_967_294);

const xattrs = fc.uniqueArray(
  fc.tuple(
    fc.constantFrom('user.a', 'user.b.c', 'security.capability', 'user.\xe9').map(b),
    fc.uint8Array({ minLength: 1, maxLength: 30 }).map((bytes) => b(Buffer.from(bytes).toString('latin1'))),
  ),
  { maxLength: 3, selector: ([name]) => name },
);

const attributes = {
  name: entryName,
  mode: fc.constantFrom(0o644, 0o755, 0o1777, 0o4755, 0),
  uid: owner,
  gid: owner,
  mtime: time,
  xattrs,
};

const file = fc.record({
  ...attributes,
  kind: fc.constant('file' as const),
  bytes: fc.uint8Array({ maxLength: 1100, size: 'max' }),
});

/** Files with holes: runs of zeros, which `pieces` leaves out. */
const sparse = fc
  .tuple(
    fc.record(attributes),
    fc.array(fc.tuple(fc.constantFrom(0, 1, 600), fc.constantFrom(1, 512, 700)), { maxLength: 4 }),
    fc.constantFrom(0, 300),
  )
  .map(([all, runs, end]): NewEntry => {
    const pieces: { offset: number; length: number }[] = [];
    let at = 0;
    for (const [hole, length] of runs) {
      pieces.push({ offset: at + hole, length });
      at += hole + length;
    }
    const bytes = new Uint8Array(at + end);
    for (const { offset, length } of pieces) bytes.fill(7, offset, offset + length);
    if (end > 0) pieces.push({ offset: bytes.length, length: 0 });
    return { ...all, kind: 'file', bytes, pieces };
  });

/** Returns random entries of new tars, each of any kind. */
export const newEntry: fc.Arbitrary<NewEntry> = fc.oneof(
  file,
  sparse,
  fc.record({ ...attributes, kind: fc.constantFrom('directory' as const, 'fifo' as const) }),
  fc.record({
    ...attributes,
    kind: fc.constantFrom('symlink' as const, 'hardlink' as const),
    link: entryName,
  }),
  fc.record({
    ...attributes,
    kind: fc.constantFrom('char' as const, 'block' as const),
    major: fc.constantFrom(0, 1, 4095),
    minor: fc.constantFrom(0, 3, 1_048_575),
  }),
);
