/**
 * Sends one request over a connection that exists already, and reads the whole answer, which comes from the program of an image: its size
 * and its time are bounded. `run-probes.ts` sends every HTTP and gRPC probe by it.
 */
import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { NetworkProbe } from '../../../probe/probe.ts';
import { GiB, MiB } from '../../../units.ts';

/** The most bytes of a body that are kept to be looked at. */
const kept = 4 * MiB;
/** The most bytes of a body that are read. */
const most = GiB;

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly length: number;
  readonly digest: string;
  /** The beginning of the body, for what reads pages. */
  readonly body: Uint8Array;
  /** The media type, in lower case. */
  readonly type: string;
  /** Where a redirect leads, as written; null without one. */
  readonly location: string | null;
}

/** Puts TLS over a connection. Certificates are not checked: the program is the one that was started. Rejects where the peer speaks no TLS. */
export function secure(socket: Socket, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    const over = connectTls({ socket, rejectUnauthorized: false, servername: 'localhost' });
    signal.addEventListener('abort', stop, { once: true });
    over.once('error', reject);
    over.once('secureConnect', () => {
      signal.removeEventListener('abort', stop);
      over.on('error', () => {});
      resolve(over);
    });
  });
}

/** Sends a request. Rejects where the answer is not HTTP or does not end, and with the signal's reason. */
export async function callHttp(
  { method, path, headers, body }: NetworkProbe,
  { socket, port, signal }: { readonly socket: Socket; readonly port: number; readonly signal: AbortSignal },
): Promise<Answer> {
  const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const fixed = { host: `localhost:${port}`, 'user-agent': 'ocislim', accept: '*/*', connection: 'close' };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = httpRequest({
      method,
      path: encodeURI(path).replaceAll('%25', '%'),
      headers: { ...fixed, ...length, ...headers },
      createConnection: () => socket,
      signal,
    });
    sent.on('error', reject);
    sent.on('response', resolve);
    sent.end(body ?? undefined);
  });
  return answerOf(response);
}

async function answerOf(response: IncomingMessage): Promise<Answer> {
  const hash = createHash('sha256');
  const beginning: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    if (length < kept) beginning.push(chunk);
    length += chunk.length;
    hash.update(chunk);
    if (length > most) throw new Error('the body is longer than 1 GiB');
  }
  const { statusCode = 0, headers } = response;
  return {
    status: statusCode,
    length,
    digest: `sha256:${hash.digest('hex')}`,
    body: new Uint8Array(Buffer.concat(beginning).subarray(0, kept)),
    type: (headers['content-type'] ?? '').toLowerCase(),
    location: headers.location ?? null,
  };
}

/**
 * Asks for the health of a gRPC service, '' for the server as a whole (grpc.health.v1.Health/Check). The status of the answer is that of
 * gRPC's `ServingStatus`: 1 for serving. Rejects for an error of gRPC, and where the peer does not speak it.
 */
export function callGrpcHealth(service: string, socket: Socket, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2('http://localhost', { createConnection: () => socket });
    const end = (error: Error) => {
      session.destroy();
      reject(error);
    };
    const stop = () => end(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    session.once('error', end);
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let trailers: Readonly<Record<string, string | number | string[] | undefined>> = {};
    call.once('error', end);
    call.once('response', (headers) => {
      trailers = headers;
    });
    call.once('trailers', (headers) => {
      trailers = headers;
    });
    call.on('data', (chunk: Buffer) => {
      if (chunks.length < 64) chunks.push(chunk);
    });
    call.once('end', () => {
      signal.removeEventListener('abort', stop);
      session.destroy();
      const { 'grpc-status': code = '0' } = trailers;
      if (code === '0') resolve(healthOf(Buffer.concat(chunks)));
      else reject(new Error(`gRPC answers with status ${code.toString()}`));
    });
    call.end(healthRequest(service));
  });
}

/** A message `HealthCheckRequest` in the frame of gRPC: not compressed, with its length. Field 1 is the name of the service. */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service).subarray(0, 127);
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.from([0x0a, name.length, ...name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Reads a `HealthCheckResponse`: field 1 is the status. */
function healthOf(frame: Buffer): Answer {
  const message = frame.subarray(5);
  const status = message[0] === 0x08 ? (message[1] ?? 0) : 0;
  const digest = `sha256:${createHash('sha256').update(message).digest('hex')}`;
  return { status, length: message.length, digest, body: new Uint8Array(message), type: '', location: null };
}
