/**
 * Starts the threads of a bundled program: `program.ts` puts this module in the place of `src/codec/worker-thread.ts`. An executable
 * has their code in itself; else it lies in files beside the program.
 */
import { getAsset, isSea } from 'node:sea';
import { Worker } from 'node:worker_threads';

/** The scheme of what is inside of the executable. */
const inside = 'inside:';

/** Returns the place of a worker thread's code. */
export function workerFile(name: string, importer: string): URL {
  return new URL(isSea() ? `${inside}${name}.cjs` : `./${name}.cjs`, isSea() ? undefined : importer);
}

/** Starts a thread. Throws Node's own error if it cannot be started. */
export function startWorker(file: URL): Worker {
  if (file.protocol !== inside) return new Worker(file, { execArgv: [] });
  return new Worker(getAsset(file.pathname, 'utf8'), { eval: true, execArgv: [] });
}
