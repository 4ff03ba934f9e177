/**
 * Answers the requests of the embedded registry: checks the account, finds the handler by the route, and sends its answer.
 * Called by serve-registry.ts, which makes one handler for each server.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { OcislimError } from '../../errors.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { tally } from '../../stream/seal.ts';
import { type Answer, type Call, json, sendAnswer } from './answer.ts';
import { answerBlob } from './blobs.ts';
import { HostCheck } from './host-check.ts';
import { answerCatalog, answerTags } from './listing.ts';
import { answerManifest, answerReferrers } from './manifests.ts';
import { Refusal } from './refusal.ts';
import type { RegistryStore } from './registry-store.ts';
import { parseRoute, type Route } from './route.ts';
import type { Uploads } from './uploads.ts';

/** One request, after its answer. */
export interface AccessEntry {
  readonly method: string;
  /** Path and query, as sent. */
  readonly path: string;
  readonly status: number;
  /** Bytes of the request's body that were read. */
  readonly received: number;
  /** Bytes of the answer's body. */
  readonly sent: number;
}

export interface HandlerOptions {
  /** Whether requests that change something are refused. Default: no. */
  readonly readOnly?: boolean;
  /** The one account that may use the server (Basic authentication). Default: no authentication. */
  readonly auth?: Account;
  /** Names by which clients reach the server, beside those of this machine. Default: none. */
  readonly allowHosts?: readonly string[];
  /** Called after each request, also after one that was refused or broke off. */
  readonly accessLog?: (entry: AccessEntry) => void;
}

interface Account {
  readonly username: string;
  readonly password: string;
}

/** Answers all requests of one server. Several may be under way at once. */
export class RequestHandler {
  readonly #options: HandlerOptions;
  readonly #store: RegistryStore;
  readonly #uploads: Uploads;
  readonly #hosts: HostCheck;

  /** @throws USAGE for a malformed name of a host */
  constructor(options: HandlerOptions, store: RegistryStore, uploads: Uploads) {
    this.#options = options;
    this.#store = store;
    this.#uploads = uploads;
    this.#hosts = new HostCheck(options.allowHosts ?? []);
  }

  /** Answers one request. Never fails. `signal`: the server is closing. */
  async handle(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { method = 'GET', url: path = '/' } = request;
    let received = 0;
    let sent = 0;
    const body: ByteStream = tally(request as AsyncIterable<Uint8Array>, (count) => {
      received += count;
    });
    try {
      const call = { method, query: queryOf(path), request, signal, body };
      const answer = await this.#respond(call, path).catch(answerError);
      await sendAnswer(answer, call, response, (count) => (sent += count));
    } catch {
      // The client is gone, the server is closing, or reading a blob failed: no more can be sent on this connection.
      response.destroy();
    }
    this.#options.accessLog?.({ method, path, status: response.statusCode, received, sent });
  }

  /** Checks host, account, path and method, and calls the handler. @throws Refusal, and errors of the disk */
  async #respond(call: Call, url: string): Promise<Answer> {
    const { auth, readOnly } = this.#options;
    this.#hosts.require(call.request);
    if (auth !== undefined && !isAllowed(call.request.headers.authorization, auth)) {
      throw new Refusal('UNAUTHORIZED', 'authentication required', {
        headers: { 'www-authenticate': 'Basic realm="ocislim", charset="UTF-8"' },
      });
    }
    const route = parseRoute(url.split('?', 1)[0] ?? '');
    if (route === null)
      throw new Refusal('UNSUPPORTED', 'this registry has no such endpoint', { status: 404 });
    if (readOnly === true && !isReading(call)) throw new Refusal('UNSUPPORTED', 'this registry is read-only');
    return this.#dispatch(route, call);
  }

  /** Calls the handler of an endpoint. Handlers check the methods that their endpoint knows. */
  async #dispatch(route: Route, call: Call): Promise<Answer> {
    const store = this.#store;
    switch (route.kind) {
      case 'manifest':
        return answerManifest(route, call, store);
      case 'blob':
        return answerBlob(route, call, store);
      case 'uploads':
        return this.#uploads.start(route.repository, call);
      case 'upload':
        return this.#uploads.answer(route, call);
      case 'base':
        requireReading(call);
        return json({});
      case 'catalog':
        requireReading(call);
        return answerCatalog(call, store);
      case 'tags':
        requireReading(call);
        return answerTags(route.repository, call, store);
      case 'referrers':
        requireReading(call);
        return answerReferrers(route, call, store);
    }
  }
}

function isReading({ method }: Call): boolean {
  return method === 'GET' || method === 'HEAD';
}

function requireReading(call: Call): void {
  if (!isReading(call)) throw new Refusal('UNSUPPORTED', `${call.method} is not for lists`);
}

/** Turns an error into the answer that tells the client. Errors other than ours say nothing about this machine. */
function answerError(error: unknown): Answer {
  const refusal = refusalOf(error);
  return {
    status: refusal.status,
    headers: { 'content-type': 'application/json', ...refusal.headers },
    body: Buffer.from(refusal.body),
  };
}

/** Returns the refusal that an error means. LIMIT comes from bodies that are too large. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (!(error instanceof OcislimError)) return new Refusal('UNKNOWN', 'internal error');
  if (error.code === 'LIMIT') return new Refusal('MANIFEST_INVALID', error.message, { status: 413 });
  return new Refusal('UNKNOWN', error.message);
}

/** Compares hashes, so that the time which that takes tells nothing about the password. */
function isAllowed(header: string | undefined, { username, password }: Account): boolean {
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return timingSafeEqual(sha256(header ?? ''), sha256(expected));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function queryOf(url: string): URLSearchParams {
  const mark = url.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
}
