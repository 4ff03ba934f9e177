import { expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { digestTar } from '../../src/layers/read/digest-tar.ts';
import { scanTar } from '../../src/layers/read/scan-tar.ts';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { readAttributes } from '../../src/tar/attributes.ts';
import { tarCases } from '../support/corpus/all-cases.ts';
import { endCases } from '../support/corpus/end-cases.ts';
import { kindCases } from '../support/corpus/kind-cases.ts';
import { nameCases, whiteoutCases } from '../support/corpus/name-cases.ts';
import { numberCases } from '../support/corpus/number-cases.ts';
import { paxRecordCases, paxSizeCases } from '../support/corpus/pax-cases.ts';
import { longGnuMap, sparseCases } from '../support/corpus/sparse-cases.ts';
import { file, type TarCase, tarOf } from '../support/corpus/tar-case.ts';
import { concat } from '../support/model/byte-string.ts';
import { run } from '../laws/rig.ts';

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

test.each(rows(nameCases))('T1: reads or refuses as Go does: %s', check);
test.each(rows(whiteoutCases))('T3: reads or refuses as Go does: %s', check);
test.each(rows(paxSizeCases))('T4: reads or refuses as Go does: %s', check);
test.each(rows(paxRecordCases))('T5: reads or refuses as Go does: %s', check);
test.each(rows(kindCases))('T6: reads or refuses as Go does: %s', check);
test.each(rows(sparseCases))('T6: reads or refuses as Go does: %s', check);
test.each(rows(numberCases))('T7: reads or refuses as Go does: %s', check);
test.each(rows(endCases))('T11: reads or refuses as Go does: %s', check);

test('verify reads what a scan reads, and refuses what Go does', async () => {
  for (const { name, tar, go, verdict } of tarCases) {
    const code = await digestTar(pieces(tar)).then(
      () => 'read',
      (error: unknown) => (error instanceof OcislimError ? error.code : String(error)),
    );
    // It does not mind global headers, since nothing is written.
    if (verdict === 'read' || go === 'refuses') expect(code, name).toBe(verdict);
  }
});

test('T10: a tar cut off anywhere is refused, but for the places where Go sees an end', async () => {
  const body = 'x'.repeat(600);
  const whole = concat([file('a', body), file('b'), new Uint8Array(1024)]);
  const accepted: number[] = [];
  for (let length = 0; length <= whole.length; length++) {
    const verdict = await verdictOf(whole.subarray(0, length));
    if (typeof verdict !== 'string') accepted.push(length);
    else expect(verdict).toBe('TAR_INVALID');
  }
  const padding = Array.from({ length: 1024 - body.length + 1 }, (_, i) => 512 + body.length + i);
  expect(accepted).toEqual([0, ...padding, 2048, 2560, 3072]);
});

test('T11: data after the end mark is refused in a layer to be rewritten, and stays to the last byte in any other', async () => {
  const hidden = concat([tarOf(file('a', '1'), file('b')), tarOf(file('hidden', 'x'))]);
  const plain = tarOf(file('c'), file('d'));
  const rules = [parseRule('c', '--rule'), parseRule('a', '--rule')];
  const all = { kind: 'all' } as const;
  for (const step of [squash(all), prune(all, { rules })])
    await expect(run([hidden, plain], step)).rejects.toMatchObject({
      code: 'TAR_INVALID',
      message: 'layer 1 holds data after the end mark of its tar, which no program would see',
    });
  const { tars } = await run([hidden, plain], prune({ kind: 'range', from: 2, to: 2 }, { rules }));
  expect(tars[0]).toBe(hidden);
  expect(tars[1]).toEqual(tarOf(file('d')));
});

test('T11: an untidy end becomes a complete one in a rewritten layer', async () => {
  const untidy = concat([file('a'), file('b', 'x').subarray(0, 513)]);
  const { tars } = await run([untidy], prune({ kind: 'all' }, { rules: [parseRule('a', '--rule')] }));
  expect(tars).toEqual([tarOf(file('b', 'x'))]);
});

test('T8: the map of a GNU sparse file may be a mebibyte long with its header, as in Go', async () => {
  expect(await verdictOf(longGnuMap(2047))).toEqual(['file f 0', 'file after 1']);
  expect(await verdictOf(longGnuMap(2048))).toBe('LIMIT');
});
