/**
 * A small registry (OCI distribution-spec 1.1) inside this process, over an OCI layout. `ocislim registry serve` runs it, and so
 * do programs that use the library; handle-request.ts answers its requests.
 */
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { type AsyncCloseable, Closeable } from '../../closeable.ts';
import { OcislimError } from '../../errors.ts';
import { fileSize } from '../../files/file-bytes.ts';
import { fileError } from '../../files/file-error.ts';
import { makeTemporaryFolder, sweepTemporaries } from '../../files/temporary.ts';
import { isRepository } from '../../oci/names.ts';
import { LayoutStorage } from '../layout/layout-storage.ts';
import { updateIndex } from '../layout/layout-update.ts';
import { type AccessEntry, type HandlerOptions, RequestHandler } from './handle-request.ts';
import { Refusal } from './refusal.ts';
import { RegistryStore } from './registry-store.ts';
import { Uploads } from './uploads.ts';

export type { AccessEntry };

export interface ServeOptions extends HandlerOptions {
  /** An OCI layout directory, created if it does not exist; null for a temporary one, which is removed with the server. */
  readonly layoutDir: string | null;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 0, which takes any free port. */
  readonly port?: number;
  /** Whether the server may listen on an address that other machines can reach. Default: no. */
  readonly allowRemote?: boolean;
  /** The repository in which images with a bare tag appear. Default: the name of the folder. */
  readonly defaultRepository?: string;
  /** Closes the server when it aborts. */
  readonly signal: AbortSignal;
}

export interface RegistryServer extends AsyncCloseable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Host and port for references: `localhost:PORT`. */
  readonly host: string;
  /** Ends open connections and unfinished uploads, and waits for them. A second call does nothing. */
  close(): Promise<void>;
}

/**
 * Serves a registry. Its folder stays a layout that other tools can read: tags are `org.opencontainers.image.ref.name` =
 * `repository:tag`.
 * @throws USAGE for an address that other machines can reach, NOT_FOUND for a missing layout if read-only, ARCHIVE_INVALID, IO
 */
export async function serveRegistry(options: ServeOptions): Promise<RegistryServer> {
  const { host = '127.0.0.1', port = 0, signal } = options;
  signal.throwIfAborted();
  if (options.allowRemote !== true && !isLoopback(host)) {
    throw new OcislimError(
      'USAGE',
      `${host} can be reached by other machines; the registry serves this one only`,
      { advice: 'Listen on 127.0.0.1, or allow remote access explicitly.' },
    );
  }
  await using opening = new AsyncDisposableStack();
  const folder = options.layoutDir === null ? await temporaryFolder(opening) : resolve(options.layoutDir);
  let http: Server;
  try {
    await prepare(folder, options.readOnly === true, signal);
    http = await listen(host, port, signal);
  } catch (error) {
    throw fileError(`listen on ${host}:${port}`, error);
  }
  const store = new RegistryStore(folder, options.defaultRepository ?? repositoryFrom(folder));
  return new RunningServer(http, store, options, opening.move());
}

async function temporaryFolder(opening: AsyncDisposableStack): Promise<string> {
  const folder = await makeTemporaryFolder('registry');
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function listen(host: string, port: number, signal: AbortSignal): Promise<Server> {
  const http = createServer();
  // A blob of many gigabytes in one request takes longer than Node's five minutes.
  http.requestTimeout = 0;
  http.keepAliveTimeout = 60_000;
  try {
    http.listen(port, host);
    await once(http, 'listening', { signal });
    return http;
  } catch (error) {
    http.close();
    throw error;
  }
}

class RunningServer extends Closeable implements RegistryServer {
  readonly url: string;
  readonly host: string;
  readonly #http: Server;
  readonly #uploads: Uploads;
  /** What is removed when the server has closed. */
  readonly #leftovers: AsyncDisposableStack;
  readonly #closing = new AbortController();
  /** Requests that are being answered. */
  readonly #working = new Set<Promise<void>>();
  readonly #signal: AbortSignal;
  readonly #onAbort = () => void this.close().catch(() => {});
  #closed: Promise<void> | null = null;

  /** @param http a server that listens */
  constructor(http: Server, store: RegistryStore, options: ServeOptions, leftovers: AsyncDisposableStack) {
    super();
    const { address, port, family } = http.address() as AddressInfo;
    this.url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
    this.host = `${isLoopback(address) ? 'localhost' : address}:${port}`;
    this.#http = http;
    this.#uploads = new Uploads(store);
    this.#leftovers = leftovers;
    this.#signal = options.signal;
    const handler = new RequestHandler(options, store, this.#uploads);
    http.on('request', (request, response) => {
      const work = handler
        .handle(request, response, this.#closing.signal)
        .finally(() => this.#working.delete(work));
      this.#working.add(work);
    });
    options.signal.addEventListener('abort', this.#onAbort);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#closing.abort(new Refusal('UNKNOWN', 'the server is closing', { status: 503 }));
    const ended = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeAllConnections();
    await Promise.all([ended, ...this.#working]);
    await this.#uploads.close();
    await this.#leftovers.disposeAsync();
  }
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1';
}

/** Checks that the folder is a layout or can become one, and makes it one unless the server is read-only. */
async function prepare(folder: string, isReadOnly: boolean, signal: AbortSignal): Promise<void> {
  await LayoutStorage.open(folder, [], folder, signal);
  if (isReadOnly) {
    if ((await fileSize(join(folder, 'index.json'))) !== null) return;
    throw new OcislimError('NOT_FOUND', `${folder} does not hold an OCI layout`);
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
