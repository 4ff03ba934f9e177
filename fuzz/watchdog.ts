/**
 * Runs the fuzzing thread of a target, and ends it where an input does not come back or fills the memory. V8 cannot
 * be interrupted from within.
 */
import { Worker } from 'node:worker_threads';
import type { FoundInput, Limits } from './fuzzing.ts';
import { type FindingKind, findingOf } from './judge.ts';
import { type Job, type Report, Slate } from './messages.ts';
import { GiB } from '../src/units.ts';

/** The outcome of fuzzing one target. */
export interface Result {
  readonly executions: number;
  readonly seconds: number;
  readonly blocks: number;
  readonly inputs: number;
  readonly findings: readonly FoundInput[];
}

export interface WatchOptions {
  readonly module: string;
  readonly seed: number;
  readonly limits: Limits;
  readonly counted: string;
  readonly only?: Uint8Array;
  /** Milliseconds that one input may take before its thread is ended. */
  readonly patience?: number;
  readonly onFinding?: (found: FoundInput) => void;
  /** Returns whether the findings suffice to end before the time. */
  readonly isEnough?: (findings: readonly FoundInput[]) => boolean;
}

/** The heap of a thread, and the memory of the process beyond which the input at hand is a finding. */
const heapMegabytes = 768;
const mostMemory = 3 * GiB;
/** Threads that may be lost to one target before it is given up. */
const mostLosses = 3;

type Ending =
  | { readonly kind: 'done' }
  | { readonly kind: 'lost'; readonly why: FindingKind; readonly message: string; readonly stack: string };

/** Fuzzes one target in a thread of its own. */
export async function watch(options: WatchOptions): Promise<Result> {
  const { limits, seed } = options;
  const start = performance.now();
  const corpus: Uint8Array[] = [];
  const findings: FoundInput[] = [];
  let [executions, blocks, inputs] = [0, 0, 0];
  const note = (found: FoundInput): void => {
    findings.push(found);
    options.onFinding?.(found);
  };
  for (let losses = 0; losses < mostLosses; losses++) {
    const slate = new Slate();
    const before = executions;
    const time = limits.time - (performance.now() - start);
    if (time <= 0) break;
    const job: Job = {
      module: options.module,
      seed: seed + losses,
      limits: { time, executions: limits.executions - executions },
      corpus,
      slate: slate.memory,
      counted: options.counted,
      only: options.only ?? null,
    };
    const ending = await runThread(job, slate, options.patience ?? 10_000, (report, stop) => {
      if (report.kind === 'kept') corpus.push(report.bytes);
      else if (report.kind === 'found') {
        note(report.found);
        if (options.isEnough?.(findings) === true) stop();
      }
      if (report.kind === 'progress') {
        executions = before + report.executions;
        blocks = Math.max(blocks, report.blocks);
        inputs = report.inputs;
      }
    });
    if (ending.kind === 'done') break;
    const { why, message, stack } = ending;
    note({ kind: why, message, stack, bytes: slate.read() });
    if (options.only !== undefined) break;
  }
  return { executions, seconds: (performance.now() - start) / 1000, blocks, inputs, findings };
}

async function runThread(
  job: Job,
  slate: Slate,
  patience: number,
  onReport: (report: Report, stop: () => void) => void,
): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: job,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
  });
  const lose = (why: FindingKind, message: string, stack = ''): void =>
    resolve({ kind: 'lost', why, message, stack });
  worker.on('message', (report: Report) => {
    onReport(report, () => resolve({ kind: 'done' }));
    if (report.kind === 'progress' && report.done) resolve({ kind: 'done' });
  });
  worker.on('error', (error: Error & { code?: string }) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      lose('memory', `needs more than ${heapMegabytes} MiB of heap`);
    else lose('thrown', `thrown where nobody waits: ${error.message}`, findingOf(error)?.stack ?? '');
  });
  worker.on('exit', () => lose('hang', 'the thread ended in the middle of an input'));
  let [last, since] = [slate.running, performance.now()];
  const timer = setInterval(() => {
    const { running } = slate;
    if (running !== last || running === null) [last, since] = [running, performance.now()];
    else if (performance.now() - since > patience) lose('hang', `did not come back within ${patience} ms`);
    else if (process.memoryUsage.rss() > mostMemory)
      lose('memory', `the process holds more than ${mostMemory / GiB} GiB`);
  }, 100);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
}
