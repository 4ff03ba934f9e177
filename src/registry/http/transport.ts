/**
 * HTTP exchanges over undici's pools, one for each server and lane. The client and the token fetcher send through it; redirects,
 * retries and logins are theirs.
 */
import { type Dispatcher, Pool } from 'undici';
import { OcislimError } from '../../errors.ts';
import type { Clock } from '../../retry/clock.ts';
import { raced } from '../../retry/raced.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { isLoopback, publicLookup } from './address.ts';
import { type ConnectOptions, connectorOf } from './connector.ts';
import { HeadDeadline } from './head-deadline.ts';
import { findPlainServer } from './plain-server.ts';
import { type Proxy, type ProxyLookup, proxyRefusal } from './proxy.ts';
import { secretsOf } from './secrets.ts';
import { retryAfter } from './transient.ts';
import type { Trust } from '../tls/trust.ts';
import { KiB } from '../../units.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One exchange with one server: without redirects, retries and authorization. */
export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | ByteStream | null;
  /**
   * The pool of connections. A download stays open while its consumer uploads what is made from it, so it must not take a
   * connection that the upload waits for.
   */
  readonly lane: 'request' | 'download';
  /** Whether a server named the URL (a redirect, a token realm, an upload location), and not the user. */
  readonly foreign: boolean;
  /** Milliseconds without progress after which the exchange fails. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The URL that answered, after redirects. */
  readonly url: URL;
  readonly body: Dispatcher.ResponseData['body'];
  /** Milliseconds that the server asks to wait by `Retry-After`; null if it does not. */
  readonly pause: number | null;
  /** The secrets that this client has sent to any server: none is quoted from the answer. */
  readonly secrets: ReadonlySet<string>;
}

export interface TransportOptions {
  /** Connections per server for everything but downloads. */
  readonly connections: number;
  readonly verifyTls: boolean;
  readonly trust: Trust;
  readonly proxies: ProxyLookup;
  /** Whether servers may send us to local addresses: if the registry itself is on one. */
  readonly allowLocal: boolean;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
}

/** The way to one server, for one lane. */
interface Route {
  readonly pool: Pool;
  /** The proxy that passes on requests in plain HTTP; null without one, and through a tunnel. */
  readonly via: Proxy | null;
}

/** The connections to a registry and to the servers that it names, through the user's proxies. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #routes = new Map<string, Promise<Route>>();
  /** By host: the errors of servers of this machine that do not speak TLS, null for others. */
  readonly #plain = new Map<string, Promise<Error | null>>();
  readonly #closing = new AbortController();
  readonly #secrets = new Set<string>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /**
   * Sends a request. Its body streams as it is read, its answer's body as the caller reads it.
   * @throws the signal's reason, IO for certificates, USAGE for proxies, ProxyError, or errors of undici and Node
   */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    for (const secret of secretsOf(request.headers, request.body)) this.#secrets.add(secret);
    const sending = this.#send(request, signal);
    try {
      // undici heeds the signal only once there is a connection.
      return await raced(sending, signal);
    } catch (error) {
      sending.then(
        ({ body }) => void body.destroy(),
        () => {},
      );
      signal.throwIfAborted();
      throw error;
    }
  }

  async #send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { method, url, headers, body, timeoutMs } = request;
    await this.#refusePlain(url);
    const { pool, via } = await this.#route(request);
    signal.throwIfAborted();
    const deadline = new HeadDeadline(timeoutMs, this.#options.clock);
    const answer = await pool.request({
      // A proxy gets the whole URL (RFC 9112, 3.2.2).
      path: `${via === null ? '' : url.origin}${url.pathname}${url.search}`,
      method,
      headers: {
        ...headers,
        ...(via === null ? {} : { host: url.host }),
        ...(via === null || via.authorization === null
          ? {}
          : { 'proxy-authorization': via.authorization.reveal() }),
        // Set for slices too, which would go in chunked coding otherwise: not every registry takes that.
        ...(body instanceof Uint8Array ? { 'content-length': String(body.length) } : {}),
        'accept-encoding': 'identity',
        'user-agent': 'ocislim',
      },
      // undici takes any iterable; its types name Node's streams only.
      body: body === null ? null : (asBody(body, deadline) as Dispatcher.DispatchOptions['body'] & object),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      // Otherwise undici closes the connection after every HEAD.
      reset: false,
      signal,
      onInfo: deadline.onInterim,
    });
    // An unread body that is destroyed throws at the process otherwise.
    answer.body.on('error', () => {});
    if (via !== null && answer.statusCode === 407) {
      answer.body.destroy();
      throw proxyRefusal(via, url, 407);
    }
    const retryHeader = header(answer, 'retry-after');
    return {
      status: answer.statusCode,
      headers: answer.headers,
      url,
      body: answer.body,
      pause: retryAfter(retryHeader, this.#options.clock),
      secrets: this.#secrets,
    };
  }

  /** Throws the error of a server of this machine that is asked by https and does not speak TLS. */
  async #refusePlain(url: URL): Promise<void> {
    const { allowLocal, proxies, connectTimeoutMs, trust } = this.#options;
    if (url.protocol !== 'https:' || !allowLocal || !isLoopback(url)) return;
    if (trust.areGiven || proxies(url) !== null) return;
    let finding = this.#plain.get(url.host);
    if (finding === undefined) {
      finding = findPlainServer(url, connectTimeoutMs, this.#closing.signal);
      this.#plain.set(url.host, finding);
    }
    const error = await finding;
    if (error !== null) throw error;
  }

  #route(request: HttpRequest): Promise<Route> {
    this.#refuseClosed();
    const guarded = request.foreign && !this.#options.allowLocal;
    const key = `${request.lane} ${request.foreign} ${request.url.origin}`;
    let route = this.#routes.get(key);
    if (route === undefined) {
      route = this.#makeRoute(request, guarded);
      this.#routes.set(key, route);
    }
    return route;
  }

  async #makeRoute({ lane, foreign, url }: HttpRequest, guarded: boolean): Promise<Route> {
    const { connections, verifyTls, trust, proxies, connectTimeoutMs: timeoutMs } = this.#options;
    const proxy = proxies(url);
    const isTls = url.protocol === 'https:';
    const toServer: ConnectOptions = {
      verifyTls,
      context: isTls ? await trust.contextFor(url, foreign) : null,
      // A proxy resolves names itself: its owner decides whether it may go to a local address.
      lookup: guarded && proxy === null ? publicLookup : null,
      timeoutMs,
    };
    // The user named the proxy, not the registry: it is verified, even where the registry is not.
    const context = proxy?.url.protocol === 'https:' ? await trust.usual() : null;
    const toProxy: ConnectOptions = { verifyTls: true, context, lookup: null, timeoutMs };
    this.#refuseClosed();
    const connect = connectorOf(
      proxy === null ? null : { proxy, target: url, toProxy },
      toServer,
      this.#closing.signal,
    );
    const via = isTls ? null : proxy;
    const pool = new Pool(via === null ? url.origin : via.url.origin, {
      connections: lane === 'download' ? null : connections,
      connect,
    });
    return { pool, via };
  }

  #refuseClosed(): void {
    if (this.#closing.signal.aborted)
      throw new OcislimError('INTERNAL', 'a registry was asked for something after it was closed');
  }

  /** Drops every connection at once. */
  async close(): Promise<void> {
    this.#closing.abort();
    const routes = [...this.#routes.values()];
    this.#routes.clear();
    await Promise.all(
      routes.map((route) =>
        route.then(
          ({ pool }) => pool.destroy(),
          () => {},
        ),
      ),
    );
  }
}

const slice = 64 * KiB;

/** Returns a body in slices, each of which counts as progress: a slow connection is not a stalled one. */
function asBody(body: Uint8Array | ByteStream, deadline: HeadDeadline): Uint8Array | ByteStream {
  if (!(body instanceof Uint8Array)) return deadline.noting(body);
  return body.length <= slice ? body : deadline.noting(slices(body));
}

function* slices(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += slice) yield bytes.subarray(at, at + slice);
}

/** Returns every value of a header. */
export function headerValues(answer: Pick<HttpAnswer, 'headers'>, name: string): readonly string[] {
  const value = answer.headers[name];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

/** Returns the first value of a header that should occur once; null if it is missing. */
export function header(answer: Pick<HttpAnswer, 'headers'>, name: string): string | null {
  return headerValues(answer, name)[0] ?? null;
}

/** Returns `Content-Length` as a number; null when it is missing or malformed. */
export function contentLength(answer: HttpAnswer): number | null {
  const text = header(answer, 'content-length');
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Milliseconds that the rest of an answer may take that is only read so that its connection can be used again. */
const longestDrain = 5000;

/** Drops an unread body: a short one is drained, so that its connection can be used again. Never fails. */
export function discard({ body }: Pick<HttpAnswer, 'body'>): void {
  // One that only trickles would keep its connection from others.
  const timer = setTimeout(() => void body.destroy(), longestDrain);
  timer.unref();
  body
    .dump({ limit: 16 * KiB })
    .catch(() => {})
    .finally(() => clearTimeout(timer));
}

/** Reads the first `limit` bytes of a body, as far as they come in ten seconds, and drops the rest. Never fails. */
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
    // Some servers drop the connection in the middle of an error: what came before it counts.
  } finally {
    clearTimeout(timer);
  }
  return new Uint8Array(Buffer.concat(chunks).subarray(0, limit));
}
