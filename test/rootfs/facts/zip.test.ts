import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allKept, readMember, readZip } from '../../../src/rootfs/facts/zip.ts';
import { zipOf } from '../../support/zip.ts';

/** Reads all members of an archive back. */
function contentsOf(bytes: Uint8Array, most = 1e6): Record<string, string | null> | null {
  const file = allKept(bytes);
  const members = readZip(file);
  if (members === null) return null;
  return Object.fromEntries(
    members.map((member) => {
      const found = readMember(file, member, most);
      return [member.name, found === null ? null : Buffer.from(found).toString('latin1')];
    }),
  );
}

const name = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '-'), minLength: 1, maxLength: 8 });
const contents = fc.dictionary(
  name,
  fc.string({ unit: fc.constantFrom('a', '\0', 'PK\x05\x06'), maxLength: 50 }),
  {
    noNullPrototype: true,
  },
);
const form = fc.record({
  packed: fc.boolean(),
  before: fc.uint8Array({ maxLength: 40 }),
  comment: fc.constantFrom('', 'words', 'PK\x05\x06'.padEnd(40, 'x')),
  wide: fc.boolean(),
});

describe('ZIP files', () => {
  it('law: give back what was written, whatever stands before and behind it', () => {
    fc.assert(
      fc.property(contents, form, (written, how) => {
        fc.pre(Object.keys(written).length > 0);
        expect(contentsOf(zipOf(written, how))).toEqual(written);
      }),
    );
  });

  it('law: are read to an end when they are damaged, and give no more than is asked for', () => {
    const sound = zipOf({ 'a/b.txt': 'x'.repeat(300), c: 'y'.repeat(50) });
    const edit = fc.tuple(fc.nat(sound.length - 1), fc.constantFrom(0, 1, 8, 0x50, 0x7f, 0xff));
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 8 }), fc.nat(sound.length), (edits, length) => {
        const bytes = Buffer.from(sound);
        for (const [at, value] of edits) bytes[at] = value;
        for (const each of [bytes, bytes.subarray(0, length)])
          for (const text of Object.values(contentsOf(each, 100) ?? {}))
            expect(text?.length ?? 0).toBeLessThanOrEqual(100);
      }),
    );
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['something else', Buffer.from('x'.repeat(100))],
    ['an end record alone', zipOf({})],
  ])('are not read out of %s', (_, bytes) => {
    expect(contentsOf(bytes)).toBeNull();
  });

  it('that lost their middle give what was kept', () => {
    const bytes = zipOf({ a: 'first', b: 'second', c: 'x'.repeat(70_000) }, { packed: false });
    const whole = allKept(bytes);
    const lost = bytes.indexOf('second');
    const file = {
      size: bytes.length,
      get: (start: number, length: number) =>
        start <= lost && start + length > lost ? null : whole.get(start, length),
    };
    const members = readZip(file) ?? [];
    expect(members.map((member) => readMember(file, member, 100)?.length)).toEqual([5, undefined, undefined]);
  });
});
