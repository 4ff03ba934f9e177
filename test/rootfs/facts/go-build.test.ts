import { describe, expect, it } from 'vitest';
import { FactCollector } from '../../../src/rootfs/facts/collector.ts';
import { GoBuildProbe, type LoadedFile } from '../../../src/rootfs/facts/go-build.ts';
import { p } from '../../support/bytes.ts';
import { goTable, pointedGoTable } from '../../support/go-table.ts';
import { writeElf } from './elf-bytes.ts';

const nothing: LoadedFile = { loads: [], get: () => null };
const modules = [
  'path\tapp.example/cmd/tool',
  'mod\tapp.example\tv1.2.3\th1:a=',
  'dep\tdep.example/a\tv0.1.0\th1:b=',
  'dep\tdep.example/b\tv0.2.0',
  '=>\tfork.example/b\tv0.3.0\th1:c=',
  'dep\tdep.example/c\tv0.4.0',
  '=>\t./c\t(devel)\t',
  'build\t-buildmode=exe',
  '',
].join('\n');
const said = [
  'app.example v1.2.3',
  'dep.example/a v0.1.0 (dep.example/a)',
  'fork.example/b v0.3.0 (fork.example/b)',
  'dep.example/c null (dep.example/c)',
  'stdlib 1.22.1 (stdlib)',
];

/** Returns the parts of a file in short. */
function read(bytes: Uint8Array, piece: number, file: LoadedFile = nothing): string[] {
  const probe = new GoBuildProbe();
  for (let at = 0; at < bytes.length; at += piece) probe.write(bytes.subarray(at, at + piece));
  return probe
    .finish(file)
    .map(({ name, version, inside }) => `${name} ${version}${inside === null ? '' : ` (${inside})`}`);
}

describe('the table of a program of Go', () => {
  it.each([1, 5, 16, 1000, 1e6])('is found wherever it is, read in pieces of %i bytes', (piece) => {
    const table = goTable('go1.22.1', modules);
    for (const before of [0, 16, 4096 - 16, 70_000 - (70_000 % 16)])
      expect(read(Buffer.concat([Buffer.alloc(before), table, Buffer.alloc(5000)]), piece)).toEqual(said);
  });

  it('may be the second place with its magic: programs that read such tables have that among their texts', () => {
    const magic = goTable('go1.22.1', modules).subarray(0, 14);
    const before = Buffer.concat([magic, Buffer.alloc(5000 - 14 + 8, 'x')]);
    const odd = Buffer.concat([Buffer.alloc(7), magic, Buffer.alloc(11)]);
    for (const piece of [1, 64, 1e6])
      expect(
        read(Buffer.concat([before, odd, Buffer.alloc(8), goTable('go1.22.1', modules)].map(padded)), piece),
      ).toEqual(said);
  });

  it.each([
    ['go1.26.8 X:nodwarf5', ['stdlib 1.26.8 (stdlib)']],
    ['devel go1.23-abcdef', ['stdlib devel go1.23-abcdef (stdlib)']],
    ['gccgo', []],
    ['', []],
  ])('of version %j without modules', (version, parts) => {
    expect(read(goTable(version, ''), 1e6)).toEqual(parts);
  });

  it.each([
    [4, 'little'],
    [4, 'big'],
    [8, 'little'],
    [8, 'big'],
  ] as const)('before Go 1.18 has addresses of %i bytes, %s endian', (width, endian) => {
    const { bytes, loads } = pointedGoTable('go1.17', modules, { width, endian });
    const file = { loads, get: (start: number, length: number) => bytes.subarray(start, start + length) };
    expect(read(bytes, 100, file)).toEqual([...said.slice(0, -1), 'stdlib 1.17 (stdlib)']);
    expect(read(bytes, 100)).toEqual([]);
  });

  it('that is cut short or lies gives nothing', () => {
    const table = goTable('go1.22.1', modules);
    for (const length of [0, 14, 31, 33, 45, table.length - 1])
      expect(read(table.subarray(0, length), 1e6)).toEqual([]);
    const long = Buffer.from(table);
    long.fill(0xff, 32, 42);
    expect(read(long, 1e6)).toEqual([]);
    const { bytes } = pointedGoTable('go1.17', modules, { width: 8, endian: 'little' });
    const everywhere = {
      loads: [{ offset: 0, address: 0, length: 2 ** 60 }],
      get: () => new Uint8Array(16).fill(255),
    };
    expect(read(bytes, 1e6, everywhere)).toEqual([]);
  });

  it('is looked for in ELF files, where parts are asked for', () => {
    const elf = Buffer.from(writeElf());
    const bytes = Buffer.concat([padded(elf), goTable('go1.22.1', modules)]);
    const collect = (parts: boolean, programs = true) => {
      const collector = new FactCollector(() => 0, { parts, programs });
      const sink = collector.open(3, p('app'), bytes.length);
      for (let at = 0; at < bytes.length; at += 100) sink?.write(bytes.subarray(at, at + 100));
      sink?.end();
      return collector.facts();
    };
    expect(collect(true).parts.get(3)).toHaveLength(said.length);
    expect(collect(false).parts.size).toBe(0);
    expect(collect(true).elf).toEqual(collect(false).elf);
    const alone = collect(true, false);
    expect(alone.parts).toEqual(collect(true).parts);
    expect(alone.elf.size).toBe(0);
  });
});

/** Fills a piece up to a multiple of 16 bytes, so that the next one is aligned. */
function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((16 - (bytes.length % 16)) % 16)]);
}
