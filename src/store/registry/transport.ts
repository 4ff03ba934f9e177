import type { SecureContext } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import { OcislimError } from '../../errors.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { publicLookup } from './address.ts';
import { trustContext } from './trust.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One exchange with one server: no redirects, no retries, no authorization of its own. */
export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | ByteStream | null;
  /**
   * Downloads stay open while their consumer uploads what it made of them, so they must not take the connections that
   * those uploads wait for.
   */
  readonly lane: 'request' | 'download';
  /** Was this URL named by a server (a redirect, a token realm, an upload location) and not by the person? */
  readonly foreign: boolean;
  /** Milliseconds without progress after which the exchange fails. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  readonly body: Dispatcher.ResponseData['body'];
}

export interface TransportOptions {
  /** Connections per server for everything but downloads. */
  readonly connections: number;
  readonly verifyTls: boolean;
  /** CAs besides the system's, in PEM. */
  readonly authorities: readonly string[];
  /** May servers send us to local addresses? True when the registry itself is on one. */
  readonly allowLocal: boolean;
  readonly connectTimeoutMs: number;
}

/** The connections to a registry and to the servers that it names. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #agents = new Map<string, Agent>();
  #trust: SecureContext | null = null;
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** @throws the signal's reason, or undici's and Node's own errors. */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    if (this.#closed)
      throw new OcislimError('INTERNAL', 'a registry was asked for something after it was closed');
    const { method, url, headers, body, timeoutMs } = request;
    try {
      const answer = await this.#agent(request).request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: {
          ...headers,
          // Said for slices too, which would otherwise go in HTTP's own chunks: not every registry takes those.
          ...(body instanceof Uint8Array ? { 'content-length': String(body.length) } : {}),
          'accept-encoding': 'identity',
          'user-agent': 'ocislim',
        },
        // undici takes any iterable; its types name Node's streams only.
        body: body === null ? null : (asBody(body) as Dispatcher.DispatchOptions['body'] & object),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        // Else undici closes the connection after every HEAD.
        reset: false,
        signal,
      });
      // A body that is destroyed before anybody reads it would otherwise throw at the process.
      answer.body.on('error', () => {});
      return { status: answer.statusCode, headers: answer.headers, url, body: answer.body };
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  #agent({ lane, foreign }: HttpRequest): Agent {
    const guarded = foreign && !this.#options.allowLocal;
    const key = `${lane} ${guarded}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const { connections, verifyTls, connectTimeoutMs } = this.#options;
    const agent = new Agent({
      connections: lane === 'download' ? null : connections,
      allowH2: false,
      connect: {
        // Said either way, so that NODE_TLS_REJECT_UNAUTHORIZED has no say.
        rejectUnauthorized: verifyTls,
        ...(verifyTls ? { secureContext: this.#trusted() } : {}),
        timeout: connectTimeoutMs,
        ...(guarded ? { lookup: publicLookup } : {}),
      },
    });
    this.#agents.set(key, agent);
    return agent;
  }

  /** Made once: each connection would otherwise read all certificates anew. */
  #trusted(): SecureContext {
    this.#trust ??= trustContext(this.#options.authorities);
    return this.#trust;
  }

  /** Drops every connection at once. */
  async close(): Promise<void> {
    this.#closed = true;
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map((agent) => agent.destroy()));
  }
}

const slice = 64 * 1024;

/** In slices, each of which counts as progress: a slow line is not a stalled one. */
function asBody(
  body: Uint8Array | ByteStream,
): Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (!(body instanceof Uint8Array) || body.length <= slice) return body;
  return slices(body);
}

function* slices(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += slice) yield bytes.subarray(at, at + slice);
}

/** Every value of a header. */
export function headerValues(answer: HttpAnswer, name: string): readonly string[] {
  const value = answer.headers[name];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

/** A header that should come once: its first value, or null. */
export function header(answer: HttpAnswer, name: string): string | null {
  return headerValues(answer, name)[0] ?? null;
}

/** `Content-Length` as a number, or null when it is missing or malformed. */
export function contentLength(answer: HttpAnswer): number | null {
  const text = header(answer, 'content-length');
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Lets go of a body that nobody reads: a short one is drained so that its connection lives on. Never fails. */
export function discard(answer: HttpAnswer): void {
  answer.body.dump({ limit: 16 * 1024 }).catch(() => {});
}

/** The first `limit` bytes of a body at most, as far as they come in ten seconds; the rest, and any trouble, is let go. */
export async function readHead(answer: HttpAnswer, limit: number, withinMs = 10_000): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const timer = setTimeout(() => void answer.body.destroy(), withinMs);
  try {
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= limit) break;
    }
  } catch {
    // What came is all there is: some servers drop the connection in the middle of an error.
  } finally {
    clearTimeout(timer);
  }
  return new Uint8Array(Buffer.concat(chunks).subarray(0, limit));
}
