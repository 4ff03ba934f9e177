import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { severities } from '../../src/analyze/scanned/scanned.ts';
import { OcislimError } from '../../src/errors.ts';
import { parseFindings } from '../../src/settings/scanned/read-findings.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/findings/${name}`, import.meta.url), 'utf8');

const curl = { id: 'CVE-2026-1001', severity: 'critical', name: 'curl', version: '1:2-3' };

describe('the output of a scanner is read', () => {
  test.each([
    ['trivy.json', 'trivy', 7],
    ['grype.json', 'grype', 5],
    ['trivy.sarif', 'sarif', 3],
    ['grype.sarif', 'sarif', 2],
  ] as const)('%s as %s, with %i findings', async (name, format, count) => {
    const read = await parseFindings(fixture(name), name);
    expect(read.format).toBe(format);
    expect(read.findings).toHaveLength(count);
    expect(read.findings[0]).toMatchObject(curl);
  });

  test('packages of languages with their places, and what no package has', async () => {
    const { findings: trivy } = await parseFindings(fixture('trivy.json'), 'it');
    expect(trivy.at(-1)).toEqual({
      id: 'CVE-2026-2001',
      severity: 'high',
      name: 'left-pad',
      version: '1.0.0',
      kind: 'node',
      purl: 'pkg:npm/left-pad@1.0.0',
      paths: ['tool/node_modules/left-pad/package.json'],
    });
    for (const name of ['grype.json', 'grype.sarif']) {
      const { findings } = await parseFindings(fixture(name), 'it');
      expect(findings.at(-1)).toMatchObject({
        id: 'CVE-2026-3001',
        severity: 'medium',
        name: 'redis',
        kind: null,
        paths: ['usr/local/bin/redis-server'],
      });
    }
  });

  test('unknown members and severities are passed over', async () => {
    const text = JSON.stringify({
      SchemaVersion: 3,
      New: [{}],
      Results: [null, {}]
        .slice(1)
        .concat([
          { Vulnerabilities: null },
          { Vulnerabilities: [{ VulnerabilityID: 'X-1', Severity: 'DREADFUL', Odd: { deep: [] } }] },
        ] as never),
    });
    expect((await parseFindings(text, 'it')).findings).toEqual([
      { id: 'X-1', severity: 'unknown', name: null, version: null, kind: null, purl: null, paths: [] },
    ]);
  });

  test('also a clean one, and one with a mark of its encoding', async () => {
    expect((await parseFindings('\uFEFF{"SchemaVersion":2}', 'it')).findings).toEqual([]);
    expect((await parseFindings('{"matches":null}', 'it')).findings).toEqual([]);
    expect((await parseFindings('{"version":"2.1.0","runs":[]}', 'it')).findings).toEqual([]);
  });
});

test.each([
  ['', 'is not JSON'],
  ['{"SchemaVersion":2', 'is not JSON'],
  ['{}', 'is neither of Trivy nor of Grype, and not SARIF'],
  ['[]', 'is neither of Trivy nor of Grype, and not SARIF'],
  [
    '{"SchemaVersion":2,"Results":[{"Vulnerabilities":[{}]}]}',
    'is neither of Trivy nor of Grype, and not SARIF',
  ],
  ['{"bomFormat":"CycloneDX"}', 'is neither of Trivy nor of Grype, and not SARIF'],
])('%j is refused', async (text, message) => {
  await expect(parseFindings(text, 'the file')).rejects.toMatchObject({
    code: 'USAGE',
    message: `the file ${message}`,
  });
});

test('whatever a file holds, it is read or refused', async () => {
  const bases = ['trivy.json', 'grype.json', 'trivy.sarif', 'grype.sarif'].map((name) =>
    JSON.parse(fixture(name)),
  );
  const change = fc.record({ base: fc.constantFrom(...bases), at: fc.nat(), by: fc.jsonValue() });
  await fc.assert(
    fc.asyncProperty(change, async ({ base, at, by }) => {
      let count = 0;
      const text = JSON.stringify(base, (_, value: unknown) =>
        count++ === at % 300 && count > 1 ? by : value,
      );
      try {
        for (const { id, severity } of (await parseFindings(text, 'it')).findings) {
          expect(typeof id).toBe('string');
          expect(severities).toContain(severity);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(OcislimError);
      }
    }),
    { numRuns: 300 },
  );
});

test('a deep document is refused, and a long line takes linear time', async () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  await expect(parseFindings(deep, 'it')).rejects.toMatchObject({ code: 'USAGE' });
  const long = `${' reports'.repeat(200_000)} at`;
  const result = { ruleId: 'X', message: { text: `${long}\n${'A'.repeat(1_000_000)}` } };
  const document = { version: '2.1.0', runs: [{ tool: { driver: {} }, results: [result] }] };
  expect((await parseFindings(JSON.stringify(document), 'it')).findings).toHaveLength(1);
});
