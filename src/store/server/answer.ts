/**
 * The calls that handlers of the embedded registry get, and the answers that they return. Sent by handle-request.ts.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { tally } from '../../stream/seal.ts';

/** A request, as handlers see it. */
export interface Call {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  /** Aborts when the server closes. */
  readonly signal: AbortSignal;
  /** The body, for one consumer. */
  readonly body: ByteStream;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Not sent in answer to a HEAD. `size` in bytes. */
  readonly body: { readonly stream: ByteStream; readonly size: number } | Uint8Array | null;
}

/** Makes an answer with a JSON body, of status 200. */
export function json(value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = Buffer.from(JSON.stringify(value));
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** Makes an answer without a body. */
export function nothing(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers, body: null };
}

/** Sends an answer to a call. `onSent` receives the number of bytes of each piece of the body. */
export async function sendAnswer(
  answer: Answer,
  { method, signal }: Call,
  response: ServerResponse,
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
  // Counted as it is given out: a client that has all that it asked for may close the connection before the end is seen here.
  await pipeline(tally(body.stream, onSent), response, { signal });
}
