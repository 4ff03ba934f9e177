import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { compareRuns, refusalOfOriginals, unstable } from '../../../../src/jobs/record/trial/compare-runs.ts';
import type { ProgramRun, RunDifference } from '../../../../src/jobs/record/trial/trial.ts';
import type { ProbeResult } from '../../../../src/probe/probe.ts';
import type { RunEnd } from '../../../../src/trace/trace.ts';

const stoppedEnd: RunEnd = { status: 0, signal: null, stopped: 'signal', seconds: 4 };
const ownEnd: RunEnd = { ...stoppedEnd, stopped: null };

function got(name: string, body: string | null, more: Partial<ProbeResult> = {}): ProbeResult {
  return {
    kind: 'http',
    origin: 'option',
    name,
    status: body === null ? null : 200,
    length: body === null ? null : body.length,
    digest: body === null ? null : `sha256:${body}`,
    seconds: 0.1,
    ok: body !== null,
    error: body === null ? 'connect ECONNREFUSED' : null,
    ...more,
  };
}

function run(results: readonly ProbeResult[], more: Partial<ProgramRun> = {}): ProgramRun {
  return { end: stoppedEnd, output: null, results, ...more };
}

const home = got('GET http://:80/', 'hello');
const page = got('GET http://:80/page', 'a page');
const [served] = [run([home, page])];

function printed(body: string, status = 0): ProgramRun {
  return {
    end: { ...ownEnd, status },
    output: { length: body.length, digest: `sha256:${body}` },
    results: [],
  };
}

const cases: readonly (readonly [
  title: string,
  originals: readonly ProgramRun[],
  tried: ProgramRun,
  differences: readonly Partial<RunDifference>[],
])[] = [
  ['the same answers', [served, served], served, []],
  [
    'another status',
    [served, served],
    run([home, { ...got(page.name, 'error'), status: 502, ok: false }]),
    [{ kind: 'probe', name: page.name, expected: '200, 6 bytes', found: '502, 5 bytes' }],
  ],
  [
    'another body of the same length',
    [served, served],
    run([home, got(page.name, 'A page')]),
    [{ expected: '200, 6 bytes', found: '200, 6 bytes with other contents' }],
  ],
  [
    'another body where the originals disagree',
    [served, run([home, got(page.name, 'a page of 12:01')])],
    run([home, got(page.name, 'a page of 12:02!')]),
    [],
  ],
  [
    'another body of another length where those of the originals have one length by chance',
    [served, run([home, got(page.name, 'A PAGE')])],
    run([home, got(page.name, 'a longer page')]),
    [],
  ],
  [
    'another status where the originals disagree on the body',
    [served, run([home, got(page.name, 'a page of 12:01')])],
    run([home, { ...got(page.name, 'gone'), status: 404 }]),
    [{ expected: '200', found: '404' }],
  ],
  [
    'no answer',
    [served, served],
    run([home, got(page.name, null)]),
    [{ expected: '200, 6 bytes', found: 'connect ECONNREFUSED' }],
  ],
  [
    'a probe that was not asked',
    [served, served],
    run([home]),
    [{ name: page.name, expected: '200, 6 bytes', found: 'was not asked' }],
  ],
  ['a probe that one original was not asked either', [served, run([home])], run([home]), []],
  [
    'another body of a probe that one original was not asked',
    [served, run([home])],
    run([home, got(page.name, 'x')]),
    [],
  ],
  [
    'a failure of a probe that one original was not asked',
    [served, run([home])],
    run([home, got(page.name, null)]),
    [{ name: page.name, expected: 'the expected answer', found: 'connect ECONNREFUSED' }],
  ],
  [
    'a further probe that got its answer',
    [served, served],
    run([home, page, got('GET http://:80/new', 'x')]),
    [],
  ],
  [
    'a further probe that failed',
    [served, served],
    run([home, page, got('GET http://:80/new', null)]),
    [{ name: 'GET http://:80/new', expected: 'was not asked', found: 'connect ECONNREFUSED' }],
  ],
  [
    'the second answer to the same question',
    [run([home, got(home.name, 'again')]), run([home, got(home.name, 'again')])],
    run([home, home]),
    [{ name: home.name, found: '200, 5 bytes with other contents' }],
  ],
  [
    'the output of a command',
    [run([got('app check', 'fine', { kind: 'exec', status: 0 })])],
    run([got('app check', '', { kind: 'exec', status: 1, ok: false, error: 'it ended with 1' })]),
    [{ expected: 'ended with 0, 4 bytes of output', found: 'ended with 1, 0 bytes of output' }],
  ],
  [
    'a port that takes no connections',
    [run([got('tcp://:5432', null, { kind: 'tcp', ok: true, error: null })])],
    run([got('tcp://:5432', null, { kind: 'tcp' })]),
    [{ expected: 'takes connections', found: 'connect ECONNREFUSED' }],
  ],
  [
    'the health of a server of gRPC',
    [run([got('grpc://:50051', 'ab', { kind: 'grpc', status: 1 })])],
    run([got('grpc://:50051', 'cd', { kind: 'grpc', status: 2, ok: false, error: 'it is not serving' })]),
    [{ expected: 'serving', found: 'not serving' }],
  ],
  [
    'an answer that is not the expected one with the same status and body',
    [served],
    run([home, { ...page, ok: false, error: 'it answers with 200, not 201' }]),
    [{ found: '200, 6 bytes: it answers with 200, not 201' }],
  ],
  [
    'a program that ends where the originals were stopped',
    [served, served],
    { ...served, end: { ...ownEnd, status: 127 }, output: { length: 0, digest: 'sha256:' } },
    [
      {
        kind: 'end',
        name: '',
        expected: 'ran until it was stopped, and ended with 0',
        found: 'ended with 127 by itself',
      },
    ],
  ],
  [
    'a program that has to be stopped where the originals ended',
    [printed('42'), printed('42')],
    run([]),
    [
      {
        kind: 'end',
        expected: 'ended with 0 by itself',
        found: 'ran until it was stopped, and ended with 0',
      },
    ],
  ],
  [
    'a program that has to be killed',
    [served, served],
    { ...served, end: { ...stoppedEnd, status: 137, signal: 'SIGKILL' } },
    [{ kind: 'end', found: 'ran until it was stopped, and was ended by SIGKILL' }],
  ],
  [
    'a signal, where the originals end with different statuses',
    [printed('42', 1), printed('42', 2)],
    { ...printed('42'), end: { ...ownEnd, status: 139, signal: 'SIGSEGV' } },
    [{ kind: 'end', expected: 'ended without a signal by itself', found: 'was ended by SIGSEGV' }],
  ],
  ['another status where the originals disagree', [printed('42', 1), printed('42', 2)], printed('42', 3), []],
  [
    'other output',
    [printed('42'), printed('42')],
    printed('43'),
    [{ kind: 'output', name: '', expected: '2 bytes', found: '2 other bytes' }],
  ],
  ['longer output', [printed('4')], printed('42'), [{ expected: '1 byte', found: '2 bytes' }]],
  ['other output where the originals disagree', [printed('42'), printed('43')], printed('44'), []],
  ['how a program was stopped', [served], { ...served, end: { ...stoppedEnd, stopped: 'for' } }, []],
  [
    'times, origins and messages of answers',
    [served],
    run([{ ...home, seconds: 9, origin: 'crawl', error: 'slow' }, page], {
      end: { ...stoppedEnd, seconds: 99 },
    }),
    [],
  ],
];

test.each(cases)('runs are compared by %s', (_, originals, tried, differences) => {
  const found = compareRuns(originals, tried);
  expect(found).toHaveLength(differences.length);
  for (const [i, each] of differences.entries()) expect(found[i]).toMatchObject(each);
});

/** Few values of everything, so that runs often agree. */
const results = fc.array(
  fc.record({
    kind: fc.constantFrom('http', 'exec', 'tcp', 'grpc'),
    origin: fc.constant('option' as const),
    name: fc.constantFrom('a', 'b', 'c'),
    status: fc.constantFrom(null, 0, 1, 200, 500),
    length: fc.constantFrom(null, 0, 1, 2),
    digest: fc.constantFrom(null, 'sha256:1', 'sha256:2'),
    seconds: fc.constantFrom(0, 1),
    ok: fc.boolean(),
    error: fc.constantFrom(null, 'no answer'),
  }),
  { maxLength: 5 },
);
/** The status of a program that a signal ended is that of the signal. */
const ways = [
  { status: 0, signal: null },
  { status: 1, signal: null },
  { status: 143, signal: 'SIGTERM' },
];
const end = fc
  .tuple(fc.constantFrom(...ways), fc.constantFrom(null, 'for' as const, 'signal' as const), fc.nat(2))
  .map(([way, stopped, seconds]): RunEnd => ({ ...way, stopped, seconds }));
const measured = fc.record({
  length: fc.constantFrom(1, 2),
  digest: fc.constantFrom('sha256:1', 'sha256:2'),
});
const anyRun = fc
  .record({ end, output: measured, results })
  .map((each): ProgramRun => (each.end.stopped === null ? each : { ...each, output: null }));

/** The differences by what they are about, however they are said. */
function subjects(differences: readonly RunDifference[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { kind, name } of differences) {
    const subject = `${kind} ${name}`;
    counts.set(subject, (counts.get(subject) ?? 0) + 1);
  }
  return [...counts].flatMap(([subject, count]) =>
    Array.from({ length: count }, (_, i) => `${subject} ${i}`),
  );
}

describe('the laws of comparing', () => {
  it('let no run differ from itself, also beside other originals', () => {
    fc.assert(
      fc.property(anyRun, fc.array(anyRun, { maxLength: 3 }), (each, others) => {
        const failedAlone = compareRuns([...others, each], each);
        expect(compareRuns([each], each)).toEqual([]);
        expect(failedAlone).toEqual([]);
      }),
    );
  });

  it('find no more differences with one original more', () => {
    fc.assert(
      fc.property(
        fc.array(anyRun, { minLength: 1, maxLength: 3 }),
        anyRun,
        anyRun,
        (originals, more, tried) => {
          const before = subjects(compareRuns(originals, tried));
          const after = subjects(compareRuns([...originals, more], tried));
          expect(before).toEqual(expect.arrayContaining([...after]));
        },
      ),
    );
  });

  it('do not depend on the order of the originals', () => {
    fc.assert(
      fc.property(fc.array(anyRun, { minLength: 2, maxLength: 3 }), anyRun, (originals, tried) => {
        const back = subjects(compareRuns(originals.toReversed(), tried));
        expect(subjects(compareRuns(originals, tried)).toSorted()).toEqual(back.toSorted());
      }),
    );
  });

  it('find every change of one thing that is compared, and say two different things', () => {
    const change = fc.constantFrom<(result: ProbeResult) => ProbeResult>(
      (result) => ({ ...result, ok: !result.ok }),
      (result) => ({ ...result, status: (result.status ?? 0) + 1 }),
      (result) => ({ ...result, digest: 'sha256:3' }),
      (result) => ({ ...result, name: 'd' }),
    );
    fc.assert(
      fc.property(anyRun, fc.nat(), change, (each, at, changed) => {
        fc.pre(each.results.length > 0);
        const i = at % each.results.length;
        const tried = {
          ...each,
          results: each.results.map((result, j) => (i === j ? changed(result) : result)),
        };
        const found = compareRuns([each, each], tried);
        expect(found.length).toBeGreaterThan(0);
        for (const { expected, found: other } of found) expect(other).not.toBe(expected);
      }),
    );
    const ends = fc.constantFrom<(run: ProgramRun) => ProgramRun>(
      (each) => ({ ...each, end: { ...each.end, status: each.end.status + 1, signal: null } }),
      (each) => ({ ...each, end: { ...each.end, status: 139, signal: 'SIGSEGV' } }),
      ({ end: { stopped, ...rest }, results: same, output }) =>
        stopped === null
          ? { end: { ...rest, stopped: 'for' }, output: null, results: same }
          : {
              end: { ...rest, stopped: null },
              output: output ?? { length: 1, digest: 'sha256:1' },
              results: same,
            },
      (each) =>
        each.output === null
          ? run(each.results, { end: { ...each.end, status: 9, signal: null } })
          : { ...each, output: { length: 3, digest: 'sha256:3' } },
    );
    fc.assert(
      fc.property(anyRun, ends, (each, changed) => {
        const found = compareRuns([each, each], changed(each));
        expect(found.length).toBeGreaterThan(0);
        for (const { expected, found: other } of found) expect(other).not.toBe(expected);
      }),
    );
  });
});

describe('an original', () => {
  it('is seen working where all of its probes got what was expected', () => {
    expect(refusalOfOriginals([served, served])).toBeNull();
    expect(refusalOfOriginals([printed('42')])).toBeNull();
  });

  it('may be stopped with any status', () => {
    const killed = { ...served, end: { ...stoppedEnd, status: 143, signal: 'SIGTERM' } };
    expect(refusalOfOriginals([killed])).toBeNull();
  });

  it('is refused where a probe failed in any of its runs', () => {
    const failing = run([home, got(page.name, null), got('GET http://:80/x', null)]);
    expect(refusalOfOriginals([served, failing])).toBe(
      'GET http://:80/page failed in run 2 of 2, as 1 more did: connect ECONNREFUSED',
    );
    expect(refusalOfOriginals([run([got(page.name, null)])])).toBe(
      'GET http://:80/page failed: connect ECONNREFUSED',
    );
  });

  it('is refused where it ended by itself with an error', () => {
    expect(refusalOfOriginals([printed('42'), printed('42', 3)])).toBe(
      'the program ended with 3 by itself in run 2 of 2',
    );
  });
});

describe('what is not compared', () => {
  it('is nothing where the originals agree', () => {
    expect(unstable([served, served])).toEqual([]);
    expect(unstable([printed('42'), printed('42')])).toEqual([]);
  });

  it('is each answer whose bodies differ, once, and output that differs', () => {
    const other = run([home, home, got(page.name, 'another')]);
    expect(unstable([run([home, page]), other])).toEqual([
      { kind: 'probe', name: page.name },
      { kind: 'probe', name: home.name },
    ]);
    expect(unstable([printed('42'), printed('43')])).toEqual([{ kind: 'output', name: '' }]);
  });

  it('has no difference: what is compared is found stable', () => {
    fc.assert(
      fc.property(fc.array(anyRun, { minLength: 1, maxLength: 3 }), anyRun, (originals, tried) => {
        const names = unstable(originals).map(({ kind, name }) => `${kind} ${name}`);
        const output = compareRuns(originals, tried).filter(({ kind }) => kind === 'output');
        if (output.length > 0) expect(names).not.toContain('output ');
      }),
    );
  });
});
