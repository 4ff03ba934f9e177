import { parentPort } from 'node:worker_threads';
import type { WorkerAnswer, WorkerRequest } from './encoder-pool.ts';

// Runs in a worker thread: packs one block at a time, and gives the memory of the input back with the result.

let stream: { push(bytes: Uint8Array, last: boolean): Uint8Array<ArrayBuffer> } | null = null;

async function pack({
  engine,
  level,
  memory,
  length,
  last,
}: WorkerRequest): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(memory, 0, length);
  if (engine === 'libdeflate') {
    const { gzip } = await import('libdeflate');
    return gzip(bytes, level) as Uint8Array<ArrayBuffer>;
  }
  stream ??= await openPako(level);
  const output = stream.push(bytes, last);
  if (last) stream = null;
  return output;
}

async function openPako(level: number) {
  const { Deflate } = await import('pako');
  let chunks: Uint8Array[] = [];
  const deflate = new Deflate({ gzip: true, level, chunkSize: 256 * 1024 });
  deflate.onData = (chunk: Uint8Array) => void chunks.push(chunk);
  deflate.onEnd = () => {};
  return {
    push(bytes: Uint8Array, last: boolean): Uint8Array<ArrayBuffer> {
      chunks = [];
      if (!deflate.push(bytes, last)) throw new Error(`error ${deflate.err}`);
      return new Uint8Array(Buffer.concat(chunks));
    },
  };
}

parentPort?.on('message', (request: WorkerRequest) => {
  pack(request).then(
    (output) =>
      parentPort?.postMessage({ output, memory: request.memory } satisfies WorkerAnswer, [
        output.buffer,
        request.memory,
      ]),
    (error: unknown) => {
      stream = null;
      parentPort?.postMessage({
        failure: error instanceof Error ? error.message : String(error),
      } satisfies WorkerAnswer);
    },
  );
});
