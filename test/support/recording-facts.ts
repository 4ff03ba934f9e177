/**
 * Facts of recordings, which tests report and print: a plain one, with what a reader meets, and random ones. Names, messages and paths of
 * the random ones hold every character and byte.
 */
import * as fc from 'fast-check';
import { asByteString } from '../../src/bytes/bytes.ts';
import type { ProgramRun, RecordingFacts, RunDifference, Trial } from '../../src/jobs/record/trial/trial.ts';
import type { ProbeResult } from '../../src/probe/probe.ts';
import { b } from './bytes.ts';

const digestOf = (n: number): string => `sha256:${n.toString(16).padStart(2, '0').repeat(32)}`;

/** Makes the result of a GET. `n` stands for the body. */
export function getResult(path: string, n: number, more: Partial<ProbeResult> = {}): ProbeResult {
  return {
    kind: 'http',
    origin: 'option',
    name: `GET http://:80${path}`,
    status: 200,
    length: 100 * n,
    digest: digestOf(n),
    seconds: 0.012,
    ok: true,
    error: null,
    ...more,
  };
}

/** Makes a run of a server that was told to end. */
export function serverRun(results: readonly ProbeResult[], seconds = 4.25): ProgramRun {
  const end = { status: 143, signal: 'SIGTERM', stopped: 'signal', seconds } as const;
  return { end, output: null, results };
}

/** The answers to all of the probes below. The body of `/time` is another one each time. */
const answers = (time: number, seconds: number): readonly ProbeResult[] => [
  getResult('/', 6, { seconds }),
  getResult('/time', time, { origin: 'crawl' }),
  getResult('/gone', 3, { status: 404, origin: 'crawl' }),
  {
    ...getResult('', 1),
    kind: 'exec',
    origin: 'healthcheck',
    name: 'app-cli status',
    status: 0,
    seconds: 1.5,
  },
  {
    ...getResult('', 1),
    kind: 'tcp',
    origin: 'port',
    name: 'tcp://:9000',
    status: null,
    length: null,
    digest: null,
  },
  {
    ...getResult('', 1),
    origin: 'openapi',
    name: 'GET /users/{id}',
    status: null,
    length: null,
    digest: null,
    seconds: 0,
    error: 'not called: no example of the parameter id',
  },
];

const broken = getResult('/', 2, { status: 500, ok: false, error: 'it answers with 500, not 200' });

/** A server that was tried twice: the first pruned image lacked two paths. */
export const sampleFacts: RecordingFacts = {
  platform: 'linux/amd64',
  sandbox: 'bwrap',
  command: ['nginx', '-g', 'daemon off;'],
  paths: 214,
  originals: [serverRun(answers(20, 0.03)), serverRun(answers(21, 0.01))],
  trials: [
    {
      run: serverRun([broken, ...answers(22, 0.02).slice(1)]),
      differences: [
        {
          kind: 'probe',
          name: 'GET http://:80/',
          expected: '200, 600 bytes',
          found: '500, 200 bytes',
        },
      ],
      missing: [b('usr/share/app/caf\xe9'), b('usr/share/app/page.html')],
    },
    { run: serverRun(answers(23, 0.02)), differences: [], missing: [] },
  ],
  seccomp: { calls: 74, isTried: true },
  alike: ['linux/arm64'],
  losses: ['every file belongs to one user, the only one that there is'],
};

const text = fc.string({ unit: 'binary', maxLength: 40 });
const count = fc.nat({ max: 2 ** 40 });
const seconds = fc.integer({ min: 0, max: 10_000_000 }).map((ms) => ms / 1000);
const digest = fc.nat({ max: 255 }).map(digestOf);

const result: fc.Arbitrary<ProbeResult> = fc.record({
  kind: fc.constantFrom('http', 'tcp', 'grpc', 'exec'),
  origin: fc.constantFrom('option', 'file', 'crawl', 'openapi', 'port', 'healthcheck'),
  name: fc.oneof(text, fc.constantFrom('GET http://:80/', 'GET http://:80/a')),
  status: fc.option(fc.nat({ max: 999 })),
  length: fc.option(count),
  digest: fc.option(digest),
  seconds,
  ok: fc.boolean(),
  error: fc.option(text),
});

const run: fc.Arbitrary<ProgramRun> = fc.record({
  end: fc.record({
    status: fc.nat({ max: 255 }),
    signal: fc.option(fc.constantFrom('SIGTERM', 'SIGSEGV')),
    stopped: fc.option(fc.constantFrom('for', 'signal')),
    seconds: fc.option(seconds),
  }),
  output: fc.option(fc.record({ length: count, digest })),
  results: fc.array(result, { maxLength: 6 }),
});

const difference: fc.Arbitrary<RunDifference> = fc.record({
  kind: fc.constantFrom('end', 'output', 'probe'),
  name: text,
  expected: text,
  found: text,
});

const path = fc
  .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 20 })
  .map((bytes) => asByteString(String.fromCharCode(...bytes)));

const trial: fc.Arbitrary<Trial> = fc.record({
  run,
  differences: fc.array(difference, { maxLength: 4 }),
  missing: fc.array(path, { maxLength: 4 }),
});

/** Any facts: names, messages and paths hold every character and byte. */
export const recordingFacts: fc.Arbitrary<RecordingFacts> = fc.record({
  platform: text,
  sandbox: fc.constantFrom('bwrap', 'unshare', 'chroot'),
  command: fc.array(text, { maxLength: 4 }),
  paths: count,
  originals: fc.array(run, { minLength: 2, maxLength: 3 }),
  trials: fc.array(trial, { maxLength: 3 }),
  seccomp: fc.option(fc.record({ calls: count, isTried: fc.boolean() })),
  alike: fc.array(text, { maxLength: 3 }),
  losses: fc.array(text, { maxLength: 3 }),
});
