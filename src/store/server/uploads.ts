import { randomUUID } from 'node:crypto';
import { OcislimError } from '../../errors.ts';
import type { BlobFile } from '../../files/blob-file.ts';
import { type Answer, type Call, nothing } from './answer.ts';
import { Fault } from './fault.ts';
import { parseChunkRange } from './range.ts';
import type { RegistryStore } from './registry-store.ts';
import { isRepository } from '../../oci/names.ts';
import { parseDigest, type Route } from './route.ts';

/** Sessions untouched for this long are given up (milliseconds). */
const idle = 60 * 60 * 1000;
const maxSessions = 1000;

interface Session {
  readonly id: string;
  readonly repository: string;
  readonly file: BlobFile;
  touched: number;
  /** The request being worked on: requests to one session go one after another. */
  turn: Promise<unknown>;
}

/** The upload sessions of a server: each a temporary file in the layout (distribution-spec, "Pushing blobs"). */
export class Uploads {
  readonly #store: RegistryStore;
  readonly #sessions = new Map<string, Session>();

  constructor(store: RegistryStore) {
    this.#store = store;
  }

  /** POST `…/blobs/uploads/`: a mount, a whole blob in one request, or the start of a session. */
  async start(repository: string, call: Call): Promise<Answer> {
    if (call.method !== 'POST') throw new Fault('UNSUPPORTED', `${call.method} is not for uploads`);
    const mount = call.query.get('mount');
    const from = call.query.get('from');
    if (mount !== null && from !== null && isRepository(from)) {
      const digest = parseDigest(mount);
      if ((await this.#store.blobSize(from, digest, call.signal)) !== null) {
        this.#store.mountBlob(repository, digest);
        return created(repository, digest);
      }
    }
    const digest = call.query.get('digest');
    const expected = digest === null ? null : parseDigest(digest);
    await this.#giveUpIdle();
    if (this.#sessions.size >= maxSessions) {
      throw new Fault('BLOB_UPLOAD_INVALID', 'too many uploads at once', { status: 429 });
    }
    const id = randomUUID();
    const file = await this.#store.createBlob();
    const session: Session = { id, repository, file, touched: Date.now(), turn: Promise.resolve() };
    this.#sessions.set(id, session);
    if (expected === null) return status(202, session);
    return this.#inTurn(session, async () => {
      try {
        await file.append(call.body, call.signal);
      } catch (error) {
        await this.#end(session);
        throw error;
      }
      return this.#commit(session, call);
    });
  }

  /** GET, PATCH, PUT and DELETE of a session. */
  async answer(route: Extract<Route, { kind: 'upload' }>, call: Call): Promise<Answer> {
    const session = this.#sessions.get(route.session);
    // Known only in the repository in which it was begun.
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
          throw new Fault('UNSUPPORTED', `${call.method} is not for uploads`);
      }
    });
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await this.#end(session);
  }

  /** Takes in a chunk. Where the client breaks off, what has come stays, and a GET tells how much that is. */
  async #append(session: Session, call: Call): Promise<void> {
    const { 'content-range': stated, 'content-length': length } = call.request.headers;
    const before = session.file.size;
    let expected = length === undefined ? null : Number(length);
    if (stated !== undefined) {
      const range = parseChunkRange(stated);
      if (range === null || range.start !== before) {
        throw new Fault('RANGE_INVALID', `the next chunk starts at ${before}`, {
          headers: progress(session),
        });
      }
      const size = range.end - range.start + 1;
      if (expected !== null && expected !== size) {
        throw new Fault('SIZE_INVALID', 'Content-Range and Content-Length do not agree');
      }
      expected = size;
    }
    await session.file.append(call.body, call.signal);
    const received = session.file.size - before;
    if (expected === null || received === expected) return;
    await this.#end(session);
    throw new Fault('SIZE_INVALID', `${received} bytes came, not ${expected}`);
  }

  /** A blob that is not what was promised ends the session, as in the Docker registry. */
  async #commit(session: Session, call: Call): Promise<Answer> {
    const digest = parseDigest(call.query.get('digest') ?? '');
    this.#sessions.delete(session.id);
    try {
      await this.#store.addBlob(session.repository, session.file, digest);
    } catch (error) {
      if (!(error instanceof OcislimError) || error.code !== 'DIGEST_MISMATCH') throw error;
      throw new Fault('DIGEST_INVALID', error.message, { detail: { digest } });
    }
    return created(session.repository, digest);
  }

  async #inTurn<T>(session: Session, work: () => Promise<T>): Promise<T> {
    const turn = session.turn.then(work);
    session.turn = turn.catch(() => {});
    return turn;
  }

  async #end(session: Session): Promise<void> {
    this.#sessions.delete(session.id);
    await session.file.drop();
  }

  async #giveUpIdle(): Promise<void> {
    const before = Date.now() - idle;
    for (const session of this.#sessions.values()) {
      if (session.touched < before) await this.#end(session);
    }
  }
}

function unknown(): Fault {
  return new Fault('BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
}

function progress({ id, repository, file }: Session): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    'docker-upload-uuid': id,
    range: `0-${Math.max(0, file.size - 1)}`,
  };
}

function status(code: number, session: Session): Answer {
  return nothing(code, progress(session));
}

function created(repository: string, digest: string): Answer {
  return nothing(201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest });
}
