import { expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { scanTar } from '../../src/execute/scan-tar.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { readAttributes } from '../../src/tar/attributes.ts';
import { endCases } from '../support/corpus/end-cases.ts';
import { kindCases } from '../support/corpus/kind-cases.ts';
import { nameCases, whiteoutCases } from '../support/corpus/name-cases.ts';
import { numberCases } from '../support/corpus/number-cases.ts';
import { paxRecordCases, paxSizeCases } from '../support/corpus/pax-cases.ts';
import { longGnuMap, sparseCases } from '../support/corpus/sparse-cases.ts';
import type { TarCase } from '../support/corpus/tar-case.ts';

// Whether Go reads these alike, test/e2e/tar-corpus.test.ts asks Go.

async function* pieces(tar: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < tar.length; at += 1000) yield tar.subarray(at, at + 1000);
}

/** The code of the error that a scan ends in, or what each entry is. */
async function verdictOf(tar: Uint8Array): Promise<string | string[]> {
  try {
    await scanTar(pieces(tar));
  } catch (error) {
    if (error instanceof OcislimError) return error.code;
    throw error;
  }
  // Nothing that a scan has let pass is refused later.
  const entries: string[] = [];
  const reader = new TarReader(pieces(tar));
  for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
    const { kind, name, link, size } = entry;
    readAttributes(entry);
    entries.push(`${kind} ${name} ${size}${link === '' ? '' : ` -> ${link}`}`);
  }
  return entries;
}

const rows = (cases: readonly TarCase[]) => cases.map((one) => [one.name, one] as const);

async function check(_: string, one: TarCase): Promise<void> {
  expect(await verdictOf(one.tar)).toEqual(one.verdict === 'read' ? one.entries : one.verdict);
}

test.each(rows(nameCases))('T1: %s', check);
test.each(rows(whiteoutCases))('T3: %s', check);
test.each(rows(paxSizeCases))('T4: %s', check);
test.each(rows(paxRecordCases))('T5: %s', check);
test.each(rows(kindCases))('T6: %s', check);
test.each(rows(sparseCases))('T6: %s', check);
test.each(rows(numberCases))('T7: %s', check);
test.each(rows(endCases))('T11: %s', check);

test('T8: the map of a GNU sparse file may be a mebibyte long with its header, as in Go', async () => {
  expect(await verdictOf(longGnuMap(2047))).toEqual(['file f 0', 'file after 1']);
  expect(await verdictOf(longGnuMap(2048))).toBe('LIMIT');
});
