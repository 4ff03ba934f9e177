import { isIP, type LookupFunction } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import { rememberChain, shownBy } from '../tls/certificate-trouble.ts';
import { type Proxy, proxyRefusal, proxyTrouble } from './proxy.ts';

/** How to connect to one server. */
export interface ConnectOptions {
  readonly verifyTls: boolean;
  /** Whom to trust and what to show, for https; null where nobody is checked and nothing shown. */
  readonly context: SecureContext | null;
  /** Resolves the server's name, when not as usual. */
  readonly lookup: LookupFunction | null;
  readonly timeoutMs: number;
}

/** Connects to a server; its certificate is remembered for the message, should it be refused. */
export function directConnector(options: ConnectOptions): buildConnector.connector {
  const { verifyTls, context, lookup, timeoutMs } = options;
  // undici sends the server's name, but never an address, for the server to choose its certificate by (RFC 6066, 3).
  const connect = buildConnector({
    allowH2: false,
    timeout: timeoutMs,
    // Said either way, so that NODE_TLS_REJECT_UNAUTHORIZED has no say.
    rejectUnauthorized: verifyTls,
    ...(context === null ? {} : { secureContext: context }),
    ...(lookup === null ? {} : { lookup }),
  });
  return (server, callback) => {
    let shown: readonly Buffer[] = [];
    const socket = connect(server, (...outcome) => {
      if (outcome[0] !== null && shown.length > 0) rememberChain(outcome[0], shown);
      callback(...outcome);
    }) as unknown;
    if (socket instanceof TLSSocket) {
      // Before Node judges the certificate, since it drops it with the connection.
      socket.prependOnceListener('secure', () => {
        shown = shownBy(socket);
      });
      // With TLS 1.3 the server refuses our certificate after the handshake; without this, undici would only hear of
      // the end that follows.
      socket.once('error', (error) => socket.destroy(error));
    }
  };
}

/** Connects to the server of an https URL through a proxy, by CONNECT (RFC 9110, 9.3.6). Closing ends what is on the way. */
export function tunnelConnector(
  proxy: Proxy,
  target: URL,
  toServer: ConnectOptions,
  toProxy: ConnectOptions,
  closing: AbortSignal,
): buildConnector.connector {
  const secure = directConnector(toServer);
  return (server, callback) =>
    openTunnel(proxy, target, toProxy, closing, (...outcome) => {
      if (outcome[0] === null) secure({ ...server, httpSocket: outcome[1] }, callback);
      else callback(...outcome);
    });
}

/** Connects to the proxy itself, for requests to `target` that it is to pass on. */
export function forwardConnector(
  proxy: Proxy,
  target: URL,
  toProxy: ConnectOptions,
): buildConnector.connector {
  const connect = directConnector(toProxy);
  return (server, callback) =>
    // The name in the request is that of the server behind the proxy, not that of its certificate.
    connect({ ...server, servername: '' }, (...outcome) => {
      if (outcome[0] === null) callback(...outcome);
      else callback(proxyTrouble(proxy, target, outcome[0]), null);
    });
}

function openTunnel(
  proxy: Proxy,
  target: URL,
  { verifyTls, context, timeoutMs }: ConnectOptions,
  signal: AbortSignal,
  done: buildConnector.Callback,
): void {
  const authority = `${target.hostname}:${target.port || '443'}`;
  const isTls = proxy.url.protocol === 'https:';
  const host = proxy.url.hostname.replace(/^\[|\]$/g, '');
  const options = {
    host,
    port: proxy.url.port || (isTls ? 443 : 80),
    method: 'CONNECT',
    path: authority,
    headers: {
      host: authority,
      'user-agent': 'ocislim',
      connection: 'keep-alive',
      ...(proxy.authorization === null ? {} : { 'proxy-authorization': proxy.authorization.reveal() }),
    },
    agent: false,
    timeout: timeoutMs,
    signal,
  };
  // An import of node:http reads all that it exports, `WebSocket` too, and so loads a second undici: that takes long.
  const request = isTls
    ? process.getBuiltinModule('node:https').request({
        ...options,
        // Else Node would take that of the server behind the proxy, out of the header.
        servername: isIP(host) === 0 ? host : '',
        rejectUnauthorized: verifyTls,
        ...(context === null ? {} : { secureContext: context }),
      })
    : process.getBuiltinModule('node:http').request(options);
  let isOver = false;
  const finish: buildConnector.Callback = (...outcome) => {
    // More errors may follow the first.
    if (!isOver) done(...outcome);
    isOver = true;
  };
  request.once('connect', ({ statusCode = 0 }, socket) => {
    if (statusCode >= 200 && statusCode < 300) {
      socket.setTimeout(0);
      finish(null, socket);
    } else {
      socket.on('error', () => {}).destroy();
      finish(proxyRefusal(proxy, target, statusCode), null);
    }
  });
  request.once('timeout', () => request.destroy(new Error(`no answer in ${timeoutMs} ms`)));
  request.on('error', (error) => finish(proxyTrouble(proxy, target, error), null));
  request.end();
}
