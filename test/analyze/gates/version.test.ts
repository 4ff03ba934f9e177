import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderVersions } from '../../../src/analyze/gates/version.ts';

const digits = fc.integer({ min: 0, max: 30 }).map((number) => (number > 20 ? `0${number}` : `${number}`));
const sign = fc.constantFrom('.', '~', '+', '-', 'a', 'b', 'rc', 'Z');
const version = fc
  .tuple(fc.constantFrom('', '1:', '0:'), digits, fc.array(fc.tuple(sign, digits), { maxLength: 4 }))
  .map(([epoch, first, rest]) => epoch + first + rest.flat().join(''));

test('versions of Debian are compared as dpkg does', () => {
  const pairs = fc.sample(fc.tuple(version, version), {
    numRuns: 150,
    seed: Number(process.env['OCISLIM_SEED'] ?? 7),
  });
  const script = pairs
    .map(
      ([a, b]) =>
        `if dpkg --compare-versions '${a}' lt '${b}'; then echo -1; elif dpkg --compare-versions '${a}' gt '${b}'; then echo 1; else echo 0; fi`,
    )
    .join('\n');
  const told = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trim().split('\n').map(Number);
  expect(pairs.map(([a, b]) => Math.sign(orderVersions('dpkg', a, b)))).toEqual(told);
});

test('the comparison is an order', () => {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(orderVersions('dpkg', a, a)).toBe(0);
      expect(Math.sign(orderVersions('dpkg', a, b))).toBe(0 - Math.sign(orderVersions('dpkg', b, a)));
      if (orderVersions('dpkg', a, b) <= 0 && orderVersions('dpkg', b, c) <= 0)
        expect(orderVersions('dpkg', a, c)).toBeLessThanOrEqual(0);
    }),
  );
});

test.each([
  ['node', '1.2.3', '1.10.0'],
  ['node', '3.0.0-rc1', '3.0.0-rc2'],
  ['node', '3.0.0-rc1', '3'],
  ['go', 'v1.2', '1.3'],
  ['go', 'v1.2', '1.3 (devel)'],
  ['dpkg', '1.0~rc1', '1.0'],
  ['dpkg', '0:022-025', '0:022a12Z10'],
  ['dpkg', '16-027~028', '16Z18-024'],
  ['python', '2.0rc1', '2.0'],
  ['composer', '9', '10'],
  ['java', '2023.9', '2023.10'],
  ['java', '33.1-jre', '33.2-android'],
] as const)('as a version of %s, %s is older than %s', (kind, a, b) => {
  expect(orderVersions(kind, a, b)).toBeLessThan(0);
  expect(orderVersions(kind, b, a)).toBeGreaterThan(0);
});
