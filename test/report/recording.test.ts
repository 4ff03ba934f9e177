import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { identity } from '../../src/jobs/rewrite/run.ts';
import { buildReport } from '../../src/report/build.ts';
import { reportRecording } from '../../src/report/build/recording.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import type { Report } from '../../src/report/report.ts';
import { reportSchema } from '../../src/report/schema.ts';
import { colorStyle } from '../../src/report/style.ts';
import { renderSummary } from '../../src/report/summary.ts';
import type { ProbeResult } from '../../src/probe/probe.ts';
import { rewrite, tar } from '../jobs/rig.ts';
import { buildImage } from '../support/image-builder.ts';
import { expectHarmless, expectNoMarkup, nasty } from '../support/hostile-text.ts';
import { getResult, recordingFacts, sampleFacts, serverRun } from '../support/recording-facts.ts';
import { sample } from './sample.ts';

const withFacts = (facts: Partial<typeof sampleFacts> = {}): Report => ({
  ...sample,
  recording: reportRecording({ ...sampleFacts, ...facts }, true),
});

/** Returns the lines of a text from the one that begins so, up to an empty one. */
function blockOf(text: string, begin: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(begin));
  const end = lines.indexOf('', start);
  return lines.slice(start, end).join('\n');
}

describe('the report of a recording', () => {
  it('conforms to the schema and survives JSON, whatever the facts are', () => {
    const property = fc.property(recordingFacts, fc.boolean(), (facts, isTimed) => {
      const report: Report = { ...sample, recording: reportRecording(facts, isTimed) };
      const text = [...renderJson(report)].join('');
      expectHarmless(text, text);
      expect(reportSchema.parse(JSON.parse(text))).toEqual(report);
    });
    fc.assert(property);
  });

  it('has each answer of every run once, with the others to the same question', () => {
    const property = fc.property(recordingFacts, (facts) => {
      const { probes } = reportRecording(facts, true);
      const tried = facts.trials.at(-1)?.run.results ?? [];
      for (const [i, { results }] of facts.originals.entries())
        expect(probes.filter(({ originals }) => originals[i] !== null)).toHaveLength(results.length);
      expect(probes.filter(({ pruned }) => pruned !== null)).toHaveLength(tried.length);
      for (const { originals, bodyCompared } of probes) {
        expect(originals).toHaveLength(facts.originals.length);
        const digests = new Set(originals.map((answer) => answer?.digest ?? null));
        expect(bodyCompared).toBe(digests.size === 1 && !digests.has(null));
      }
    });
    fc.assert(property);
  });

  it('stands in the report of its run, with times where that has one', async () => {
    const { outcome } = await rewrite(buildImage({ layers: [tar('a=1')] }), [identity]);
    const context = {
      tool: { name: 'ocislim', version: '0' },
      command: 'slim',
      sourceReference: 'source',
      destinationReferences: ['destination'],
      warnings: [],
      squashOrigin: '--all',
    };
    const time = { started: new Date(0), seconds: 1 };
    const [plain, untimed, timed] = [{}, { recording: sampleFacts }, { recording: sampleFacts, time }].map(
      (more) => buildReport(outcome, { ...context, ...more }).recording,
    );
    expect(plain).toBeUndefined();
    expect(untimed).toEqual(reportRecording(sampleFacts, false));
    expect(timed).toEqual(reportRecording(sampleFacts, true));
  });

  it('tells probes apart that ask the same', () => {
    const twice = serverRun([getResult('/', 1), getResult('/', 2)]);
    const { probes } = reportRecording({ ...sampleFacts, originals: [twice, twice], trials: [] }, true);
    expect(probes.map(({ originals }) => originals.map((answer) => answer?.length))).toEqual([
      [100, 100],
      [200, 200],
    ]);
    expect(probes.every(({ pruned, bodyCompared }) => pruned === null && bodyCompared)).toBe(true);
  });

  it('has no times where the report must not depend on them', () => {
    const text = JSON.stringify(reportRecording(sampleFacts, false));
    expect(text).toContain('"seconds":null');
    expect(text).not.toMatch(/"seconds":\d/);
  });

  it('names paths by their bytes where they are not UTF-8', () => {
    expect(withFacts().recording?.trials[0]?.missing).toEqual([
      {
        path: 'usr/share/app/caf\\xe9',
        pathBase64: Buffer.from('usr/share/app/caf\xe9', 'latin1').toString('base64'),
      },
      { path: 'usr/share/app/page.html' },
    ]);
  });
});

describe('the summary of a recording', () => {
  const told = (facts: Partial<typeof sampleFacts> = {}) =>
    blockOf(renderSummary(withFacts(facts)), 'recorded');

  it('says what was asked and answered, and what was not compared, put back and tried', () => {
    expect(told()).toBe(`recorded: ran twice and was asked 5 things; the pruned image answers the same
  not compared: the contents of 1 answer (GET http://:80/time): different in each run
  not called: GET /users/{id}
  put back: 2 paths in 1 repair, since the pruned image asked for them
  seccomp: the profile allows 74 system calls, and the pruned image ran under it
  not tried: linux/arm64, pruned by the same paths
  in the sandbox: every file belongs to one user, the only one that there is`);
  });

  it('takes one line where all is well', () => {
    const run = serverRun([getResult('/', 1)]);
    const plain = { seccomp: null, alike: [], losses: [] };
    expect(told({ ...plain, originals: [run, run], trials: [{ run, differences: [], missing: [] }] })).toBe(
      'recorded: ran twice and was asked 1 thing; the pruned image answers the same',
    );
  });

  it('says of a program that was asked nothing what it did, and of its output whether it changes', () => {
    const end = { status: 0, signal: null, stopped: null, seconds: 1 };
    const [one, two] = [1, 2].map((n) => ({
      end,
      output: { length: n, digest: getResult('', n).digest as string },
      results: [],
    })) as [never, never];
    const plain = { seccomp: null, alike: [], losses: [] };
    const trials = [{ run: one, differences: [], missing: [] }];
    expect(told({ ...plain, originals: [one, two, one], trials })).toBe(
      'recorded: ran 3 times; the pruned image does the same\n  not compared: what the program printed: different in each run',
    );
  });

  it('says that a dry run tried nothing, and that the profile was not tried', () => {
    const dry = told({ trials: [], seccomp: { calls: 1, isTried: false } });
    expect(dry).toContain('asked 5 things; the pruned image was not tried\n');
    expect(dry).toContain('\n  seccomp: the profile allows 1 system call; it was not tried\n');
    expect(dry).not.toContain('put back');
  });

  it('says in what a pruned image differs that was tried in vain', () => {
    const failed = sampleFacts.trials.slice(0, 1);
    expect(told({ trials: failed, seccomp: { calls: 2, isTried: false } })).toContain(
      `the pruned image differs in 1 thing
  differs: GET http://:80/: expected 200, 600 bytes; found 500, 200 bytes
`,
    );
    expect(renderSummary(withFacts({ trials: failed }), { style: colorStyle })).toContain(
      colorStyle.warning('recorded: ran twice and was asked 5 things; the pruned image differs in 1 thing'),
    );
  });

  it('names the platform that ran among several', () => {
    const report = withFacts();
    const [first] = report.platforms;
    if (first === undefined) throw new Error('the sample has changed');
    const text = renderSummary({ ...report, platforms: [first, { ...first, platform: 'linux/arm64' }] });
    expect(text).toContain('\nrecorded linux/amd64: ran twice');
    expect(text).toContain('\n  not tried: linux/arm64, pruned by the same paths\n');
  });

  it.each([60, 80, 120])('fits %i columns without losing a word', (width) => {
    const words = (text: string) => text.match(/[\p{L}\d:/{}.]{2,}/gu) ?? [];
    const narrow = renderSummary(withFacts(), { width });
    const block = blockOf(narrow, 'recorded');
    expect(block.split('\n').filter((line) => line.length > width)).toEqual([]);
    expect(words(block)).toEqual(words(told()));
  });
});

describe('the Markdown of a recording', () => {
  it('has a table of the probes, and what each repair put back', () => {
    const text = renderMarkdown(withFacts());
    const start = text.indexOf('## Recorded and tried');
    expect(text.slice(start, text.indexOf('Transfer:'))).toBe(`## Recorded and tried

linux/amd64 ran twice and was asked 5 things; the pruned image answers the same.

- command: \`nginx -g daemon off;\`
- sandbox: bwrap
- used: 214 paths
- not compared: the contents of 1 answer \\(GET http&#58;//:80/time\\): different in each run
- not called: GET /users/\\{id\\}
- put back: 2 paths in 1 repair, since the pruned image asked for them
- seccomp: the profile allows 74 system calls, and the pruned image ran under it
- not tried: linux/arm64, pruned by the same paths
- in the sandbox: every file belongs to one user, the only one that there is

| probe | original | pruned | time |
| --- | --- | --- | --: |
| \`GET http://:80/\` | 200, 600 B | the same | 20 ms → 20 ms |
| \`GET http://:80/time\` | 200, 2.0 kB | the same; contents not compared | 12 ms → 12 ms |
| \`GET http://:80/gone\` | 404, 300 B | the same | 12 ms → 12 ms |
| \`app-cli status\` | ended with 0, 100 B | the same | 1.5 s → 1.5 s |
| \`tcp://:9000\` | takes connections | the same | 12 ms → 12 ms |
| \`GET /users/{id}\` | not called: no example of the parameter id |  |  |

### Try 1: put back

- GET http&#58;//:80/: expected 200, 600 bytes; found 500, 200 bytes
- \`/usr/share/app/caf\\xe9\`
- \`/usr/share/app/page.html\`

`);
  });

  it('folds a long table, and shows a hundred probes', () => {
    const run = serverRun(Array.from({ length: 250 }, (_, i) => getResult(`/${i}`, i)));
    const text = renderMarkdown(withFacts({ originals: [run, run], trials: [] }));
    expect(text).toContain('<details><summary>250 probes</summary>');
    expect(text).toContain('| `GET http://:80/99` | 200, 9.9 kB | not asked |');
    expect(text).not.toContain('`GET http://:80/100`');
    expect(text).toContain('\n150 more probes are in the JSON report.\n');
  });
});

describe('what a probe got from the pruned image', () => {
  /** Returns the cell of the table for one probe, of two originals and a pruned image. */
  const cellFor = (first: ProbeResult, second: ProbeResult | null, pruned: ProbeResult | null) => {
    const [one, two, tried] = [first, second, pruned].map((each) => serverRun(each === null ? [] : [each]));
    if (one === undefined || two === undefined || tried === undefined) throw new Error('three runs');
    const trials = [{ run: tried, differences: [], missing: [] }];
    const text = renderMarkdown(withFacts({ originals: [one, two], trials }));
    return /^\| `[^|]*\| [^|]* \| ([^|]*) \|/m.exec(text.slice(text.indexOf('| probe |')))?.[1];
  };
  const answer = getResult('/', 1);
  it.each([
    ['the same', answer, answer, answer],
    ['the same; contents not compared', answer, getResult('/', 2), getResult('/', 3)],
    ['200, 300 B with other contents', answer, answer, getResult('/', 3)],
    ['500, 100 B', answer, answer, getResult('/', 1, { status: 500, ok: false })],
    ['not asked', answer, answer, null],
    ['the same; contents not compared', answer, null, getResult('/', 3)],
    ['it is closed', answer, answer, getResult('/', 1, { status: null, ok: false, error: 'it is closed' })],
    ['not serving', { ...answer, kind: 'grpc', status: 1 }, null, { ...answer, kind: 'grpc', status: 2 }],
    [
      'ended with 1, 100 B',
      { ...answer, kind: 'exec', status: 0 },
      null,
      { ...answer, kind: 'exec', status: 1 },
    ],
  ] as const)('is told as "%s"', (told, first, second, pruned) => {
    expect(cellFor(first, second, pruned)).toBe(told);
  });
});

test('no name, message or path acts on a terminal, a CI log or Markdown, nor takes many columns', () => {
  const long = `${nasty}${'x'.repeat(100_000)}`;
  const name = (result: ReturnType<typeof getResult>) => ({ ...result, name: long, error: long });
  const results = [
    name(getResult('/', 1)),
    name(getResult('/', 2, { status: null, digest: null, ok: false })),
  ];
  const [run, other] = [serverRun(results), serverRun(results.toReversed())];
  const report = withFacts({
    platform: nasty,
    command: [long, long],
    originals: [run, other],
    trials: [
      {
        run,
        differences: [{ kind: 'probe', name: long, expected: long, found: long }],
        missing: sampleFacts.trials[0]?.missing ?? [],
      },
      { run: other, differences: [{ kind: 'end', name: '', expected: long, found: long }], missing: [] },
    ],
    alike: [long],
    losses: [long],
  });
  const summary = renderSummary(report, { width: 100 });
  expectHarmless(summary, summary);
  const markdown = renderMarkdown(report);
  expectNoMarkup(markdown, markdown);
  expect(blockOf(summary, 'recorded').length).toBeLessThan(5000);
  expect(markdown.slice(markdown.indexOf('## Recorded')).length).toBeLessThan(30_000);
});
