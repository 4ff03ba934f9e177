import { pipeline } from 'node:stream/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { tally } from '../../stream/seal.ts';

/** A request, as the handlers see it. */
export interface Call {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly signal: AbortSignal;
  /** The body, counted. One consumer. */
  readonly body: ByteStream;
}

/** What a handler answers. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Left out of the answer to a HEAD. `size` in bytes. */
  readonly body: { readonly stream: ByteStream; readonly size: number } | Uint8Array | null;
}

export function json(value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = Buffer.from(JSON.stringify(value));
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body };
}

export function nothing(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers, body: null };
}

/** Sends an answer. `onSent` hears of the bytes of the body that go out. */
export async function send(
  answer: Answer,
  method: string,
  response: ServerResponse,
  signal: AbortSignal,
  onSent: (count: number) => void,
): Promise<void> {
  const { status, body } = answer;
  const size = body === null ? 0 : body instanceof Uint8Array ? body.length : body.size;
  // A 204 has no length (RFC 9110 section 8.6).
  const length = status === 204 || status === 304 ? {} : { 'content-length': String(size) };
  response.writeHead(status, {
    'docker-distribution-api-version': 'registry/2.0',
    ...length,
    ...answer.headers,
  });
  if (body === null || method === 'HEAD') {
    response.end();
    return;
  }
  if (body instanceof Uint8Array) {
    response.end(body);
    onSent(size);
    return;
  }
  // A client that has all it asked for may be gone before the end is seen here: what it was given counts.
  await pipeline(tally(body.stream, onSent), response, { signal });
}
