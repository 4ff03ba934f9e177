/**
 * The worker thread of the gzip engines libdeflate and pako, which would block the main thread. `gzip-workers.ts` starts it and
 * exchanges these messages with it.
 */
import { parentPort } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import type { Deflate } from 'pako';
import { concat } from '../stream/collect.ts';
import { leaveOpen } from './deflate-join.ts';

/** A task, or the end of a session. */
export type GzipRequest =
  | {
      readonly id: number;
      readonly engine: 'libdeflate';
      readonly level: number;
      readonly bytes: Uint8Array;
      /** Whether the stream ends with these bytes. */
      readonly last: boolean;
    }
  | {
      readonly id: number;
      readonly engine: 'pako';
      readonly level: number;
      readonly bytes: Uint8Array;
      readonly session: number;
      readonly last: boolean;
    }
  | { readonly engine: 'forget'; readonly session: number };

export type GzipReply =
  | {
      readonly id: number;
      readonly kind: 'packed';
      readonly packed: Uint8Array<ArrayBuffer>;
      /** The CRC-32 of what was packed. */
      readonly crc: number;
    }
  | { readonly id: number; readonly kind: 'unavailable' | 'failed'; readonly error: unknown };

/** An engine that cannot be loaded. */
class Unavailable extends Error {}

/** The pako streams that live in this thread, by session. */
const sessions = new Map<number, { readonly deflate: Deflate; chunks: Uint8Array[] }>();
let libdeflate: Promise<typeof import('libdeflate')> | undefined;
let pako: Promise<typeof import('pako')> | undefined;

const port = parentPort;
port?.on('message', (request: GzipRequest) => void answer(request));

async function answer(request: GzipRequest): Promise<void> {
  if (request.engine === 'forget') {
    sessions.delete(request.session);
    return;
  }
  const { id } = request;
  try {
    const { packed, crc } =
      request.engine === 'libdeflate' ? await runLibdeflate(request) : await runPako(request);
    reply({ id, kind: 'packed', packed, crc }, [packed.buffer]);
  } catch (error) {
    if (error instanceof Unavailable) reply({ id, kind: 'unavailable', error: error.cause }, []);
    else reply({ id, kind: 'failed', error }, []);
  }
}

function reply(reply: GzipReply, transfer: ArrayBuffer[]): void {
  port?.postMessage(reply, transfer);
}

/** A packed piece in memory of its own, and the CRC-32 of what was packed. */
interface Piece {
  readonly packed: Uint8Array<ArrayBuffer>;
  readonly crc: number;
}

/** Packs a piece of a raw deflate stream, which the next piece can follow unless it is the last. */
async function runLibdeflate({ bytes, level, last }: GzipRequest & { engine: 'libdeflate' }): Promise<Piece> {
  const { deflate } = await (libdeflate ??= load(async () => {
    if (!('WebAssembly' in globalThis)) throw new Error('this Node has no WebAssembly');
    return import('libdeflate');
  }));
  const stream = deflate(bytes, level) as Uint8Array<ArrayBuffer>;
  return { packed: last ? stream : leaveOpen(stream), crc: crc32(bytes) };
}

async function runPako(request: GzipRequest & { engine: 'pako' }): Promise<Piece> {
  const { Deflate } = await (pako ??= load(() => import('pako')));
  let session = sessions.get(request.session);
  if (session === undefined) {
    const started = { deflate: new Deflate({ level: request.level, raw: true }), chunks: [] as Uint8Array[] };
    started.deflate.onData = (chunk) => started.chunks.push(chunk);
    started.deflate.onEnd = () => {};
    sessions.set(request.session, started);
    session = started;
  }
  const { deflate } = session;
  deflate.push(request.bytes, request.last);
  if (deflate.err !== 0) throw new Error(deflate.msg);
  const packed = concat(session.chunks) as Uint8Array<ArrayBuffer>;
  session.chunks = [];
  if (request.last) sessions.delete(request.session);
  return { packed, crc: crc32(request.bytes) };
}

async function load<T>(engine: () => Promise<T>): Promise<T> {
  try {
    return await engine();
  } catch (cause) {
    throw new Unavailable('not available', { cause });
  }
}
