import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FactCollector } from '../../../src/rootfs/facts/collector.ts';
import { partsOfArchive } from '../../../src/rootfs/facts/java-archive.ts';
import { allKept } from '../../../src/rootfs/facts/zip.ts';
import { b, p } from '../../support/bytes.ts';
import { zipOf } from '../../support/zip.ts';

/** Returns the parts of an archive in short: "group:artifact version (inside)". */
const parts = (name: string, bytes: Uint8Array): string[] =>
  partsOfArchive(allKept(bytes), b(name)).map(
    (part) => `${part.name} ${part.version}${part.inside === null ? '' : ` (${part.inside})`}`,
  );

const pom = (group: string, artifact: string, version: string) => ({
  [`META-INF/maven/${group}/${artifact}/pom.properties`]: `#Generated\r\nversion=${version}\r\ngroupId=${group}\r\nartifactId=${artifact}\r\n`,
});
const manifest = (...lines: readonly string[]) => ({
  'META-INF/MANIFEST.MF': [
    'Manifest-Version: 1.0',
    ...lines,
    '',
    'Name: x/',
    'Bundle-License: not mine',
  ].join('\r\n'),
});

describe('an archive of Java', () => {
  it('is the artifact that Maven wrote into it, with licence and vendor', () => {
    const bytes = zipOf({
      ...manifest('Bundle-License: Apache-2.0;link="https', ' ://a.example", MIT', 'Bundle-Vendor: A'),
      ...pom('commons-io', 'commons-io', '2.11.0'),
    });
    expect(partsOfArchive(allKept(bytes), b('renamed.jar'))).toEqual([
      {
        kind: 'java',
        name: 'commons-io:commons-io',
        version: '2.11.0',
        inside: null,
        licences: ['Apache-2.0', 'MIT'],
        supplier: 'A',
      },
    ]);
  });

  it.each([
    ['its file name', 'acme-tools-1.2.3-RELEASE.jar', manifest(), 'acme-tools 1.2.3-RELEASE'],
    ['its manifest', 'acme.jar', manifest('Implementation-Version: 7', 'Specification-Version: 1'), 'acme 7'],
    ['the version of its bundle', 'acme.jar', manifest('Bundle-Version: 3'), 'acme 3'],
    ['nothing', 'acme.jar', manifest(), 'acme null'],
    [
      'the identifier of its vendor',
      'a-1.jar',
      manifest('Implementation-Vendor-Id: org.acme'),
      'org.acme:a 1',
    ],
    [
      'the name of its bundle',
      'a-1.jar',
      manifest('Bundle-SymbolicName: org.acme.a;singleton:=true'),
      'org.acme:a 1',
    ],
    [
      'what is known of its project',
      'spring-core-6.2.jar',
      manifest(),
      'org.springframework:spring-core 6.2',
    ],
    ['what is known of its project', 'asm-tree-9.jar', manifest(), 'org.ow2.asm:asm-tree 9'],
    ['the path of a pom.xml', 'a-1.jar', { 'META-INF/maven/g/a/pom.xml': '<project/>' }, 'g:a 1'],
  ])('without properties of Maven is named by %s', (_, name, contents, said) => {
    expect(parts(name, zipOf(contents))).toEqual([said]);
  });

  it('with several artifacts is that of its name, and the others are in it', () => {
    const both = { ...pom('org.a', 'inner', '1'), ...pom('org.b', 'own', '2') };
    expect(parts('own-2.jar', zipOf(both))).toEqual([
      'org.b:own 2',
      'org.a:inner 1 (META-INF/maven/org.a/inner)',
    ]);
    expect(parts('all-3.jar', zipOf(both))).toEqual([
      'all 3',
      'org.a:inner 1 (META-INF/maven/org.a/inner)',
      'org.b:own 2 (META-INF/maven/org.b/own)',
    ]);
  });

  it.each([true, false])('has archives in it, and they have others (deflated: %s)', (packed) => {
    const library = zipOf(pom('org.a', 'library', '1'));
    const deep = zipOf({ 'WEB-INF/lib/library-1.jar': library, ...pom('org.a', 'web', '2') });
    const bytes = zipOf(
      { ...pom('org.a', 'app', '3'), 'BOOT-INF/lib/library-1.jar': library, 'web.war': deep, 'bad.jar': 'x' },
      { packed, before: Buffer.from('#!/bin/sh\nexec java -jar "$0"\n') },
    );
    expect(parts('app.jar', bytes)).toEqual([
      'org.a:app 3',
      'org.a:library 1 (BOOT-INF/lib/library-1.jar)',
      'org.a:web 2 (web.war)',
      'org.a:library 1 (web.war!/WEB-INF/lib/library-1.jar)',
    ]);
  });

  it('is looked into only so deep, and only so far', () => {
    let bytes = zipOf(pom('g', 'a', '1'));
    for (let i = 0; i < 10; i++) bytes = zipOf({ 'a.jar': bytes });
    expect(parts('a.jar', bytes)).toHaveLength(4);
    // Each of these unpacks to 60 MiB, all to 600.
    const zeros = zipOf({ 'x.class': new Uint8Array(60 * 2 ** 20) }, { packed: false });
    const bomb = zipOf(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i}.jar`, zeros])));
    expect(bomb.length).toBeLessThan(2 ** 20);
    expect(parts('bomb-1.jar', bomb)).toEqual(['bomb 1', ...[0, 1, 2, 3].map((i) => `${i} null (${i}.jar)`)]);
  });

  it('law: damaged archives end, and name something or nothing', () => {
    const sound = zipOf({ ...pom('g', 'a', '1'), 'b.jar': zipOf(pom('g', 'b', '2')) });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 6 }), (edits) => {
        const bytes = Buffer.from(sound);
        for (const [at, value] of edits) bytes[at] = value;
        expect(parts('a.jar', bytes).length).toBeLessThan(10);
      }),
    );
  });
});

describe('the collector', () => {
  const bytes = zipOf({ ...manifest('Class-Path: lib/b.jar'), ...pom('g', 'a', '1') });
  const collect = (takesParts: boolean, piece: number, programs = true) => {
    const collector = new FactCollector(() => 0, { parts: takesParts, programs });
    const sink = collector.open(0, p('opt/a.jar'), bytes.length);
    for (let at = 0; at < bytes.length; at += piece)
      if (sink?.write(bytes.subarray(at, at + piece)) !== true) break;
    sink?.end();
    return collector.facts();
  };

  it.each([1, 7, 1e6])('finds parts and the class path, read in pieces of %i bytes', (piece) => {
    const { parts: found, modules } = collect(true, piece);
    expect(found.get(0)?.map(({ name }) => name)).toEqual(['g:a']);
    expect(modules).toEqual(collect(false, piece).modules);
    expect(modules.size).toBe(1);
    const alone = collect(true, piece, false);
    expect(alone.parts).toEqual(found);
    expect(alone.modules.size).toBe(0);
  });

  it('looks for parts only where it is asked to', () => {
    expect(collect(false, 100).parts.size).toBe(0);
  });
});
