/**
 * A proxy in front of a registry that records what passes and can strike at a chosen moment of a chosen request.
 * The tests that kill ocislim decide here when to do it.
 */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as send,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that came through. */
export interface Passed {
  readonly method: string;
  /** The path with its query. */
  readonly path: string;
  /** The status that the registry answered; null where the request did not reach it whole. */
  readonly status: number | null;
}

/**
 * A moment in the life of a request. `arrives`: the registry has not heard of it. `half-way`: half of its body, or
 * of the answer's, has passed. `answered`: the registry has done its work, and the client does not know yet.
 */
export type Moment = 'arrives' | 'half-way' | 'answered';

/**
 * An act at a moment of the request with this number. Requests are counted from 1 over all fronts that share the
 * count.
 */
export interface Strike {
  readonly number: number;
  readonly moment: Moment;
  readonly act: () => Promise<void>;
}

/** The requests of the fronts that share it, counted. */
export interface Count {
  requests: number;
  strike: Strike | null;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Stands in front of a registry, records what passes, and strikes. */
export class Front {
  readonly requests: Passed[] = [];
  readonly #upstream: string;
  readonly #server: Server;
  readonly #count: Count;
  readonly #passing = new Set<Promise<void>>();

  private constructor(upstream: string, count: Count) {
    this.#upstream = upstream;
    this.#count = count;
    this.#server = createServer((incoming, response) => {
      const passing = this.#pass(incoming, response)
        .catch(() => void incoming.socket.destroy())
        .finally(() => this.#passing.delete(passing));
      this.#passing.add(passing);
    });
  }

  /** Starts a front. `upstream` is `127.0.0.1:PORT`, a server of plain HTTP. */
  static async start(upstream: string, count: Count): Promise<Front> {
    const front = new Front(upstream, count);
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    return front;
  }

  /** Returns host and port for references. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Waits for requests that are still in progress: the registry may go on with one whose client is gone. */
  async settle(): Promise<void> {
    await Promise.all(this.#passing);
  }

  async stop(): Promise<void> {
    await this.settle();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const number = ++this.#count.requests;
    const strike = this.#count.strike?.number === number ? this.#count.strike : null;
    const { method = '', url: path = '' } = incoming;
    const note = (status: number | null) => void this.requests.push({ method, path, status });
    if (strike?.moment === 'arrives') {
      note(null);
      await strike.act();
      incoming.socket.destroy();
      return;
    }
    const length = Number(incoming.headers['content-length'] ?? 0);
    const half = strike?.moment === 'half-way' && length > 1 ? length >> 1 : Number.POSITIVE_INFINITY;
    const body = await receive(incoming, half);
    if (body.length >= half) {
      note(null);
      await strike?.act();
      await this.#sendPart(incoming, body.subarray(0, half));
      incoming.socket.destroy();
      return;
    }
    const answer = await this.#forward(incoming, body);
    note(answer.status);
    const headers = { ...answer.headers };
    if (strike !== null) {
      if (strike.moment === 'half-way' && answer.body.length > 1 && method !== 'HEAD') {
        response.writeHead(answer.status, headers);
        const part = answer.body.subarray(0, answer.body.length >> 1);
        await new Promise((resolve) => response.write(part, resolve));
      }
      await strike.act();
      incoming.socket.destroy();
      return;
    }
    response.writeHead(answer.status, headers);
    response.end(method === 'HEAD' ? undefined : answer.body);
  }

  #open(incoming: IncomingMessage) {
    const { method, url, headers } = incoming;
    const [host, port] = this.#upstream.split(':');
    return send({ host, port, method, path: url, headers: { ...headers, connection: 'close' } });
  }

  async #forward(incoming: IncomingMessage, body: Buffer): Promise<Answer> {
    const request = this.#open(incoming);
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const received = await receive(response, Number.POSITIVE_INFINITY);
    const { connection: _, 'transfer-encoding': __, ...headers } = response.headers;
    return { status: response.statusCode ?? 0, headers, body: received };
  }

  /** Sends the beginning of a request to the registry, and breaks the connection. */
  async #sendPart(incoming: IncomingMessage, part: Buffer): Promise<void> {
    const request = this.#open(incoming);
    request.on('error', () => {});
    await new Promise((resolve) => request.write(part, resolve));
    request.destroy();
  }
}

async function receive(message: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks);
}

/** Returns the digests of blobs whose bytes were requested. */
export function fetched(requests: readonly Passed[]): Set<string> {
  return digestsIn(requests, 'GET', /\/blobs\/(sha256:[0-9a-f]{64})$/);
}

/** Returns the digests of blobs that an upload ended with. */
export function uploaded(requests: readonly Passed[]): Set<string> {
  return digestsIn(requests, 'PUT', /[?&]digest=(sha256(?::|%3A)[0-9a-f]{64})/);
}

function digestsIn(requests: readonly Passed[], method: string, pattern: RegExp): Set<string> {
  const found = requests.map((request) =>
    request.method === method ? pattern.exec(request.path)?.[1] : undefined,
  );
  return new Set(found.flatMap((digest) => (digest === undefined ? [] : [digest.replace('%3A', ':')])));
}
