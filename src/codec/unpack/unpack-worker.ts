/**
 * The worker thread that unpacks streams and hashes the result, so that the main thread need not. `threads.ts` starts it and
 * exchanges the messages of `messages.ts` with it.
 */
import { parentPort } from 'node:worker_threads';
import { hasherOf } from '../../oci/digest.ts';
import { decode } from '../decode.ts';
import { ChunkFiller } from './filler.ts';
import type { Order } from './messages.ts';
import { Unpacker } from './unpacker.ts';

const unpacker = new Unpacker(
  (inputs, { compression, maxWindow, hash }, signal) =>
    // The decoder of gzip leaves the memory of its chunks to this thread.
    new ChunkFiller(
      decode(inputs, compression, { signal, maxWindow }),
      hasherOf(hash),
      compression === 'gzip',
    ),
  (answer, transfer) => parentPort?.postMessage(answer, transfer),
);
parentPort?.on('message', (order: Order) => unpacker.handle(order));
