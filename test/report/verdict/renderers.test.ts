import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { GateLimits } from '../../../src/analyze/gates/all.ts';
import { sinNames } from '../../../src/analyze/gates/dockerfile.ts';
import { judge } from '../../../src/analyze/gates/verdict.ts';
import type { Judgement } from '../../../src/report/verdict/judgement.ts';
import { renderVerdict, type VerdictFormat, verdictFormats } from '../../../src/report/verdict/renderers.ts';
import { verdictSchema } from '../../../src/report/verdict/schema.ts';
import { judgedOf } from '../../analyze/gates/judged.ts';
import { expectHarmless, expectNoMarkup, nasty, nastyName } from '../../support/hostile-text.ts';
import { utf8 } from '../../support/model/byte-string.ts';
import { hostile } from '../analyze/sample.ts';

const tool = { name: 'ocislim', version: '0.1.0' };
const limits: GateLimits = { layers: 1, reclaimable: { kind: 'ratio', ratio: 0.05 }, labels: ['maintainer'] };

async function judgement(isHostile = false): Promise<Judgement> {
  const judged = await judgedOf(
    isHostile
      ? {
          analysis: hostile,
          config: hostile.image.config,
          name: nasty,
          layers: [[{ name: `${utf8(nastyName.replaceAll('/', '|'))}\xff` }]],
          history: [`ADD https://x ${nasty}`],
          annotations: { 'org.opencontainers.image.base.name': `${nasty}:latest` },
        }
      : {},
  );
  const more: GateLimits = isHostile
    ? {
        secrets: true,
        nonRoot: true,
        setuid: [],
        surface: { shells: 0 },
        forbiddenPaths: ['**'],
        labels: [nasty],
        ports: [],
        baseImages: [nasty],
        tag: true,
        dockerfile: [...sinNames],
      }
    : {};
  const verdict = judge({ check: { ...limits, ...more }, warn: { healthcheck: true } }, judged);
  const { name: image, digest, platform } = judged.analysis.image;
  return { image, digest, platform, origin: isHostile ? nasty : '.ocislim.yaml', verdict, tool };
}

async function render(format: VerdictFormat, isHostile = false): Promise<string> {
  return [...(await renderVerdict(await judgement(isHostile), format))].join('');
}

/** Reads XML with Python, and returns the test cases with what became of them. */
function casesOf(xml: string): readonly (readonly string[])[] {
  const program = [
    'import sys, json, xml.etree.ElementTree as tree',
    'cases = tree.fromstring(sys.stdin.buffer.read()).iter("testcase")',
    'print(json.dumps([[case.get("name"), *[child.tag + ": " + child.get("message") for child in case]] for case in cases]))',
  ];
  const input = Buffer.from(xml);
  return JSON.parse(
    execFileSync('python3', ['-c', program.join('\n')], { input, encoding: 'utf8' }),
  ) as string[][];
}

describe('a verdict', () => {
  test('as text has a line for each gate that is not met, with the fix', async () => {
    expect(await render('text')).toBe(
      [
        'error: layers: there are 2 layers, more than 1 | fix: Join RUN instructions with &&, and COPY instructions of one folder; or now: ocislim squash registry.example/team/app:1 registry.example/team/app:1-slim --last 2',
        'error: reclaimable: files that no container sees take 2.9 MB, 33.33 % of 8.7 MB and more than 5 % | fix: Delete and change files in the instruction that makes them; use COPY --chown and COPY --chmod; or now: ocislim prune registry.example/team/app:1 registry.example/team/app:1-slim --shadowed',
        'warning: healthcheck: there is no HEALTHCHECK | fix: Add HEALTHCHECK CMD … to the Dockerfile',
        'registry.example/team/app:1 failed 2 of 4 gates, 1 warning (gates of .ocislim.yaml)',
        '',
      ].join('\n'),
    );
  });

  test.each([false, true])('as JSON conforms to its schema (hostile: %s)', async (isHostile) => {
    const document = verdictSchema.parse(JSON.parse(await render('json', isHostile)));
    expect(document.passed).toBe(false);
    expect(document.gates.filter(({ passed }) => !passed).length).toBeGreaterThan(2);
  });

  test('for GitHub is a command for each breach, whose text cannot end it', async () => {
    const lines = (await render('github')).trim().split('\n');
    expect(lines[0]).toMatch(
      /^::error title=ocislim check%3A layers::there are 2 layers, more than 1\. Fix: /,
    );
    expect(lines[1]).toContain('33.33 %25 of 8.7 MB');
    expect(lines[2]).toMatch(/^::warning title=ocislim check%3A healthcheck::/);
    expect(lines[3]).toMatch(/^::notice title=ocislim check::registry\.example/);
    const evil = (await render('github', true)).trim().split('\n');
    for (const line of evil) {
      expect(line).toMatch(/^::(?:error|warning|notice) title=[\w %-]+::/);
      expectHarmless(line.replace(/^::/, ''), line);
    }
  });

  test('for GitLab is a code quality report with a fingerprint for each breach', async () => {
    const report = z.array(
      z.strictObject({
        description: z.string().min(1),
        check_name: z.string().regex(/^ocislim\/[a-z-]+$/),
        fingerprint: z.string().min(64),
        severity: z.enum(['info', 'minor', 'major', 'critical', 'blocker']),
        location: z.strictObject({
          path: z.string().min(1),
          lines: z.strictObject({ begin: z.int().min(1) }),
        }),
      }),
    );
    for (const isHostile of [false, true]) {
      const breaches = report.parse(JSON.parse(await render('gitlab', isHostile)));
      expect(new Set(breaches.map(({ fingerprint }) => fingerprint)).size).toBe(breaches.length);
      for (const { description, location } of breaches)
        expectHarmless(description + location.path, description);
    }
  });

  test('as JUnit is XML with a case for each gate', async () => {
    expect(
      casesOf(await render('junit')).map(([name, ...more]) => [
        name?.split(':')[0],
        ...more.map((told) => told.slice(0, 17)),
      ]),
    ).toEqual([
      ['layers', 'failure: there ar'],
      ['reclaimable', 'failure: files th'],
      ['labels'],
      ['healthcheck', 'skipped: there is'],
    ]);
    const evil = casesOf(await render('junit', true)).flat();
    expect(evil.join('')).toContain('mark');
    for (const text of evil) expectHarmless(text.replaceAll(/^\w+: /g, ''), text);
  });

  test('as SARIF names the rule, the level and the image of each result', async () => {
    const log = JSON.parse(await render('sarif')) as {
      runs: [{ tool: { driver: { rules: { id: string }[] } }; results: Record<string, unknown>[] }];
    };
    const [{ tool: used, results }] = log.runs;
    expect(used.driver.rules.map(({ id }) => id)).toEqual(['layers', 'reclaimable', 'labels', 'healthcheck']);
    expect(results.map(({ ruleId, ruleIndex, level }) => [ruleId, ruleIndex, level])).toEqual([
      ['layers', 0, 'error'],
      ['reclaimable', 1, 'error'],
      ['healthcheck', 3, 'warning'],
    ]);
    expect(JSON.stringify(results[0])).toContain('"uri":"registry.example/team/app%3A1"');
  });

  test.each(verdictFormats.filter((format) => format !== 'github'))(
    'of a hostile image prints nothing that acts: %s',
    async (format) => {
      const text = await render(format, true);
      expect(text).toContain('mark');
      if (format === 'markdown') expectNoMarkup(text, format);
      else expectHarmless(text, format);
    },
  );
});
