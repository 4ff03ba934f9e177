/**
 * The target of ELF files: the probe, the cache of the loader and the rules that follow them. Whatever the bytes
 * are, they end and do not throw.
 */
import { readFileSync } from 'node:fs';
import { FactCollector } from '../../src/rootfs/facts/collector.ts';
import { ElfProbe } from '../../src/rootfs/facts/elf.ts';
import type { Elf } from '../../src/rootfs/facts/facts.ts';
import { parseLdCache } from '../../src/rootfs/facts/ld-cache.ts';
import { parseShebang } from '../../src/rootfs/facts/shebang.ts';
import { readInterpreter } from '../../src/closure/rules/script.ts';
import { writeElf } from '../../test/rootfs/facts/elf-bytes.ts';
import { writeLdCache } from '../../test/rootfs/facts/ld-cache-bytes.ts';
import type { Mutator } from '../mutate.ts';
import { choiceOf, holds, neverThrows, same, type Target } from '../target.ts';
import { MiB } from '../../src/units.ts';
import { b, p } from '../../test/support/bytes.ts';

function probe(bytes: Uint8Array, chunk: number): unknown {
  return neverThrows('ElfProbe', () => {
    const reader = new ElfProbe(bytes.length);
    for (let at = 0; at < bytes.length; at += chunk) reader.write(bytes.slice(at, at + chunk));
    return plain(reader.finish());
  });
}

function plain(elf: Elf | null): unknown {
  return elf === null ? null : { ...elf, imports: [...elf.imports] };
}

function collect(bytes: Uint8Array, chunk: number): unknown {
  return neverThrows('FactCollector', () => {
    const collector = new FactCollector(() => 0);
    const sink = collector.open(0, p('file'), bytes.length);
    for (let at = 0; at < bytes.length && sink?.write(bytes.slice(at, at + chunk)) === true; at += chunk);
    sink?.end();
    const { elf, scripts } = collector.facts();
    return [plain(elf.get(0) ?? null), scripts.get(0) ?? null];
  });
}

/** Sets a word: offsets, lengths and counts in headers stand at multiples of four. */
const setWord: Mutator = (bytes, random) => {
  if (bytes.length < 8) return bytes;
  const out = bytes.slice();
  const view = new DataView(out.buffer, out.byteOffset, out.length);
  const at = 4 * random.below(Math.min(out.length, random.once(2) ? 256 : out.length) / 4);
  if (at + 4 > out.length) return out;
  const near = view.getUint32(at, true) + random.below(17) - 8;
  view.setUint32(
    at,
    random.pick([0, 1, 2, 3, 6, 0x40, 0xffff, 0x7fffffff, 0xffffffff, out.length, out.length - 1, near]) >>>
      0,
    !random.once(4),
  );
  return out;
};

export const target: Target = {
  name: 'elf',
  invariant:
    'headers of programs, scripts and the cache of ld.so are read without a throw, the same in all chunks, and names are short',
  seeds: () => {
    const names = {
      needed: ['libc.so.6', 'libm.so.6'],
      soname: 'libx.so',
      runpath: '$ORIGIN/../lib',
      imports: ['dlopen', 'getaddrinfo'],
      exports: ['main'],
    };
    return [
      writeElf({ ...names, interpreter: b('/lib64/ld-linux-x86-64.so.2') }),
      writeElf({ ...names, bits: 32, machine: 3, rpath: b('/opt') }),
      writeElf({ ...names, endian: 'big', machine: 21 }),
      writeElf({ ...names, headersLast: true, gap: 500 }),
      writeElf(),
      new Uint8Array(readFileSync('/proc/self/exe').subarray(0, 4096)),
      ...[{}, { compat: true }, { endian: 'big' as const }, { unmarked: true }].map((form) =>
        writeLdCache(
          [
            { name: 'libc.so.6', path: '/lib/libc.so.6' },
            { name: 'libm.so.6', path: '/lib/libm.so.6', hwcap: 1n },
          ],
          form,
        ),
      ),
      ...['#!/bin/sh -e\n', '#! /usr/bin/env -S python3 -u\n', `#!/usr/bin/env ${'x'.repeat(300)}`].map(
        (text) => Buffer.from(text),
      ),
    ];
  },
  dictionary: [
    '\x7fELF',
    '#!',
    '/usr/bin/env ',
    '-S',
    'glibc-ld.so.cache1.1',
    'ld.so-1.7.0\0',
    '\0',
    '\xff\xff\xff\xff',
    '$ORIGIN',
  ],
  mutators: [setWord],
  run: (bytes) => {
    const chunk = 1 + (choiceOf(bytes) % 200);
    const whole = probe(bytes, MiB);
    same(whole, probe(bytes, chunk), 'the chunks change what an ELF file says');
    same(collect(bytes, MiB), collect(bytes, chunk), 'the chunks change the facts');
    const elf = whole as Elf | null;
    for (const name of [elf?.interpreter, elf?.soname, ...(elf?.needed ?? [])])
      holds(
        name === null || name === undefined || (name.length <= 4096 && !name.includes('\0')),
        'a name that is none',
      );
    const rows = neverThrows('parseLdCache', () => parseLdCache(bytes));
    for (const { name, path } of rows ?? []) holds(name !== '' && path !== '', 'a library without a name');
    const line = neverThrows('parseShebang', () => parseShebang(bytes));
    if (line !== null) readInterpreter(line);
  },
};
