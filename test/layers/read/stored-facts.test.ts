import { expect, test } from 'vitest';
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
  digests: new Map([[3, digestOf(Uint8Array.of(1))]]),
  twins: new Map([[3, b('\x00\xff')]]),
  prints: Uint8Array.of(1, 2, 255),
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

test('the options of gathering have distinct names', () => {
  const probe = () => 0;
  const names = [
    describeGathering({ probe: null, digests: true, twins: false }),
    describeGathering({ probe, digests: false, twins: false }),
    describeGathering({ probe, digests: true, twins: false }),
    describeGathering({ probe, digests: false, twins: false, prints: true }),
    describeGathering({ probe, digests: false, twins: false, prints: true, programs: false }),
  ];
  expect(new Set(names).size).toBe(5);
});
