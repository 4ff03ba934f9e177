/** Bills of materials: one by hand, and any. The tests of their formats render them. */
import * as fc from 'fast-check';
import type { Bill, BilledComponent } from '../../../src/analyze/bill.ts';
import { utf8Bytes } from '../../../src/bytes/bytes.ts';
import { cleanPath, rootPath } from '../../../src/bytes/path.ts';
import { parseDigest } from '../../../src/oci/digest.ts';
import { componentKinds } from '../../../src/rootfs/packages/package.ts';

const digest = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`, 'a test');

/** A component with nothing special. */
export const plainComponent: BilledComponent = {
  kind: 'dpkg',
  name: 'bash',
  version: '5.2',
  purl: 'pkg:deb/debian/bash@5.2',
  architecture: 'amd64',
  source: null,
  licences: [],
  supplier: null,
  layer: 1,
  files: [rootPath`bin/bash`],
  inside: null,
  owner: null,
  bytes: 7,
  missing: 0,
};

export const plainBill: Bill = {
  image: {
    reference: 'registry.example/team/app:1',
    name: 'app',
    repository: 'registry.example/team/app',
    tag: '1',
    digest: digest('a'),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    platform: 'linux/amd64',
    architecture: 'amd64',
    time: 1_700_000_000,
  },
  distribution: { id: 'debian', version: '12', title: 'Debian', cpe: null, homepage: 'https://d.example/' },
  layers: [
    { number: 1, digest: digest('1'), diffId: digest('2'), instruction: 'ADD rootfs.tar /' },
    { number: 2, digest: digest('3'), diffId: digest('4'), instruction: null },
  ],
  components: [plainComponent],
  unread: [],
};

/** Text as images hold it: words, licences, and what terminals, markup and grammars act on. */
const hostile = fc.oneof(
  fc.constantFrom(
    '',
    'MIT',
    'MIT OR Apache-2.0',
    'GPLv2+ and (BSD',
    'A <a@b.example>',
    '(',
    ')',
    'NOASSERTION',
  ),
  fc.constantFrom(
    '\u{1b}[31m',
    '\u{202e}abc',
    '</script>',
    '::error::x',
    '\0',
    'a\nb',
    '=cmd()',
    'caf\u{e9}',
  ),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
);
const maybe = fc.option(hostile);
const path = fc
  .constantFrom('bin/bash', 'a b', '\u{202e}x', '\xff')
  .map((name) => cleanPath(utf8Bytes(name)));

const anyComponent: fc.Arbitrary<BilledComponent> = fc.record({
  kind: fc.constantFrom(...componentKinds),
  name: hostile,
  version: maybe,
  purl: fc.option(fc.constantFrom('pkg:npm/a@1', 'pkg:deb/debian/bash@5.2%2Bb1?arch=amd64')),
  architecture: maybe,
  source: fc.option(fc.record({ name: hostile, version: maybe })),
  licences: fc.uniqueArray(hostile, { maxLength: 3 }),
  supplier: maybe,
  layer: fc.option(fc.constantFrom(1, 2)),
  files: fc.array(path, { maxLength: 3 }),
  inside: maybe,
  owner: maybe,
  bytes: fc.nat(),
  missing: fc.nat(3),
});

/** Any bill. */
export const anyBill: fc.Arbitrary<Bill> = fc.record({
  image: fc
    .record({
      name: fc.constantFrom('app', '', 'A b'),
      time: fc.option(fc.nat()),
      tag: fc.option(fc.constant('1')),
    })
    .map((image) => ({ ...plainBill.image, ...image })),
  distribution: fc.option(
    fc.record({ id: hostile, version: maybe, title: maybe, cpe: maybe, homepage: maybe }),
  ),
  layers: fc
    .tuple(maybe, maybe)
    .map((instructions) =>
      plainBill.layers.map((layer, i) => ({ ...layer, instruction: instructions[i] ?? null })),
    ),
  components: fc.array(anyComponent, { maxLength: 8 }),
  unread: fc.array(fc.record({ path, why: hostile }), { maxLength: 2 }),
});
