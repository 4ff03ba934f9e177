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
