import { connect, createServer, type Socket } from 'node:net';

/** A proxy before a server on loopback that counts the bytes in both directions. */
export interface CountingProxy {
  readonly host: string;
  /** Bytes so far, from the server to its clients and from them to it, HTTP heads included. */
  readonly received: () => number;
  readonly sent: () => number;
  readonly close: () => Promise<void>;
}

/** Starts a proxy. @param host HOST:PORT */
export async function startCountingProxy(host: string): Promise<CountingProxy> {
  const [address = '', port = ''] = host.split(':');
  let [received, sent] = [0, 0];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), address);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
      socket.on('error', () => socket.destroy());
    }
    client.on('data', (chunk: Buffer) => {
      sent += chunk.length;
    });
    upstream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the proxy has no port');
  return {
    host: `127.0.0.1:${bound.port}`,
    received: () => received,
    sent: () => sent,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
