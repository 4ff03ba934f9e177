/**
 * A small registry (OCI distribution-spec 1.1) inside this process, over an OCI layout. `ocislim registry serve` runs it, and so
 * do programs that use the library; handle-request.ts answers its requests.
 */
import { once } from 'node:events';
import { rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { type AsyncCloseable, Closeable } from '../../closeable.ts';
import { OcislimError } from '../../errors.ts';
import { fileSize } from '../../files/file-bytes.ts';
import { fileError } from '../../files/file-error.ts';
import { makeFolders } from '../../files/make-folders.ts';
import { makeTemporaryFolder, sweepTemporaries } from '../../files/temporary.ts';
import { isRepository } from '../../oci/names.ts';
import { LayoutStorage } from '../layout/layout-storage.ts';
import { updateIndex } from '../layout/layout-update.ts';
import { type AccessEntry, type HandlerOptions, RequestHandler } from './handle-request.ts';
import { containedPath } from './contained-files.ts';
import { isLoopbackHost, parseAllowedHost } from './host-check.ts';
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
  if (options.allowRemote !== true && !isLoopbackHost(host)) {
    throw new OcislimError(
      'USAGE',
      `${host} can be reached by other machines; the registry serves this one only`,
      { advice: 'Listen on 127.0.0.1, or allow remote access explicitly.' },
    );
  }
  const { layoutDir } = options;
  const isReadOnly = options.readOnly === true;
  const allowHosts = [...(options.allowHosts ?? []).map(parseAllowedHost), host];
  if (layoutDir !== null) await check(resolve(layoutDir), isReadOnly, signal);
  // Nothing is made before the port is ours: another server may have this folder.
  await using opening = new AsyncDisposableStack();
  const listener = opening.use(await Listener.open(host, port, signal));
  const folder = layoutDir === null ? await temporaryFolder(opening) : resolve(layoutDir);
  if (!isReadOnly) await makeLayout(folder, signal);
  const store = new RegistryStore(folder, options.defaultRepository ?? repositoryFrom(folder));
  return new RunningServer(listener, store, { ...options, allowHosts }, opening.move());
}

async function temporaryFolder(opening: AsyncDisposableStack): Promise<string> {
  const folder = await makeTemporaryFolder('registry');
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

type Exchange = readonly [request: IncomingMessage, response: ServerResponse];

/** A port that is ours. Requests wait until there is something to answer them. */
class Listener extends Closeable {
  readonly address: AddressInfo;
  readonly #http: Server;
  #waiting: Exchange[] = [];
  #closed: Promise<void> | null = null;

  private constructor(http: Server) {
    super();
    this.#http = http;
    this.address = http.address() as AddressInfo;
    http.on('request', this.#keep);
  }

  /** @throws IO, USAGE naming the port */
  static async open(host: string, port: number, signal: AbortSignal): Promise<Listener> {
    const http = createServer();
    // A blob of many gigabytes in one request takes longer than Node's five minutes.
    http.requestTimeout = 0;
    http.keepAliveTimeout = 60_000;
    try {
      http.listen(port, host);
      await once(http, 'listening', { signal });
      return new Listener(http);
    } catch (error) {
      http.close();
      signal.throwIfAborted();
      throw portError(host, port, error);
    }
  }

  /** Has every request answered from now on, those that wait first. */
  answer(handle: (...exchange: Exchange) => void): void {
    this.#http.off('request', this.#keep);
    this.#http.on('request', handle);
    for (const exchange of this.#waiting.splice(0)) handle(...exchange);
  }

  /** Gives the port back, and ends all connections. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const ended = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeAllConnections();
    await ended;
  }

  readonly #keep = (...exchange: Exchange): void => void this.#waiting.push(exchange);
}

/** Returns the error for a port that cannot be had, with what to do. */
function portError(host: string, port: number, error: unknown): unknown {
  const where = `cannot listen on ${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const { code = '' } = error as NodeJS.ErrnoException;
  const tell = (why: string, advice: string): OcislimError =>
    new OcislimError(code === 'ERR_SOCKET_BAD_PORT' ? 'USAGE' : 'IO', `${where}: ${why}`, {
      cause: error,
      advice,
    });
  switch (code) {
    case 'EADDRINUSE':
      return tell(
        'another program has this port',
        'Name another port (--port N), or any free one (--port 0).',
      );
    case 'EACCES':
      return tell(
        'this user may not have this port',
        'Name a port from 1024 on (--port N), or any free one (--port 0).',
      );
    case 'ERR_SOCKET_BAD_PORT':
      return tell('ports end at 65535', 'Name another port (--port N), or any free one (--port 0).');
    default:
      return tell(
        code === '' ? String(error) : code,
        'Name another port (--port N), or any free one (--port 0).',
      );
  }
}

class RunningServer extends Closeable implements RegistryServer {
  readonly url: string;
  readonly host: string;
  readonly #listener: Listener;
  readonly #uploads: Uploads;
  /** What is removed when the server has closed. */
  readonly #leftovers: AsyncDisposableStack;
  readonly #closing = new AbortController();
  /** Requests that are being answered. */
  readonly #working = new Set<Promise<void>>();
  readonly #signal: AbortSignal;
  readonly #onAbort = () => void this.close().catch(() => {});
  #closed: Promise<void> | null = null;

  constructor(
    listener: Listener,
    store: RegistryStore,
    options: ServeOptions,
    leftovers: AsyncDisposableStack,
  ) {
    super();
    const { address, port, family } = listener.address;
    this.url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
    this.host = `${isLoopbackHost(address) ? 'localhost' : address}:${port}`;
    this.#listener = listener;
    this.#uploads = new Uploads(store);
    this.#leftovers = leftovers;
    this.#signal = options.signal;
    const handler = new RequestHandler(options, store, this.#uploads);
    listener.answer((request, response) => {
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
    await Promise.all([this.#listener.close(), ...this.#working]);
    await this.#uploads.close();
    await this.#leftovers.disposeAsync();
  }
}

/** Checks that the folder is a layout or, unless the server is read-only, can become one. Writes nothing. */
async function check(folder: string, isReadOnly: boolean, signal: AbortSignal): Promise<void> {
  await LayoutStorage.open(folder, { kind: 'names', names: [] }, folder, signal);
  if (isReadOnly && (await fileSize(join(folder, 'index.json'))) === null)
    throw new OcislimError('NOT_FOUND', `${folder} does not hold an OCI layout`);
  const blobs = join('blobs', 'sha256');
  const isThere = await stat(join(folder, blobs)).then(
    () => true,
    () => false,
  );
  if (isThere && (await containedPath(folder, blobs)) === null)
    throw new OcislimError('IO', `cannot serve ${folder}: its ${blobs} is a link that leads out of it`, {
      advice: 'Serve the folder that has the blobs, or copy them.',
    });
}

/** Makes the folder a layout where it is not one yet. @throws IO naming the folder */
async function makeLayout(folder: string, signal: AbortSignal): Promise<void> {
  const blobs = join(folder, 'blobs', 'sha256');
  try {
    await makeFolders(blobs);
  } catch (error) {
    throw fileError(`make the folder ${blobs}`, error);
  }
  await sweepTemporaries(blobs, (name) => name === 'blob');
  await updateIndex(folder, (rows) => rows, signal);
}

function repositoryFrom(folder: string): string {
  const name = basename(folder).toLowerCase();
  return isRepository(name) ? name : 'image';
}
