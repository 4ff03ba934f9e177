/**
 * Finds and starts the files of worker threads. A bundle that has no such files beside it puts another module in the place of this one
 * (`scripts/release/program`).
 */
import { Worker } from 'node:worker_threads';

/** Returns the file of a worker thread: `.ts` beside sources, `.js` in a build, since the compiler does not rewrite the name. */
export function workerFile(name: string, importer: string): URL {
  return new URL(`./${name}.${importer.endsWith('.ts') ? 'ts' : 'js'}`, importer);
}

/** Starts a thread. Throws Node's own error if it cannot be started. */
export function startWorker(file: URL): Worker {
  // Flags of this process, such as --input-type, may not apply to a file.
  return new Worker(file, { execArgv: [] });
}
