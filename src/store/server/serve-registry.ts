import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { basename, join, resolve } from 'node:path';
import type { AsyncCloseable } from '../../closeable.ts';
import { OcislimError } from '../../errors.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { tally } from '../../stream/seal.ts';
import { fileError } from '../../files/file-error.ts';
import { fileSize } from '../../files/file-bytes.ts';
import { LayoutStorage } from '../layout/layout-storage.ts';
import { updateIndex } from '../layout/layout-update.ts';
import { makeTemporaryFolder, sweepTemporaries } from '../../files/temporary.ts';
import { type Answer, type Call, json, send } from './answer.ts';
import { answerBlob } from './blobs.ts';
import { Fault } from './fault.ts';
import { answerCatalog, answerTags } from './listing.ts';
import { answerManifest, answerReferrers } from './manifests.ts';
import { RegistryStore } from './registry-store.ts';
import { isRepository } from '../../oci/names.ts';
import { parseRoute, type Route } from './route.ts';
import { Uploads } from './uploads.ts';

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

export interface ServeOptions {
  /** An OCI layout directory, made if it is not there; null for a temporary one that goes with the server. */
  readonly layoutDir: string | null;
  /** 127.0.0.1 unless told. */
  readonly host?: string;
  /** 0, any free one, unless told. */
  readonly port?: number;
  /** Other machines may come in only if this is said. */
  readonly allowRemote?: boolean;
  readonly readOnly?: boolean;
  /** Basic authentication with this one account; without, everybody may do everything. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** Where images with a bare tag appear; the folder's name unless told. */
  readonly defaultRepository?: string;
  readonly accessLog?: (entry: AccessEntry) => void;
  /** Closes the server when it aborts. */
  readonly signal: AbortSignal;
}

export interface RegistryServer extends AsyncCloseable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** For references: `localhost:PORT`. */
  readonly host: string;
  /** Ends open connections and unfinished uploads, and waits for them. A second call does nothing. */
  close(): Promise<void>;
}

/**
 * A small registry (OCI distribution-spec 1.1) over an OCI layout directory, which stays one that other tools read:
 * tags are `org.opencontainers.image.ref.name` = `repository:tag`.
 * @throws USAGE for an address that other machines can reach, ARCHIVE_INVALID, IO
 */
export async function serveRegistry(options: ServeOptions): Promise<RegistryServer> {
  const { host = '127.0.0.1', port = 0, signal } = options;
  signal.throwIfAborted();
  if (options.allowRemote !== true && !isLoopback(host)) {
    throw new OcislimError(
      'USAGE',
      `${host} can be reached by other machines; the registry serves this one only`,
      {
        advice: 'Listen on 127.0.0.1, or allow remote access in so many words.',
      },
    );
  }
  const temporary = options.layoutDir === null ? await makeTemporaryFolder('registry') : null;
  const folder = temporary ?? resolve(options.layoutDir ?? '');
  const closing = new AbortController();
  const server = createServer();
  // A blob of many gigabytes in one request takes longer than Node's five minutes.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
  try {
    await prepare(folder, options.readOnly === true, signal);
    server.listen(port, host);
    await once(server, 'listening', { signal });
  } catch (error) {
    server.close();
    if (temporary !== null) await rm(temporary, { recursive: true, force: true });
    throw fileError(`listen on ${host}:${port}`, error);
  }
  const store = new RegistryStore(folder, options.defaultRepository ?? repositoryFrom(folder));
  const uploads = new Uploads(store);
  const working = new Set<Promise<void>>();
  server.on('request', (request, response) => {
    const work = serve(request, response, { options, store, uploads, signal: closing.signal }).finally(() =>
      working.delete(work),
    );
    working.add(work);
  });
  let closed: Promise<void> | null = null;
  const close = async () => {
    signal.removeEventListener('abort', onAbort);
    closing.abort(new Fault('UNKNOWN', 'the server is closing', { status: 503 }));
    const ended = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await Promise.all([ended, ...working]);
    await uploads.close();
    if (temporary !== null) await rm(temporary, { recursive: true, force: true });
  };
  const closeOnce = () => (closed ??= close());
  const onAbort = () => void closeOnce().catch(() => {});
  signal.addEventListener('abort', onAbort);
  const { address, port: actual, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`,
    host: `${isLoopback(address) ? 'localhost' : address}:${actual}`,
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1';
}

async function prepare(folder: string, readOnly: boolean, signal: AbortSignal): Promise<void> {
  // Looks whether this is a layout, or may become one.
  await LayoutStorage.open(folder, [], folder, signal);
  if (readOnly) {
    if ((await fileSize(join(folder, 'index.json'))) !== null) return;
    throw new OcislimError('NOT_FOUND', `there is no OCI layout in ${folder}`);
  }
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  await sweepTemporaries(blobs, (name) => name === 'blob');
  await updateIndex(folder, (rows) => rows, signal);
}

function repositoryFrom(folder: string): string {
  const name = basename(folder).toLowerCase();
  return isRepository(name) ? name : 'image';
}

interface Context {
  readonly options: ServeOptions;
  readonly store: RegistryStore;
  readonly uploads: Uploads;
  readonly signal: AbortSignal;
}

/** Answers one request; never fails. */
async function serve(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { options, signal } = context;
  const { method = 'GET', url: path = '/' } = request;
  let received = 0;
  let sent = 0;
  const body: ByteStream = tally(request as AsyncIterable<Uint8Array>, (count) => {
    received += count;
  });
  try {
    let answer: Answer;
    try {
      answer = await respond({ method, query: queryOf(path), request, signal, body }, path, context);
    } catch (error) {
      answer = refusal(error);
    }
    await send(answer, method, response, signal, (count) => (sent += count));
  } catch {
    // The client is gone, or the server is closing, or a blob broke off: nothing more can be said on this connection.
    response.destroy();
  }
  options.accessLog?.({ method, path, status: response.statusCode, received, sent });
}

async function respond(call: Call, url: string, { options, store, uploads }: Context): Promise<Answer> {
  if (options.auth !== undefined && !isAllowed(call.request.headers.authorization, options.auth)) {
    throw new Fault('UNAUTHORIZED', 'authentication required', {
      headers: { 'www-authenticate': 'Basic realm="ocislim", charset="UTF-8"' },
    });
  }
  const route = parseRoute(url.split('?', 1)[0] ?? '');
  if (route === null) throw new Fault('UNSUPPORTED', 'there is nothing at this path', { status: 404 });
  const reading = call.method === 'GET' || call.method === 'HEAD';
  if (options.readOnly === true && !reading) throw new Fault('UNSUPPORTED', 'this registry is read-only');
  return dispatch(route, call, reading, store, uploads);
}

function dispatch(
  route: Route,
  call: Call,
  reading: boolean,
  store: RegistryStore,
  uploads: Uploads,
): Promise<Answer> {
  switch (route.kind) {
    case 'manifest':
      return answerManifest(route, call, store);
    case 'blob':
      return answerBlob(route, call, store);
    case 'uploads':
      return uploads.start(route.repository, call);
    case 'upload':
      return uploads.answer(route, call);
    case 'base':
    case 'catalog':
    case 'tags':
    case 'referrers':
      if (!reading) throw new Fault('UNSUPPORTED', `${call.method} is not for lists`);
  }
  switch (route.kind) {
    case 'base':
      return Promise.resolve(json({}));
    case 'catalog':
      return answerCatalog(call, store);
    case 'tags':
      return answerTags(route.repository, call, store);
    case 'referrers':
      return answerReferrers(route, call, store);
  }
}

function refusal(error: unknown): Answer {
  const fault =
    error instanceof Fault
      ? error
      : error instanceof OcislimError && error.code === 'LIMIT'
        ? new Fault('MANIFEST_INVALID', error.message, { status: 413 })
        : new Fault('UNKNOWN', error instanceof OcislimError ? error.message : 'internal error');
  return {
    status: fault.status,
    headers: { 'content-type': 'application/json', ...fault.headers },
    body: Buffer.from(fault.body),
  };
}

/** Compares hashes, so that the time it takes tells nothing. */
function isAllowed(
  header: string | undefined,
  { username, password }: { readonly username: string; readonly password: string },
): boolean {
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
