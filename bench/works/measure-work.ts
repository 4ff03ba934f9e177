/**
 * Measures one work with one image: all contenders warm up, and then run in turns. A contender that fails is left
 * out from then on.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { account, type RunOptions, type Usage } from '../measure/account.ts';
import type { Output, Row } from '../results.ts';
import { lookAtResult } from './look-at-result.ts';
import type { Rig } from './rig.ts';
import { verifyResult } from './verify-result.ts';
import type { Contender, Rival, Task, Work } from './work.ts';

/** A contender with its rival. */
export interface Entrant {
  readonly rival: Rival;
  readonly contender: Contender;
}

export interface MeasureOptions extends RunOptions {
  readonly image: string;
  /** The layout of the image in another compression, where the work needs one. */
  readonly sibling: string | undefined;
  readonly runs: number;
  /** Whether the results of rivals are verified too, not only those of ocislim. */
  readonly verifyAll: boolean;
  /** The seconds for all rounds. No round begins that would probably end later, except the first. */
  readonly bound: number;
}

interface Lane extends Entrant {
  readonly runs: Usage[];
  output: Output | null;
  moved: Row['moved'];
  verified: string | null;
  failure: string | null;
}

/** Runs the warm-ups, in which bytes are counted and results verified, and then the rounds. @throws AbortError */
export async function measureWork(
  work: Work,
  entrants: readonly Entrant[],
  rig: Rig,
  options: MeasureOptions,
): Promise<readonly Row[]> {
  const lanes = entrants.map(
    (entrant): Lane => ({ ...entrant, runs: [], output: null, moved: null, verified: null, failure: null }),
  );
  let round = 0;
  for (const lane of lanes) round += await warmUp(work, lane, rig, options);
  const start = performance.now();
  for (let i = 0; i < options.runs; i++) {
    const begin = performance.now();
    if (i > 0 && (begin - start) / 1000 + round > options.bound) break;
    for (const lane of lanes) {
      if (lane.failure !== null) continue;
      rig.clear();
      const usage = await run(work, lane, rig.task(options.sibling), options, async () => undefined);
      if (usage !== null) lane.runs.push(usage);
    }
    round = (performance.now() - begin) / 1000;
  }
  return lanes.map(({ rival, contender, runs, output, moved, verified, failure }) => ({
    work: work.name,
    image: options.image,
    label: contender.label,
    rival: rival.name,
    runs,
    output,
    moved,
    verified,
    differs: contender.differs ?? null,
    failure,
  }));
}

/** Runs the warm-up, and returns its seconds. */
async function warmUp(work: Work, lane: Lane, rig: Rig, options: MeasureOptions): Promise<number> {
  rig.clear();
  const counted = work.form === 'registry' ? await rig.counted() : undefined;
  try {
    const task = counted?.task ?? rig.task(options.sibling);
    const usage = await run(work, lane, task, options, async (output) => {
      lane.output = output;
      lane.moved = counted?.moved() ?? null;
      if (options.verifyAll || lane.rival.name === 'ocislim')
        lane.verified = await verifyResult(work, lane.contender, task, options);
      // Results of others may differ, and the tables say so.
      if (lane.rival.name === 'ocislim' && (lane.verified ?? 'same') !== 'same')
        throw new Error(`ocislim verify: ${lane.verified}`);
    });
    return usage?.seconds ?? 0;
  } finally {
    await counted?.close();
  }
}

/** Runs once in an empty folder and inspects the result; null where that failed, which the lane records. */
async function run(
  work: Work,
  lane: Lane,
  task: Task,
  options: MeasureOptions,
  use: (output: Output | null) => Promise<void>,
): Promise<Usage | null> {
  rmSync(task.folder, { recursive: true, force: true });
  mkdirSync(task.folder, { recursive: true });
  try {
    const { usage, failure } = await account(lane.contender.command(task), options);
    if (failure !== null) throw new Error(failure);
    await use(await lookAtResult(work, lane.contender, task, options.signal));
    return usage;
  } catch (error) {
    options.signal.throwIfAborted();
    lane.failure = (error as Error).message;
    return null;
  } finally {
    rmSync(task.folder, { recursive: true, force: true });
  }
}
