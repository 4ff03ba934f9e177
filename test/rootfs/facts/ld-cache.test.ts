import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLdCache } from '../../../src/rootfs/facts/ld-cache.ts';
import { writeLdCache } from './ld-cache-bytes.ts';

const rows = [
  { name: 'libz.so.1', path: '/lib/x/glibc-hwcaps/x86-64-v3/libz.so.1', hwcap: 0x4000_0000_0000_0001n },
  { name: 'libz.so.1', path: '/lib/x/libz.so.1' },
  { name: 'libc.so.6', path: '/lib/x/libc.so.6' },
];
const parsed = [
  { name: 'libz.so.1', path: '/lib/x/glibc-hwcaps/x86-64-v3/libz.so.1', special: true },
  { name: 'libz.so.1', path: '/lib/x/libz.so.1', special: false },
  { name: 'libc.so.6', path: '/lib/x/libc.so.6', special: false },
];

describe('parseLdCache', () => {
  test.each([
    ['of today', {}],
    ['of another byte order', { endian: 'big' }],
    ['behind the older format', { compat: true }],
    ['from before the byte order was written', { unmarked: true }],
    [
      'from before that, big endian and behind the older one',
      { unmarked: true, endian: 'big', compat: true },
    ],
  ] as const)('reads a cache %s', (_, form) => {
    expect(parseLdCache(writeLdCache(rows, form))).toEqual(parsed);
  });

  test('gives null for a file of another format', () => {
    expect(parseLdCache(new Uint8Array())).toBeNull();
    expect(parseLdCache(Buffer.from('glibc-ld.so.cache1.0'.padEnd(100, '\0')))).toBeNull();
    expect(parseLdCache(Buffer.from('ld.so-1.7.0\0'))).toBeNull();
  });

  test('gives the rows of a damaged cache that it can read', () => {
    fc.assert(
      fc.property(
        fc.record({
          form: fc.record({
            endian: fc.constantFrom('little' as const, 'big' as const),
            compat: fc.boolean(),
          }),
          cut: fc.nat(400),
          flips: fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 8 }),
        }),
        ({ form, cut, flips }) => {
          const bytes = writeLdCache(rows, form).slice(0, cut);
          for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
          for (const { name, path } of parseLdCache(bytes) ?? []) {
            expect(name.length).toBeGreaterThan(0);
            expect(path.length).toBeLessThanOrEqual(bytes.length);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
