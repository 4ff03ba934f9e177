/**
 * The HTTP of the fake registry: records each request, lets a fault act on it, and sends the answer. The handlers
 * in fake-registry.ts know nothing of faults.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Effect, FaultScript, ServerName } from './faults.ts';

/** A request as it arrived. */
export interface Recorded {
  readonly server: ServerName;
  readonly method: string;
  /** The path with its query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** The status of the answer; undefined until there is one, and where the connection was broken. */
  status?: number;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number | readonly string[]>>;
  readonly body?: Uint8Array | string;
}

/** Answers a request. `cut` says that the body did not arrive whole. */
export type Handler = (request: Recorded, cut: boolean) => Reply | Promise<Reply>;

interface Exchange {
  readonly server: ServerName;
  readonly faults: FaultScript;
  readonly handler: Handler;
  readonly record: (request: Recorded) => void;
}

function credentialsOf({ headers: { authorization = '', ...headers }, body }: Recorded): string {
  const unpacked = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString('utf8');
  const form = headers['content-type']?.includes('form') === true ? decodeURIComponent(body.toString()) : '';
  return [authorization, authorization.startsWith('Basic ') ? unpacked : '', form].join(' ');
}

/** Receives one request, lets a fault act on it, and answers. */
export async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
): Promise<void> {
  const method = incoming.method ?? '';
  const path = incoming.url ?? '';
  const effect = exchange.faults.next(exchange.server, method, path);
  const deaf = effect?.kind === 'silent' && !effect.reads;
  const body = deaf ? Buffer.alloc(0) : await receive(incoming, effect);
  const request: Recorded = { server: exchange.server, method, path, headers: incoming.headers, body };
  exchange.record(request);
  response.on('prefinish', () => void (request.status = response.statusCode));
  switch (effect?.kind) {
    case 'reset':
      incoming.socket.resetAndDestroy();
      return;
    case 'answer':
      await effect.after;
      await answer(response, method, {
        status: effect.status,
        headers: effect.headers ?? {},
        body: effect.body ?? '',
      });
      return;
    case 'echo': {
      const said = credentialsOf(request);
      await answer(response, method, {
        status: effect.status,
        headers: { warning: `299 - "you said ${said}"` },
        body: JSON.stringify({ errors: [{ code: 'DENIED', message: `not with ${said}` }] }),
      });
      return;
    }
    case 'swallow':
      if (effect.keep) await exchange.handler(request, true);
      incoming.socket.resetAndDestroy();
      return;
    case 'after':
      await exchange.handler(request, false);
      if (effect.status === 'reset') incoming.socket.resetAndDestroy();
      else await answer(response, method, { status: effect.status });
      return;
    case 'change': {
      const reply = await exchange.handler(request, false);
      const changed = effect.body === undefined ? reply.body : effect.body(Buffer.from(reply.body ?? ''));
      const headers = Object.fromEntries(
        Object.entries({ ...withoutLength(reply.headers), ...effect.headers }).filter(
          ([, value]) => value !== null,
        ),
      ) as NonNullable<Reply['headers']>;
      await answer(response, method, {
        status: reply.status,
        headers,
        ...(changed === undefined ? {} : { body: changed }),
      });
      return;
    }
    case 'cut': {
      const reply = await exchange.handler(request, false);
      await answerInPart(response, reply, effect);
      return;
    }
    case 'silent':
      await once(response, 'close').catch(() => {});
      return;
    case 'drip':
      await answerSlowly(response, await exchange.handler(request, false), effect.pieces);
      return;
    case 'short':
      await answer(response, method, shortened(await exchange.handler(request, false), effect.bytes));
      return;
    case undefined:
      await answer(response, method, await exchange.handler(request, false));
  }
}

async function receive(incoming: IncomingMessage, effect: Effect | null): Promise<Buffer> {
  const limit = effect?.kind === 'swallow' ? effect.bytes : Number.POSITIVE_INFINITY;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= limit) break;
    }
  } catch {
    // The client is gone.
  }
  return Buffer.concat(chunks).subarray(0, limit);
}

async function answer(response: ServerResponse, method: string, reply: Reply): Promise<void> {
  const body = Buffer.from(reply.body ?? '');
  const bodiless = method === 'HEAD' || reply.status === 204;
  const chunked = reply.headers?.['transfer-encoding'] !== undefined;
  const headers = { ...(bodiless || chunked ? {} : { 'content-length': body.length }), ...reply.headers };
  if (response.destroyed) return;
  response.writeHead(reply.status, headers as Record<string, string>);
  response.end(bodiless ? undefined : body);
  await once(response, 'close').catch(() => {});
}

async function answerInPart(
  response: ServerResponse,
  reply: Reply,
  { bytes, ending }: Effect & { readonly kind: 'cut' },
): Promise<void> {
  const body = Buffer.from(reply.body ?? '');
  const part = body.subarray(0, bytes);
  // Without a length the body goes in chunks, so that its end looks like an end.
  const length = ending === 'whole' ? {} : { 'content-length': body.length };
  response.writeHead(reply.status, { ...withoutLength(reply.headers), ...length } as Record<string, string>);
  await new Promise((resolve) => response.write(part, resolve));
  switch (ending) {
    case 'reset':
      response.socket?.destroy();
      return;
    case 'whole':
      response.end();
      return;
    case 'stall':
      await once(response, 'close').catch(() => {});
  }
}

async function answerSlowly(response: ServerResponse, reply: Reply, pieces: number): Promise<void> {
  const body = Buffer.from(reply.body ?? '');
  const headers = { ...reply.headers, 'content-length': String(body.length) };
  response.writeHead(reply.status, headers as Record<string, string>);
  const size = Math.ceil(body.length / pieces);
  for (let at = 0; at < body.length; at += size) {
    await new Promise((resolve) => response.write(body.subarray(at, at + size), resolve));
    await new Promise(setImmediate);
  }
  response.end();
}

function shortened(reply: Reply, bytes: number): Reply {
  const body = Buffer.from(reply.body ?? '').subarray(0, bytes);
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(String(reply.headers?.['content-range']));
  if (range === null) return reply;
  const [, first, total] = range;
  const last = Number(first) + body.length - 1;
  const headers = { ...withoutLength(reply.headers), 'content-range': `bytes ${first}-${last}/${total}` };
  return { status: reply.status, headers, body };
}

function withoutLength(headers: Reply['headers']): NonNullable<Reply['headers']> {
  return Object.fromEntries(Object.entries(headers ?? {}).filter(([name]) => name !== 'content-length'));
}
