import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, test } from 'vitest';
import { findPlainServer } from '../../../src/registry/http/plain-server.ts';
import { makeCertificate } from '../../support/registry/certificate.ts';
import { closing } from '../../support/registry/opened.ts';
import { never } from '../../support/registry/setup.ts';

/** Milliseconds that no test waits for. */
const long = 600_000;

/** Starts a server on an address. Returns its URL, by https. */
async function serve(onConnection: (socket: Socket) => void, address = '127.0.0.1'): Promise<URL> {
  const server = createServer((socket) => onConnection(socket.on('error', () => {})));
  server.listen(0, address);
  await once(server, 'listening');
  closing({ close: () => void server.close() });
  const { port } = server.address() as AddressInfo;
  return new URL(`https://${address.includes(':') ? `[${address}]` : address}:${port}`);
}

const plain = (socket: Socket): void =>
  void socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));

test.each(['127.0.0.1', '::1'])('a server at %s that answers in plain HTTP is found', async (address) => {
  const error = await findPlainServer(await serve(plain, address), long, never);
  expect(String(error)).toMatch(/wrong version number/i);
});

test('a server that speaks TLS is not taken for one, and gets no byte of a request', async () => {
  const { cert, key } = makeCertificate();
  const server = createTlsServer({ cert, key });
  let requested = 0;
  server.on('secureConnection', (socket) => socket.on('data', (bytes) => (requested += bytes.length)));
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing({ close: () => void server.close() });
  const { port } = server.address() as AddressInfo;
  expect(await findPlainServer(new URL(`https://127.0.0.1:${port}`), long, never)).toBeNull();
  expect(requested).toBe(0);
});

test.each([
  ['hangs up at once', (socket: Socket) => void socket.end()],
  ['hangs up in the handshake', (socket: Socket) => void socket.once('data', () => socket.destroy())],
])('it stays unknown what a server speaks that %s', async (_, onConnection) => {
  expect(await findPlainServer(await serve(onConnection), long, never)).toBeNull();
});

test('it stays unknown what a port without a server speaks', async () => {
  expect(await findPlainServer(new URL('https://127.0.0.1:1'), long, never)).toBeNull();
});

test('a server that says nothing is left when the client is closed', async () => {
  const stop = new AbortController();
  const left = Promise.withResolvers<void>();
  const url = await serve((socket) => {
    socket.once('close', () => left.resolve());
    socket.once('data', () => stop.abort());
  });
  expect(await findPlainServer(url, long, stop.signal)).toBeNull();
  await left.promise;
});
