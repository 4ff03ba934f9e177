/**
 * An HTTP proxy in this process, on loopback: it answers CONNECT, and passes plain requests on. Whatever host is
 * requested, it connects to 127.0.0.1, so that tests can name registries that do not exist.
 */
import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Certificate } from './certificate.ts';

/** A request to the proxy. */
export interface Passage {
  readonly method: string;
  /** `host:port` for CONNECT, else the whole URL. */
  readonly target: string;
  readonly authorization: string | null;
  readonly headers: IncomingMessage['headers'];
}

export interface ProxyOptions {
  /** The `Proxy-Authorization` that it demands. */
  readonly authorization?: string;
  /** The status that it answers everything with. */
  readonly refuse?: number;
  readonly tls?: Certificate;
}

/** A proxy on a free port. */
export class ProxyServer {
  readonly passages: Passage[] = [];
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
  }

  static async start(options: ProxyOptions = {}): Promise<ProxyServer> {
    const proxy = new ProxyServer(options);
    const server = proxy.#server;
    server.on('connection', (socket) => void proxy.#keep(socket));
    server.on('connect', (request, socket: Socket) => {
      const status = proxy.#admit(request);
      if (status !== 200) {
        socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
        return;
      }
      const port = Number(/:(\d+)$/.exec(request.url ?? '')?.[1]);
      const upstream = proxy.#keep(connect(port, '127.0.0.1'));
      upstream.once('connect', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    server.on('request', (request, response) => {
      const status = proxy.#admit(request);
      if (status !== 200) {
        response.writeHead(status).end();
        return;
      }
      const url = new URL(request.url ?? '');
      const { 'proxy-authorization': _, ...headers } = request.headers;
      const passed = forward(
        {
          host: '127.0.0.1',
          port: url.port,
          path: `${url.pathname}${url.search}`,
          method: request.method,
          headers,
        },
        (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        },
      );
      passed.on('error', () => response.destroy());
      request.pipe(passed);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #admit({ method = '', url = '', headers }: IncomingMessage): number {
    const authorization = headers['proxy-authorization'] ?? null;
    this.passages.push({ method, target: url, authorization, headers });
    const { refuse, authorization: wanted } = this.#options;
    if (refuse !== undefined) return refuse;
    return wanted !== undefined && wanted !== authorization ? 407 : 200;
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
