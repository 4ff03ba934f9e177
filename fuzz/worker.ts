import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.ts';
import { Fuzzing } from './fuzzing.ts';
import { judge } from './judge.ts';
import { type Job, type Report, Slate } from './messages.ts';
import type { Target } from './target.ts';

const job = workerData as Job;
const slate = new Slate(job.slate);
const tell = (report: Report): void => parentPort?.postMessage(report);
// A target that waits for ever must not let the thread end silently.
parentPort?.ref();
parentPort?.on('message', () => {});

// Coverage starts before the sources are loaded: the length of a file is only in its first report.
const coverage = job.only === null ? new Coverage((url) => url.startsWith(job.counted)) : null;
const { target } = (await import(job.module)) as { readonly target: Target };

if (job.only === null) {
  let told = 0;
  const fuzzing = new Fuzzing(target, job.seed, coverage, {
    before: (bytes) => slate.begin(bytes),
    after: () => slate.end(),
    onKept: (bytes) => tell({ kind: 'kept', bytes }),
    onFinding: (found) => tell({ kind: 'found', found }),
    onBatch: () => {
      if (performance.now() - told > 500) progress(false);
    },
  });
  const progress = (done: boolean): void => {
    told = performance.now();
    const { executions, blocks, inputs } = fuzzing;
    tell({ kind: 'progress', executions, blocks, inputs, done });
  };
  await fuzzing.run(job.limits, job.corpus);
  progress(true);
} else {
  slate.begin(job.only);
  const found = await judge(target, job.only);
  slate.end();
  if (found !== null) tell({ kind: 'found', found: { ...found, bytes: job.only } });
  tell({ kind: 'progress', executions: 1, blocks: 0, inputs: 0, done: true });
}
parentPort?.close();
