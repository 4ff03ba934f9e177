import { indexOf } from '../../changeset/rig.ts';
import { expect, test } from 'vitest';
import type { Gathering } from '../../../src/layers/read/gathering.ts';
import { describeGathering, packFacts, unpackFacts } from '../../../src/layers/read/stored-facts.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { Elf, LayerFacts } from '../../../src/rootfs/facts/facts.ts';
import { MiB } from '../../../src/units.ts';
import { b } from '../../support/bytes.ts';

const elf: Elf = {
  bits: 64,
  endian: 'little',
  machine: 62,
  interpreter: b('/lib64/ld.so'),
  soname: null,
  needed: [b('libc.so.6')],
  rpath: null,
  runpath: b('$ORIGIN'),
  imports: new Set(['dlopen']),
  trouble: null,
};

const facts: LayerFacts = {
  elf: new Map([[3, elf]]),
  scripts: new Map([[4, b('/bin/sh')]]),
  contents: new Map([[5, Uint8Array.of(0, 255, 10)]]),
  mentions: new Map([[3, [b('libz.so.1')]]]),
  modules: new Map([[6, { language: 'python', named: [{ name: b('os'), isAtTop: true }] }]]),
  parts: new Map([
    [3, [{ kind: 'go', name: 'a', version: null, inside: null, licences: [], supplier: null }]],
  ]),
  digests: new Map([[3, digestOf(Uint8Array.of(1))]]),
  twins: new Map([[3, b('\x00\xff')]]),
  prints: Uint8Array.of(1, 2, 255),
  identities: {
    names: Uint8Array.of(3, 0, 255),
    whole: new Map([[1, 'ab']]),
    stamps: new Map([[2, { time: 1, size: 2 }]]),
  },
};

test('stored facts equal the original ones', () => {
  expect(unpackFacts(packFacts(facts) as Uint8Array)).toEqual(facts);
});

test('facts that are too large are not stored', () => {
  const half = new Uint8Array(40 * MiB);
  expect(packFacts({ ...facts, contents: new Map([[1, half]]) })).not.toBeNull();
  const both = new Map([
    [1, half],
    [2, half],
  ]);
  expect(packFacts({ ...facts, contents: both })).toBeNull();
});

test('damaged bytes are not read as facts', () => {
  expect(unpackFacts(Uint8Array.of(1, 2, 3))).toBeNull();
});

test('gatherings that find different facts in a layer have distinct names', async () => {
  const index = await indexOf('a=1234', 'b=12');
  const options = { digests: false, twins: false };
  const names = (gatherings: readonly Gathering[]) =>
    gatherings.map((gathering) => describeGathering(gathering, index));
  const probe = () => 10;
  const different = names([
    { probe: null, digests: true, twins: false },
    { probe, digests: true, twins: false },
    { ...options, probe },
    { ...options, probe: (path) => (path === 'a' ? 10 : 0) },
    { ...options, probe: (path) => (path === 'b' ? 10 : 0) },
    { ...options, probe, prints: true },
    { ...options, probe, prints: true, programs: false },
    { ...options, probe, parts: true },
  ]);
  expect(new Set(different).size).toBe(different.length);
  const same = names([
    { ...options, probe: (path) => (path === 'a' ? 10 : 3) },
    { ...options, probe },
    { ...options, probe: () => 4 },
  ]);
  expect(new Set(same).size).toBe(1);
});
