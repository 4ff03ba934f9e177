import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ElfProbe } from '../../../src/rootfs/facts/elf.ts';
import type { Elf } from '../../../src/rootfs/facts/facts.ts';
import { writeElf } from './elf-bytes.ts';
import { MiB } from '../../../src/units.ts';

function probe(bytes: Uint8Array, { piece = 4096, size = bytes.length } = {}): Elf | null {
  const probe = new ElfProbe(size);
  for (let at = 0; at < bytes.length; at += piece) probe.write(bytes.subarray(at, at + piece));
  return probe.finish();
}

const facts = {
  interpreter: '/lib/ld.so.1',
  soname: 'libown.so.3',
  needed: ['libc.so.6', 'libz.so.1'],
  rpath: '/old:$ORIGIN',
  runpath: '$ORIGIN/../lib',
  versions: ['OWN_1.0', 'OWN_1.2'],
  versionNeeds: [
    { library: 'libc.so.6', versions: ['GLIBC_2.2.5', 'GLIBC_2.38'] },
    { library: 'libz.so.1', versions: ['ZLIB_1.2.9'] },
  ],
};
/** A file with these facts, and what is read of it: functions that it exports, or that are not known, do not count. */
const spec = {
  ...facts,
  imports: ['dlopen', 'malloc', 'getaddrinfo'],
  exports: ['iconv_open', 'own'],
};
const read = { ...facts, imports: new Set(['dlopen', 'getaddrinfo']), trouble: null };

describe('an ELF file', () => {
  test.each([
    [64, 'little', 62],
    [64, 'big', 22],
    [32, 'little', 40],
    [32, 'big', 8],
  ] as const)('of %d bits and %s byte order gives its facts', (bits, endian, machine) => {
    for (const headersLast of [false, true])
      for (const piece of [1, 7, 65536])
        expect(probe(writeElf({ ...spec, bits, endian, machine, headersLast }), { piece })).toEqual({
          ...read,
          bits,
          endian,
          machine,
        });
  });

  test('that is static has no interpreter and needs nothing', () => {
    const elf = probe(writeElf({ bits: 64 }));
    expect(elf).toMatchObject({ interpreter: null, needed: [], trouble: null });
    const object = writeElf(spec);
    object[16] = 1;
    expect(probe(object)).toMatchObject({ interpreter: null, needed: [], trouble: null });
  });

  test('larger than what is kept is read at its beginning, at its end, and where its headers point', () => {
    const large = { ...spec, gap: 70 * MiB };
    for (const headersLast of [false, true])
      expect(probe(writeElf({ ...large, headersLast }), { piece: MiB })).toMatchObject(read);
    const inTheMiddle = Buffer.concat([writeElf(large), Buffer.alloc(20 * MiB)]);
    expect(probe(inTheMiddle, { piece: 3 * MiB + 1 })).toMatchObject(read);
  });
});

describe('a damaged file', () => {
  test('is not ELF, or tells what is wrong', () => {
    expect(probe(new Uint8Array())).toBeNull();
    expect(probe(Buffer.from('\x7fELF', 'latin1'))).toBeNull();
    expect(probe(Buffer.from('#!/bin/sh\necho this is a script\n'))).toBeNull();
    const whole = writeElf(spec);
    expect(probe(whole.slice(0, 40))?.trouble).toBe('the file is cut short');
    expect(probe(whole.slice(0, 100))?.trouble).toBe('its program headers are out of reach');
    expect(probe(whole.slice(0, -1))?.trouble).toBe('its dynamic section is out of reach');
    expect(probe(whole, { size: whole.length + 1 })).toMatchObject({
      ...read,
      trouble: 'the file is cut short',
    });
    const strange = whole.slice();
    strange[54] = 3;
    expect(probe(strange)?.trouble).toBe('its program headers have a strange size');
    const many = whole.slice();
    many.fill(0xff, 56, 58);
    expect(probe(many)?.trouble).toBe('it has too many program headers');
  });

  test('takes linear time, however many entries its dynamic section has', () => {
    const needed = Array.from({ length: 20_000 }, (_, i) => `lib${i}.so`);
    const elf = probe(writeElf({ needed }));
    expect(elf).toMatchObject({ needed: needed.slice(0, 4096), trouble: 'it needs too many libraries' });
    // A megabyte of entries that each say where a table begins.
    const one = writeElf({ bits: 32, needed: Array.from({ length: 130_000 }, () => 'l') });
    const tags = new DataView(one.buffer);
    for (let at = one.length - 130_005 * 8; at < one.length - 5 * 8; at += 8) tags.setUint32(at, 4, true);
    expect(probe(one)?.needed).toEqual([]);
  });

  test('never makes the probe throw or take long', () => {
    const specs = fc.record({
      bits: fc.constantFrom(32 as const, 64 as const),
      endian: fc.constantFrom('little' as const, 'big' as const),
      headersLast: fc.boolean(),
    });
    fc.assert(
      fc.property(
        specs,
        fc.array(fc.tuple(fc.nat(1200), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 5, 29)), { maxLength: 12 }),
        fc.nat(1200),
        fc.integer({ min: 1, max: 300 }),
        (form, flips, cut, piece) => {
          const bytes = writeElf({ ...spec, ...form }).slice(0, Math.max(20, cut));
          for (const [at, value] of flips) if (at >= 4 && at < bytes.length) bytes[at] = value;
          const elf = probe(bytes, { piece });
          const again = probe(bytes, { piece: 1 });
          expect(again).toEqual(elf);
          if (elf !== null)
            for (const name of [elf.interpreter ?? '', elf.soname ?? '', ...elf.needed])
              expect(name.length).toBeLessThanOrEqual(bytes.length);
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('any bytes behind the magic number are read without an error', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom(1, 2),
        fc.constantFrom(1, 2),
        (tail, bits, endian) => {
          const elf = probe(Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, bits, endian, ...tail]));
          expect(elf === null || elf.needed.length < 400).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
