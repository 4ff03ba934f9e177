/** The target of what single files are made of: archives of Java and the tables of Go. Whatever the bytes are, reading ends. */
import { FactCollector } from '../../src/rootfs/facts/collector.ts';
import type { FilePart } from '../../src/rootfs/facts/file-part.ts';
import { MiB } from '../../src/units.ts';
import { writeElf } from '../../test/rootfs/facts/elf-bytes.ts';
import { p } from '../../test/support/bytes.ts';
import { goTable, pointedGoTable } from '../../test/support/go-table.ts';
import { zipOf } from '../../test/support/zip.ts';
import { choiceOf, holds, neverThrows, same, type Target } from '../target.ts';

function collect(name: string, bytes: Uint8Array, chunk: number): readonly FilePart[] {
  return neverThrows('FactCollector', () => {
    const collector = new FactCollector(() => 0, { parts: true });
    const sink = collector.open(0, p(name), bytes.length);
    for (let at = 0; at < bytes.length && sink?.write(bytes.slice(at, at + chunk)) === true; at += chunk);
    sink?.end();
    return collector.facts().parts.get(0) ?? [];
  });
}

const modules = 'path\ta\nmod\ta\tv1\th1:\ndep\tb\tv2\n=>\tc\tv3\n';
const pom = 'META-INF/maven/g/a/pom.properties';

export const target: Target = {
  name: 'parts',
  invariant:
    'archives of Java and programs of Go are read without a throw, the same in all chunks, with texts of some length',
  seeds: () => [
    zipOf({ 'META-INF/MANIFEST.MF': 'Bundle-License: MIT\r\nImplementation-Version: 1\r\n' }),
    zipOf({ [pom]: 'groupId=g\nartifactId=a\nversion=1\n', 'lib/b.jar': zipOf({ [pom]: 'version=2' }) }),
    zipOf({ 'a.jar': zipOf({ 'b.jar': zipOf({}) }, { packed: false }) }, { packed: false, wide: true }),
    ...[
      goTable('go1.22', modules),
      pointedGoTable('go1.17', modules, { width: 8, endian: 'little' }).bytes,
    ].map((table) =>
      Buffer.concat([writeElf({ gap: 64 }), Buffer.alloc(16 - (writeElf({ gap: 64 }).length % 16)), table]),
    ),
  ],
  dictionary: [
    'PK\x03\x04',
    'PK\x01\x02',
    'PK\x05\x06',
    'PK\x06\x06',
    '\xff Go buildinf:',
    'go1.',
    '\t',
    '\n',
    '.jar',
    pom,
  ],
  mutators: [],
  run: (bytes) => {
    const chunk = 1 + (choiceOf(bytes) % 200);
    for (const name of ['a.jar', 'program']) {
      const whole = collect(name, bytes, MiB);
      same(whole, collect(name, bytes, chunk), 'the chunks change what a file is made of');
      for (const part of whole) holds(part.name.length <= bytes.length * 1100, 'a name out of nothing');
    }
  },
};
