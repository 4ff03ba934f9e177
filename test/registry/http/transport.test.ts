import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import type { RegistryOptions } from '../../../src/registry/lease.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import { discard, type HttpAnswer } from '../../../src/registry/http/transport.ts';
import { closing } from '../../support/registry/opened.ts';
import { FakeClock, never, refer, setup } from '../../support/registry/setup.ts';

/** Starts a server for raw connections. Returns `127.0.0.1:PORT`. */
async function serve(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => onConnection(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing({ close: async () => void server.close() });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers TLS as a server does that knows plain HTTP only, and requests by `answer`. */
function plainly(answer: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) =>
    socket.once('data', ([first]) => {
      if (first === 0x16) socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      else answer(socket);
    });
}

/** A clock that goes on whenever it is looked at. */
class HurriedClock extends FakeClock {
  override now(): number {
    this.time += 100;
    return this.time;
  }
}

test.each(['100 Continue', '102 Processing', '103 Early Hints'])(
  'N22: interim answers are no final one: a server that sends only them is given up',
  async (status) => {
    const host = await serve(
      plainly((socket) => {
        const drip = (): void => {
          if (socket.destroyed) return;
          socket.write(`HTTP/1.1 ${status}\r\n\r\n`);
          setImmediate(drip);
        };
        drip();
      }),
    );
    const { options } = setup({ retryTimes: 0, timeoutMs: 5000, clock: new HurriedClock() });
    await using source = openRegistrySource(refer(`${host}/app:v1`), options);
    await expect(source.root(never)).rejects.toMatchObject({
      code: 'NETWORK',
      message: expect.stringMatching(
        // The HTTP library itself refuses a 100 that nothing asked for.
        /nothing but interim answers came in 5000 ms|bad response/,
      ) as string,
    });
  },
);

test('an answer after interim ones is taken', async () => {
  const host = await serve(
    plainly((socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n'.repeat(3));
      socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
    }),
  );
  await using source = openRegistrySource(refer(`${host}/app:v1`), setup({ retryTimes: 0 }).options);
  await expect(source.root(never)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

/** Reads an image by way of a server, aborts when `onMoment` says so, and waits until the server sees the end of it. */
async function abortAt(
  serverOf: (moment: (socket: Socket) => void) => (socket: Socket) => void,
  optionsOf: (host: string) => Partial<RegistryOptions> & { readonly name?: string },
): Promise<void> {
  const stop = new AbortController();
  let seen: Socket | null = null;
  const host = await serve(
    serverOf((socket) => {
      seen = socket;
      stop.abort(new Error('enough'));
    }),
  );
  const { name = host, ...overrides } = optionsOf(host);
  // Longer than this test may take.
  const { options } = setup({ timeoutMs: 600_000, ...overrides });
  const source = openRegistrySource(refer(`${name}/app:v1`), options);
  await expect(source.root(stop.signal)).rejects.toThrow('enough');
  await source.close();
  const socket = seen as Socket | null;
  if (socket !== null && !socket.destroyed) await once(socket, 'close');
}

const through = (host: string) => ({
  name: 'registry.example',
  proxies: () => ({ url: new URL(`http://${host}`), authorization: null }),
});

test('a TLS handshake that does not go on ends with the signal', async () => {
  await abortAt(
    (moment) => (socket) => socket.once('data', () => moment(socket)),
    () => ({}),
  );
});

test('a proxy that does not answer is left with the signal', async () => {
  await abortAt((moment) => (socket) => socket.once('data', () => moment(socket)), through);
});

test('a TLS handshake through a proxy ends with the signal', async () => {
  await abortAt(
    (moment) => (socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.once('data', () => moment(socket));
      }),
    through,
  );
});

test('a request that waits for a connection ends with the signal', async () => {
  const stop = new AbortController();
  const host = await serve((socket) => socket.resume());
  const { options } = setup({ timeoutMs: 600_000, connections: 1 });
  await using source = openRegistrySource(refer(`${host}/app:v1`), options);
  const requests = [source.root(stop.signal), source.root(stop.signal)];
  stop.abort(new Error('enough'));
  for (const request of requests) await expect(request).rejects.toThrow('enough');
});

test('the rest of an answer that only trickles is left after five seconds', () => {
  vi.useFakeTimers();
  try {
    const destroy = vi.fn<() => void>();
    discard({ body: { dump: () => new Promise(() => {}), destroy } as unknown as HttpAnswer['body'] });
    vi.advanceTimersByTime(4999);
    expect(destroy).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(destroy).toHaveBeenCalledOnce();
  } finally {
    vi.useRealTimers();
  }
});
