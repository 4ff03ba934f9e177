import type { BlockEncoder } from './block-encoder.ts';
import { GzipMember } from './gzip-member.ts';
import type { GzipWorkers } from './gzip-workers.ts';
import { MiB } from '../units.ts';

/** Only how much is handed over at a time: pako's bytes do not depend on it. */
const handOver = MiB;

/** One gzip member, made from start to end in one worker thread. */
export function pakoEncoder(level: number, workers: GzipWorkers): BlockEncoder {
  const member = new GzipMember(level);
  const session = workers.pako(level);
  return {
    blockSize: handOver,
    ahead: 1,
    serial: true,
    head: member.head,
    prepare: ({ bytes, last }) => {
      member.add(bytes);
      return () => session.push(bytes, last);
    },
    tail: () => member.tail(),
    close: () => session.close(),
  };
}
