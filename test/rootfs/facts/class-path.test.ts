import fc from 'fast-check';
import { expect, test } from 'vitest';
import { archiveHead, classPathIn } from '../../../src/rootfs/facts/class-path.ts';
import { FactCollector } from '../../../src/rootfs/facts/collector.ts';
import { p } from '../../support/bytes.ts';
import { jarOf } from '../../support/jar.ts';

const manifest =
  'Manifest-Version: 1.0\r\nClass-Path: a.jar lib/b.jar /usr/share/java/c\r\n .jar file:/x.jar\r\nMain-Class: app.Main\r\n\r\n';
const names = ['./a.jar', './lib/b.jar', '/usr/share/java/c.jar'];

test.each([
  ['packed', jarOf(manifest)],
  ['stored', jarOf(manifest, { packed: false })],
  ['behind its directory', jarOf(manifest, { first: ['META-INF/', 'META-INF/LICENSE'] })],
  ['cut off behind it', jarOf(manifest).subarray(0, 180)],
])('the class path of a manifest that is %s', (_, jar) => {
  expect(classPathIn(jar)).toEqual(names);
});

test.each([
  ['without a class path', jarOf('Manifest-Version: 1.0\r\n')],
  ['that is no archive', Buffer.from('PK')],
  ['without members', Buffer.from('PK\x05\x06'.padEnd(40, '\0'))],
])('an archive %s names nothing', (_, jar) => {
  expect(classPathIn(jar)).toEqual([]);
});

test.each([
  ['256 bytes', 256, 1],
  ['257 bytes', 257, 0],
  ['4 MB', 4e6, 0],
])('a name of %s is taken, unless it is too long', (_, length, count) => {
  expect(classPathIn(jarOf(`Class-Path: ${'a'.repeat(length)}\r\n`))).toHaveLength(count);
});

test('1000 names of a class path are taken', () => {
  expect(classPathIn(jarOf(`Class-Path: ${'a.jar '.repeat(3000)}\r\n`))).toHaveLength(1000);
});

test.each([true, false])('64 KiB of a manifest are read (packed: %s)', (packed) => {
  const behind = (bytes: number) => `${'A: b\r\n'.repeat(bytes / 6)}Class-Path: a.jar\r\n`;
  expect(classPathIn(jarOf(behind(60_000), { packed }))).toEqual(['./a.jar']);
  expect(classPathIn(jarOf(behind(66_000), { packed }))).toEqual([]);
});

test('damaged archives name something or nothing, and never throw', () => {
  const jar = jarOf(manifest, { first: ['META-INF/'] });
  fc.assert(
    fc.property(fc.nat(jar.length - 1), fc.nat(255), fc.nat(jar.length), (at, byte, length) => {
      const damaged = Buffer.from(jar);
      damaged[at] = byte;
      expect(classPathIn(damaged.subarray(0, length)).length).toBeLessThanOrEqual(1000);
    }),
  );
});

test.each([1, 100, 1e6])(
  'the beginning of an archive is read in pieces of %i bytes, and the rest is not',
  (piece) => {
    const jar = Buffer.concat([jarOf(manifest), Buffer.alloc(2 * archiveHead)]);
    const collector = new FactCollector(() => 0);
    const sink = collector.open(0, p('app.jar'), jar.length);
    let at = 0;
    for (let isWanted = true; isWanted && at < jar.length; at += piece)
      isWanted = sink?.write(jar.subarray(at, at + piece)) === true;
    sink?.end();
    expect(at).toBeLessThan(archiveHead + 2 * piece);
    expect(
      collector
        .facts()
        .modules.get(0)
        ?.named.map(({ name }) => name),
    ).toEqual(names);
  },
);
