/**
 * A registry in this process that keeps everything in memory, records every request and can misbehave. Each way in
 * which real registries differ is an option; `profiles` combines them into the makes that exist.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Digest } from '../../../src/oci/digest.ts';
import { RepositoryContent, sha256, type Upload } from './content.ts';
import { type Handler, type Recorded, type Reply, serve } from './exchange.ts';
import { type Fault, FaultScript, type ServerName } from './faults.ts';
import { answerList } from './lists.ts';
import { authorize, issueToken, type TokenAuth } from './tokens.ts';

export interface FakeOptions {
  readonly auth:
    | { readonly kind: 'none' }
    | { readonly kind: 'basic'; readonly username: string; readonly password: string }
    | TokenAuth;
  /**
   * Whether a redirect leads to another origin for blobs and uploads, or for downloads only. That origin takes
   * signed URLs and refuses requests with an Authorization header.
   */
  readonly storage: boolean | 'downloads';
  /** The answer to a mount: success, an upload session instead, a refusal, a success without an effect, a 401. */
  readonly mounts: 'yes' | 'session' | 'refuse' | 'lie' | 'deny';
  /**
   * The answer to a mount without `from`: an upload session, a refusal, or the blob from whatever repository has
   * it.
   */
  readonly openMounts: 'session' | 'refuse' | 'find';
  /** PATCH bodies above this are refused with `tooLarge`. */
  readonly largestChunk: number;
  /** PUT bodies above this are refused with 413. */
  readonly largestPut: number;
  readonly tooLarge: 413 | 416;
  readonly smallestChunk: number | null;
  /** The status of an accepted PATCH. */
  readonly patched: 201 | 202 | 204;
  /** Whether upload locations are absolute URLs. */
  readonly absoluteLocations: boolean;
  /** Whether the list of repositories is given. */
  readonly catalog: boolean;
  /** The most names on a page of a list. */
  readonly largestPage: number;
  /** Whether there is a referrers API. */
  readonly referrers: boolean;
  readonly digestHeader: boolean;
  readonly ranges: boolean;
  readonly tls: { readonly key: string; readonly cert: string } | null;
  /** The name in its URLs instead of 127.0.0.1; the test provides its address. */
  readonly name: string | null;
  /** Whether the answer to a HEAD has a length. */
  readonly headLength: boolean;
  /** The answer for a manifest that does not exist. */
  readonly absent: Refusal;
  /** `always` where every 401 carries a challenge, `base` where only that of `/v2/` does. */
  readonly challenge: 'always' | 'base';
  /** The largest number of PATCHes in an upload. */
  readonly mostPatches: number;
  /** Whether a manifest must state its media type. */
  readonly mediaTypeInBody: boolean;
  /** The media types of manifests that are refused. */
  readonly refusedTypes: readonly string[];
  /** What becomes of a blob that is committed: it is kept, dropped, kept without its last byte, or others are kept instead. */
  readonly commits: 'keep' | 'drop' | 'cut' | 'change';
  /** The number of commits of each blob of which `commits` holds; later ones keep it. */
  readonly faultyCommits: number;
  /** Whether manifests are taken without a look at their blobs. */
  readonly trusting: boolean;
  /** The bytes of a PATCH that are taken in. */
  readonly largestTaken: number;
  /** Whether a blob that exists may be committed again. */
  readonly recommits: boolean;
  /** Whether a request for a manifest must accept its very type. */
  readonly strictAccept: boolean;
  /** Headers of every answer to a request for a manifest. */
  readonly manifestHeaders: Readonly<Record<string, string>>;
  /** Called for every request, before anything else. Tests let time pass here. */
  readonly onRequest: () => void;
}

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const defaults: FakeOptions = {
  auth: { kind: 'none' },
  storage: false,
  mounts: 'yes',
  openMounts: 'session',
  largestChunk: Number.POSITIVE_INFINITY,
  largestPut: Number.POSITIVE_INFINITY,
  tooLarge: 413,
  smallestChunk: null,
  patched: 202,
  absoluteLocations: false,
  catalog: true,
  largestPage: Number.POSITIVE_INFINITY,
  referrers: false,
  digestHeader: true,
  ranges: true,
  tls: null,
  name: null,
  headLength: true,
  absent: { status: 404, code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' },
  challenge: 'always',
  mostPatches: Number.POSITIVE_INFINITY,
  mediaTypeInBody: false,
  refusedTypes: [],
  commits: 'keep',
  faultyCommits: Number.POSITIVE_INFINITY,
  trusting: false,
  largestTaken: Number.POSITIVE_INFINITY,
  recommits: true,
  strictAccept: true,
  manifestHeaders: {},
  onRequest: () => {},
};

/** A registry on loopback. */
export class FakeRegistry {
  readonly options: FakeOptions;
  readonly requests: Recorded[] = [];
  readonly faults = new FaultScript();
  readonly #repositories = new Map<string, RepositoryContent>();
  readonly #servers = new Map<ServerName, Server>();
  /** By digest: how often it was committed. */
  readonly #commits = new Map<Digest, number>();

  private constructor(options: FakeOptions) {
    this.options = options;
  }

  static async start(options: Partial<FakeOptions> = {}): Promise<FakeRegistry> {
    const fake = new FakeRegistry({ ...defaults, ...options });
    await fake.#listen('registry', (request, cut) => fake.#registry(request, cut), fake.options.tls);
    if (fake.options.storage)
      await fake.#listen('storage', (request, cut) => fake.#storage(request, cut), null);
    const { auth } = fake.options;
    if (auth.kind === 'bearer') await fake.#listen('tokens', (request) => issueToken(request, auth), null);
    return fake;
  }

  async #listen(name: ServerName, handler: Handler, tls: FakeOptions['tls']): Promise<void> {
    const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
      const exchange = {
        server: name,
        faults: this.faults,
        handler,
        record: (request: Recorded) => {
          this.requests.push(request);
          this.options.onRequest();
        },
      };
      serve(incoming, response, exchange).catch((error: unknown) => response.destroy(error as Error));
    };
    const server = tls === null ? createServer(listener) : createTlsServer(tls, listener);
    this.#servers.set(name, server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }

  #port(name: ServerName): number {
    const server = this.#servers.get(name);
    if (server === undefined) throw new Error(`this registry has no server for ${name}`);
    return (server.address() as AddressInfo).port;
  }

  /** Returns `127.0.0.1:PORT`, as a reference names it. */
  get host(): string {
    return `${this.options.name ?? '127.0.0.1'}:${this.#port('registry')}`;
  }

  origin(name: ServerName): string {
    return `${name === 'registry' && this.options.tls !== null ? 'https' : 'http'}://${this.options.name ?? '127.0.0.1'}:${this.#port(name)}`;
  }

  repository(name: string): RepositoryContent {
    let content = this.#repositories.get(name);
    if (content === undefined) {
      content = new RepositoryContent();
      this.#repositories.set(name, content);
    }
    return content;
  }

  fault(fault: Fault): void {
    this.faults.add(fault);
  }

  /** Returns the requests of one kind so far: the method, and a pattern for path and query. */
  sent(method: string, path: RegExp, server: ServerName = 'registry'): readonly Recorded[] {
    return this.requests.filter(
      (each) => each.server === server && each.method === method && path.test(each.path),
    );
  }

  /** Returns how many connections the registry has open. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#servers
        .get('registry')
        ?.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
  }

  async close(): Promise<void> {
    for (const server of this.#servers.values()) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }

  #registry(request: Recorded, cut: boolean): Reply {
    const refused = authorize(request, this.options.auth, () => this.origin('tokens'));
    if (refused === null) return this.#route(request, cut);
    const silent = this.options.challenge === 'base' && request.path !== '/v2/';
    return silent ? { ...failure(401, 'UNAUTHORIZED', 'unauthorized') } : refused;
  }

  /** Object stores take a signature in the query, and refuse a second proof of identity. */
  #storage(request: Recorded, cut: boolean): Reply {
    if (request.headers.authorization !== undefined) {
      return {
        status: 400,
        headers: { 'content-type': 'application/xml' },
        body: 'Only one auth mechanism allowed',
      };
    }
    if (request.method === 'GET' && !request.path.includes('/uploads/') && !request.path.includes(signature))
      return { status: 403, headers: { 'content-type': 'application/xml' }, body: 'AccessDenied' };
    return this.#route(request, cut);
  }

  #route(request: Recorded, cut: boolean): Reply {
    const url = new URL(request.path, 'http://fake');
    if (url.pathname === '/v2/') return { status: 200, body: '{}' };
    const listed = answerList(url, this.#repositories, this.options);
    if (listed !== null) return listed;
    const match = /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|referrers)\/(.*)$/.exec(url.pathname);
    if (match === null) return failure(404, 'UNSUPPORTED', 'no such thing');
    const [, name = '', kind = '', rest = ''] = match;
    switch (kind) {
      case 'blobs':
        return this.#blob(request, name, rest as Digest);
      case 'blobs/uploads':
        return rest === '' ? this.#start(request, name, url) : this.#upload(request, name, rest, url, cut);
      case 'manifests':
        return this.#manifest(request, name, rest);
      case 'referrers':
        return this.#referrers(name, rest as Digest);
      default:
        return failure(404, 'UNSUPPORTED', 'no such thing');
    }
  }

  #blob(request: Recorded, name: string, digest: Digest): Reply {
    const bytes = this.repository(name).blobs.get(digest);
    if (bytes === undefined) return failure(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    if (this.options.storage && request.server === 'registry' && request.method === 'GET') {
      return {
        status: 307,
        headers: { location: `${this.origin('storage')}${request.path}?${signature}` },
      };
    }
    const headers = { 'content-type': 'application/octet-stream', ...this.#digestHeader(sha256(bytes)) };
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    if (range !== null && this.options.ranges) {
      const start = Number(range[1]);
      if (start >= bytes.length) return failure(416, 'RANGE_INVALID', 'invalid range');
      const contentRange = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
      return {
        status: 206,
        headers: { ...headers, 'content-range': contentRange },
        body: bytes.subarray(start),
      };
    }
    if (request.method === 'HEAD' && !this.options.headLength) return { status: 200, headers, body: bytes };
    return { status: 200, headers: { ...headers, 'content-length': bytes.length }, body: bytes };
  }

  #digestHeader(digest: Digest): Record<string, string> {
    return this.options.digestHeader ? { 'docker-content-digest': digest } : {};
  }

  #start(request: Recorded, name: string, url: URL): Reply {
    const content = this.repository(name);
    const mount = url.searchParams.get('mount') as Digest | null;
    if (mount !== null) {
      const from = url.searchParams.get('from');
      const mounts = from === null ? this.#openMount() : this.options.mounts;
      const holders = from === null ? [...this.#repositories.values()] : [this.#repositories.get(from)];
      const found = holders.map((each) => each?.blobs.get(mount)).find((each) => each !== undefined);
      if (mounts === 'refuse') return failure(400, 'UNSUPPORTED', 'no mounts');
      if (mounts === 'deny') return failure(401, 'UNAUTHORIZED', 'unauthorized to access repository');
      if (mounts === 'lie') return { status: 201, headers: { location: `/v2/${name}/blobs/${mount}` } };
      if (mounts === 'yes' && found !== undefined) {
        content.blobs.set(mount, found);
        return {
          status: 201,
          headers: { location: `/v2/${name}/blobs/${mount}`, ...this.#digestHeader(mount) },
        };
      }
    }
    if (request.method !== 'POST') return failure(405, 'UNSUPPORTED', 'not allowed');
    return { status: 202, headers: this.#location(name, content.begin()) };
  }

  #openMount(): FakeOptions['mounts'] {
    const { openMounts } = this.options;
    return openMounts === 'find' ? 'yes' : openMounts;
  }

  #location(name: string, upload: Upload): Record<string, string> {
    upload.state += 1;
    const path = `/v2/${name}/blobs/uploads/${upload.id}?_state=${upload.state}%3D`;
    const { storage, absoluteLocations, smallestChunk } = this.options;
    const base = storage === true ? this.origin('storage') : absoluteLocations ? this.origin('registry') : '';
    return {
      location: `${base}${path}`,
      range: `0-${Math.max(0, upload.bytes.length - 1)}`,
      ...(smallestChunk === null ? {} : { 'oci-chunk-min-length': String(smallestChunk) }),
    };
  }

  #upload(request: Recorded, name: string, id: string, url: URL, cut: boolean): Reply {
    const content = this.repository(name);
    const upload = content.uploads.get(id);
    if (upload === undefined) return failure(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
    if (
      request.method !== 'GET' &&
      request.method !== 'DELETE' &&
      url.searchParams.get('_state') !== `${upload.state}=`
    ) {
      return failure(404, 'BLOB_UPLOAD_INVALID', 'stale location');
    }
    switch (request.method) {
      case 'GET':
        return { status: 204, headers: this.#location(name, upload) };
      case 'DELETE':
        content.uploads.delete(id);
        return { status: 204 };
      case 'PATCH': {
        const { largestChunk, tooLarge, patched, mostPatches } = this.options;
        if (upload.patches >= mostPatches) return failure(416, 'RANGE_INVALID', 'no chunks');
        if (request.body.length > largestChunk)
          return failure(tooLarge, 'SIZE_INVALID', 'request entity too large');
        const range = /^(\d+)-(\d+)$/.exec(request.headers['content-range'] ?? '');
        if (range !== null && Number(range[1]) !== upload.bytes.length) {
          return {
            ...failure(416, 'RANGE_INVALID', 'out of order'),
            headers: { range: `0-${upload.bytes.length - 1}` },
          };
        }
        const taken = request.body.subarray(0, this.options.largestTaken);
        upload.bytes = Buffer.concat([upload.bytes, taken]);
        upload.patches += 1;
        return cut ? { status: 202 } : { status: patched, headers: this.#location(name, upload) };
      }
      case 'PUT':
        return this.#commit(request, name, upload, url.searchParams.get('digest') as Digest);
      default:
        return failure(405, 'UNSUPPORTED', 'not allowed');
    }
  }

  #commit(request: Recorded, name: string, upload: Upload, digest: Digest): Reply {
    if (request.body.length > this.options.largestPut)
      return failure(413, 'SIZE_INVALID', 'request entity too large');
    const content = this.repository(name);
    const bytes = Buffer.concat([upload.bytes, request.body]);
    content.uploads.delete(upload.id);
    if (sha256(bytes) !== digest)
      return failure(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
    if (content.blobs.has(digest) && !this.options.recommits)
      return failure(400, 'MANIFEST_INVALID', 'sha256 is being uploaded');
    this.#store(content, digest, bytes);
    return {
      status: 201,
      headers: { location: `/v2/${name}/blobs/${digest}`, ...this.#digestHeader(digest) },
    };
  }

  #store(content: RepositoryContent, digest: Digest, bytes: Buffer): void {
    const { commits, faultyCommits } = this.options;
    const before = this.#commits.get(digest) ?? 0;
    this.#commits.set(digest, before + 1);
    switch (before < faultyCommits ? commits : 'keep') {
      case 'keep':
        content.blobs.set(digest, bytes);
        return;
      case 'cut':
        content.blobs.set(digest, bytes.subarray(0, -1));
        return;
      case 'change':
        content.blobs.set(digest, Buffer.from(bytes.map((byte) => byte ^ 1)));
        return;
      case 'drop':
        content.blobs.delete(digest);
    }
  }

  #manifest(request: Recorded, name: string, reference: string): Reply {
    const content = this.repository(name);
    if (request.method === 'PUT') return this.#putManifest(request, name, reference);
    const found = content.find(reference);
    const accepted = (request.headers.accept ?? '').split(',').map((each) => each.trim());
    const { absent, headLength } = this.options;
    if (found === null) return failure(absent.status, absent.code, absent.message);
    const { digest, manifest } = found;
    if (this.options.strictAccept && !accepted.includes(manifest.mediaType))
      return failure(404, 'MANIFEST_UNKNOWN', 'accept header does not support it');
    return {
      status: 200,
      headers: {
        'content-type': manifest.mediaType,
        ...(headLength || request.method === 'GET' ? { 'content-length': manifest.bytes.length } : {}),
        ...this.options.manifestHeaders,
        ...this.#digestHeader(digest),
      },
      body: manifest.bytes,
    };
  }

  #putManifest(request: Recorded, name: string, reference: string): Reply {
    const content = this.repository(name);
    const digest = sha256(request.body);
    if (reference.includes(':') && reference !== digest)
      return failure(400, 'DIGEST_INVALID', 'digest does not match');
    const mediaType = request.headers['content-type'] ?? '';
    if (this.options.refusedTypes.includes(mediaType))
      return failure(400, 'MANIFEST_INVALID', 'manifest invalid');
    const value = JSON.parse(request.body.toString()) as {
      readonly mediaType?: string;
      readonly config?: { readonly digest: Digest };
      readonly layers?: readonly { readonly digest: Digest; readonly urls?: unknown }[];
      readonly manifests?: readonly { readonly digest: Digest }[];
    };
    if (this.options.mediaTypeInBody && value.mediaType === undefined)
      return failure(405, 'UNSUPPORTED', 'Invalid parameter at ImageManifest: Invalid JSON syntax');
    const blobs = [
      ...(value.config === undefined ? [] : [value.config]),
      ...(value.layers ?? []).filter(({ urls }) => urls === undefined),
    ];
    const missing =
      blobs.find((each) => !content.blobs.has(each.digest)) ??
      value.manifests?.find(({ digest }) => !content.manifests.has(digest) && !content.blobs.has(digest));
    if (missing !== undefined && !this.options.trusting) {
      const detail = {
        code: 'MANIFEST_BLOB_UNKNOWN',
        message: 'blob unknown to registry',
        detail: { Digest: missing.digest },
      };
      return { status: 400, headers: json, body: JSON.stringify({ errors: [detail] }) };
    }
    content.manifests.set(digest, { mediaType, bytes: request.body });
    if (!reference.includes(':')) content.tags.set(reference, digest);
    return {
      status: 201,
      headers: { location: `/v2/${name}/manifests/${digest}`, ...this.#digestHeader(digest) },
    };
  }

  #referrers(name: string, digest: Digest): Reply {
    if (!this.options.referrers)
      return { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found' };
    const manifests = [...this.repository(name).manifests]
      .filter(([, { bytes }]) => subjectOf(bytes) === digest)
      .map(([each, { mediaType, bytes }]) => ({ mediaType, digest: each, size: bytes.length }));
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    return {
      status: 200,
      headers: { 'content-type': mediaType },
      body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
    };
  }
}

/** Returns the digest that a manifest is about; tests put manifests there that are not even JSON. */
function subjectOf(manifest: Buffer): unknown {
  try {
    const value = JSON.parse(manifest.toString()) as { subject?: { digest?: unknown } } | null;
    return value?.subject?.digest;
  } catch {
    return undefined;
  }
}

const json = { 'content-type': 'application/json' };
/** A secret in the URLs of the storage. */
const signature = 'X-Signature=very-secret';

function failure(status: number, code: string, message: string): Reply {
  return { status, headers: json, body: JSON.stringify({ errors: [{ code, message, detail: {} }] }) };
}
