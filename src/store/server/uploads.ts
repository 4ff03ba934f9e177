/**
 * Uploads of blobs into the embedded registry (distribution-spec, "Pushing blobs"): in one request, in chunks, or by a mount.
 * Called by handle-request.ts for the two endpoints.
 */
import { randomUUID } from 'node:crypto';
import { OcislimError } from '../../errors.ts';
import type { BlobFile } from '../../files/blob-file.ts';
import { type Answer, type Call, nothing } from './answer.ts';
import { Refusal } from './refusal.ts';
import { parseChunkRange } from './range.ts';
import type { RegistryStore } from './registry-store.ts';
import { isRepository } from '../../oci/names.ts';
import { parseDigest, type Route } from './route.ts';

/** Milliseconds without a request after which a session is discarded. */
const idle = 60 * 60 * 1000;
/** Sessions of all repositories at once: each holds an open file. */
const maxSessions = 1000;

interface UploadSession {
  readonly id: string;
  readonly repository: string;
  readonly file: BlobFile;
  /** Time of the last request, in milliseconds since the epoch. */
  touched: number;
  /** The last request: requests to one session are served one after the other. */
  turn: Promise<unknown>;
}

/** The upload sessions of a server. Each has a temporary file in the layout. */
export class Uploads {
  readonly #store: RegistryStore;
  readonly #sessions = new Map<string, UploadSession>();

  constructor(store: RegistryStore) {
    this.#store = store;
  }

  /**
   * Answers POST `…/blobs/uploads/`: a mount, a whole blob in one request, or the start of a session.
   * @throws Refusal DIGEST_INVALID, BLOB_UPLOAD_INVALID for too many sessions, UNSUPPORTED
   */
  async start(repository: string, call: Call): Promise<Answer> {
    if (call.method !== 'POST') throw new Refusal('UNSUPPORTED', `${call.method} is not for uploads`);
    const mounted = await this.#mount(repository, call);
    if (mounted !== null) return mounted;
    const digest = call.query.get('digest');
    if (digest !== null) parseDigest(digest);
    const session = await this.#open(repository);
    if (digest === null) return status(202, session);
    return this.#inTurn(session, async () => {
      try {
        await session.file.append(call.body, call.signal);
      } catch (error) {
        await this.#end(session);
        throw error;
      }
      return this.#commit(session, call);
    });
  }

  /** Mounts a blob that another repository has. Null where the request asks for no mount, or the blob is not there. */
  async #mount(repository: string, call: Call): Promise<Answer | null> {
    const mount = call.query.get('mount');
    const from = call.query.get('from');
    if (mount === null || from === null || !isRepository(from)) return null;
    const digest = parseDigest(mount);
    if ((await this.#store.blobSize(from, digest, call.signal)) === null) return null;
    this.#store.mountBlob(repository, digest);
    return created(repository, digest);
  }

  /** Creates a session with an empty file. @throws Refusal BLOB_UPLOAD_INVALID for too many sessions */
  async #open(repository: string): Promise<UploadSession> {
    await this.#discardIdle();
    if (this.#sessions.size >= maxSessions) {
      throw new Refusal('BLOB_UPLOAD_INVALID', 'too many uploads at once', { status: 429 });
    }
    const file = await this.#store.createBlob();
    const session: UploadSession = {
      id: randomUUID(),
      repository,
      file,
      touched: Date.now(),
      turn: Promise.resolve(),
    };
    this.#sessions.set(session.id, session);
    return session;
  }

  /**
   * Answers GET, PATCH, PUT and DELETE of a session: its progress, a chunk, the last chunk with the digest, and its end.
   * @throws Refusal BLOB_UPLOAD_UNKNOWN, DIGEST_INVALID, RANGE_INVALID, SIZE_INVALID, UNSUPPORTED
   */
  async answer(route: Extract<Route, { kind: 'upload' }>, call: Call): Promise<Answer> {
    const session = this.#sessions.get(route.session);
    // A session is known only in the repository in which it was started.
    if (session === undefined || session.repository !== route.repository) throw unknown();
    return this.#inTurn(session, async () => {
      if (!this.#sessions.has(session.id)) throw unknown();
      session.touched = Date.now();
      switch (call.method) {
        case 'GET':
          return status(204, session);
        case 'PATCH':
          await this.#append(session, call);
          return status(202, session);
        case 'PUT':
          parseDigest(call.query.get('digest') ?? '');
          await this.#append(session, call);
          return this.#commit(session, call);
        case 'DELETE':
          await this.#end(session);
          return nothing(204);
        default:
          throw new Refusal('UNSUPPORTED', `${call.method} is not for uploads`);
      }
    });
  }

  /** Discards all sessions. */
  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await this.#end(session);
  }

  /** Writes a chunk. What has come before the client disconnects is kept, and a GET tells how much that is. */
  async #append(session: UploadSession, call: Call): Promise<void> {
    const { 'content-range': stated, 'content-length': length } = call.request.headers;
    const before = session.file.size;
    // Content-Range is optional for the chunk of a PUT, and clients that stream leave out Content-Length.
    let expected = length === undefined ? null : Number(length);
    if (stated !== undefined) {
      const range = parseChunkRange(stated);
      if (range === null || range.start !== before) {
        throw new Refusal('RANGE_INVALID', `the next chunk starts at ${before}`, {
          headers: progress(session),
        });
      }
      const size = range.end - range.start + 1;
      if (expected !== null && expected !== size) {
        throw new Refusal('SIZE_INVALID', 'Content-Range and Content-Length do not agree');
      }
      expected = size;
    }
    await session.file.append(call.body, call.signal);
    const received = session.file.size - before;
    if (expected === null || received === expected) return;
    await this.#end(session);
    throw new Refusal('SIZE_INVALID', `${received} bytes came, not ${expected}`);
  }

  /** Ends the session with a blob. One with another digest than promised is discarded, as in the Docker registry. */
  async #commit(session: UploadSession, call: Call): Promise<Answer> {
    const digest = parseDigest(call.query.get('digest') ?? '');
    this.#sessions.delete(session.id);
    try {
      await this.#store.addBlob(session.repository, session.file, digest);
    } catch (error) {
      if (!(error instanceof OcislimError) || error.code !== 'DIGEST_MISMATCH') throw error;
      throw new Refusal('DIGEST_INVALID', error.message, { detail: { digest } });
    }
    return created(session.repository, digest);
  }

  /** Runs work after the requests to the session that came before. */
  async #inTurn<T>(session: UploadSession, work: () => Promise<T>): Promise<T> {
    const turn = session.turn.then(work);
    session.turn = turn.catch(() => {});
    return turn;
  }

  async #end(session: UploadSession): Promise<void> {
    this.#sessions.delete(session.id);
    await session.file.drop();
  }

  async #discardIdle(): Promise<void> {
    const before = Date.now() - idle;
    for (const session of this.#sessions.values()) {
      if (session.touched < before) await this.#end(session);
    }
  }
}

function unknown(): Refusal {
  return new Refusal('BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
}

/** Returns the headers that tell a client where to continue, and after which byte. */
function progress({ id, repository, file }: UploadSession): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    'docker-upload-uuid': id,
    range: `0-${Math.max(0, file.size - 1)}`,
  };
}

function status(code: number, session: UploadSession): Answer {
  return nothing(code, progress(session));
}

function created(repository: string, digest: string): Answer {
  return nothing(201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest });
}
