import { describe, expect, it } from 'vitest';
import type { RunEnd } from '../../src/trace/trace.ts';
import { b } from '../support/bytes.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { atOnce } from '../../src/steps.ts';
import { provenanceSteps } from '../../src/closure/provenance.ts';
import { inputOf, traceOf } from './rig.ts';

const [here, there] = [digestOf(Uint8Array.of(1)), digestOf(Uint8Array.of(2))];

async function provenance(
  paths: Readonly<Record<string, string>>,
  image: typeof here | null,
  parts: Parameters<typeof traceOf>[1] = {},
) {
  const input = await inputOf({ image: { 'bin/run': 'x' } });
  return atOnce(provenanceSteps({ ...input, trace: traceOf(paths, { ...parts, image }) }, here));
}

it('a trace of this image causes no doubt', async () => {
  expect(await provenance({ 'bin/run': 'exec', 'etc/hosts': 'open', 'etc/none': 'stat' }, here)).toEqual({
    problems: [],
    doubts: [],
  });
});

it('a trace of another build of the image causes a doubt', async () => {
  const { problems, doubts } = await provenance({ 'bin/run': 'exec' }, there);
  expect([problems, doubts]).toEqual([[], [`app.trace is of another image, ${there}`]]);
});

it('a trace with programs that the image does not have causes a doubt', async () => {
  const { problems, doubts } = await provenance(
    { 'bin/run': 'exec', 'bin/other': 'exec', 'bin/more': 'exec' },
    null,
  );
  expect(problems).toEqual([]);
  expect(doubts).toEqual(['app.trace executed "bin/more", and 1 more, which the image does not have']);
});

it('a trace of another image with such programs is refused', async () => {
  const { problems, doubts } = await provenance({ 'bin/other': 'exec' }, there);
  expect(doubts).toEqual([]);
  expect(problems).toMatchObject([
    {
      kind: 'other-image',
      path: 'bin/other',
      sentence: `app.trace is of another image, ${there}; it executed "bin/other", which the image does not have`,
    },
  ]);
});

it('opened files that the image does not have, and that the run did not make, cause a doubt', async () => {
  const paths = {
    'bin/run': 'exec',
    'a/1': 'open',
    'a/2': 'open',
    'a/3': 'open',
    'a/4': 'open',
    'proc/1': 'open',
  };
  const made = { 'a/new': 'open write', 'b/x/y': 'open', 'c/z': 'open' };
  const changes = [
    { kind: 'moved' as const, path: b('b'), from: b('tmp/b') },
    { kind: 'symlink' as const, path: b('c'), target: b('nowhere') },
  ];
  const { doubts } = await provenance({ ...paths, ...made }, here, { changes });
  expect(doubts).toEqual(['app.trace opened "a/1", "a/2", "a/3", and 1 more, which the image does not have']);
  expect((await provenance(paths, here, { knowsExecs: false })).doubts).toEqual([]);
});

describe('a run', () => {
  const end = { status: 0, signal: null, stopped: null, seconds: 1.26 } as const;

  it.each<[string, RunEnd, string | null]>([
    ['that succeeded', end, null],
    ['that failed', { ...end, status: 3 }, 'exited with 3 after 1.3 s'],
    ['that crashed', { ...end, status: 139, signal: 'SIGSEGV' }, 'was ended by SIGSEGV after 1.3 s'],
    ['that --for ended', { ...end, status: 143, signal: 'SIGTERM', stopped: 'for' }, null],
    ['that a person ended', { ...end, status: 1, stopped: 'signal' }, null],
  ])('%s is refused only if it failed by itself', async (_, run, why) => {
    const { problems, doubts } = await provenance({ 'bin/run': 'exec' }, here, { ends: [end, run] });
    const sentence = `the run of app.trace failed: it ${why}`;
    expect(problems).toEqual(why === null ? [] : [{ kind: 'failed-run', path: null, sentence }]);
    expect(doubts).toEqual([]);
  });

  it('below a strace that a person started is only doubted, since it may be of a part of the program', async () => {
    const { problems, doubts } = await provenance({ 'bin/run': 'exec' }, here, {
      ends: [{ ...end, status: 3, seconds: null }],
    });
    expect([problems, doubts]).toEqual([[], ['the run of app.trace may have failed: it exited with 3']]);
  });
});

it('what a trace cannot show is said', async () => {
  const parts = { gaps: ['does not show what was opened through io_uring'], isBlind: true };
  expect((await provenance({ 'bin/run': 'exec' }, here, parts)).doubts).toEqual([
    'app.trace does not show what was opened through io_uring: at least whole packages stay',
  ]);
});

it('what a tool cannot show is said where only single files stay', async () => {
  const input = await inputOf({ image: { 'bin/run': 'x' } });
  const trace = traceOf({ 'bin/run': 'exec' }, { gaps: ['does not show stat (fatrace)'] });
  expect(atOnce(provenanceSteps({ ...input, trace, granularity: 'file' }, here)).doubts).toEqual([
    'app.trace does not show stat (fatrace): --granularity package keeps whole packages instead',
  ]);
  expect(atOnce(provenanceSteps({ ...input, trace, granularity: 'package' }, here)).doubts).toEqual([]);
});
