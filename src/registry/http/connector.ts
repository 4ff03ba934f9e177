/**
 * Connections to registries and proxies, direct and through tunnels. The transport gives them to undici's pools.
 */
import type { ClientRequest } from 'node:http';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import { rememberChain, shownBy } from '../tls/certificate-trouble.ts';
import { type Proxy, proxyRefusal, proxyTrouble } from './proxy.ts';

/** How to connect to one server. */
export interface ConnectOptions {
  readonly verifyTls: boolean;
  /** The CAs to trust and the certificate to show, for https; null for plain HTTP. */
  readonly context: SecureContext | null;
  /** Resolves the server's name; null for the system's way. */
  readonly lookup: LookupFunction | null;
  readonly timeoutMs: number;
}

/** Returns a connector for a server, through a proxy if there is one. `closing` ends connections that are being made. */
export function connectorOf(
  path: ProxyPath | null,
  toServer: ConnectOptions,
  closing: AbortSignal,
): buildConnector.connector {
  if (path === null) return directConnector(toServer, closing);
  return path.target.protocol === 'https:'
    ? tunnelConnector(path, toServer, closing)
    : forwardConnector(path, closing);
}

/** Returns a connector to a server. It keeps the server's certificate for the message, in case that is refused. */
function directConnector(options: ConnectOptions, closing: AbortSignal): buildConnector.connector {
  const { verifyTls, context, lookup, timeoutMs } = options;
  // undici sends the server's name for the choice of a certificate, but never an address (RFC 6066, 3).
  const connect = buildConnector({
    allowH2: false,
    timeout: timeoutMs,
    // Set either way, so that NODE_TLS_REJECT_UNAUTHORIZED has no effect.
    rejectUnauthorized: verifyTls,
    ...(context === null ? {} : { secureContext: context }),
    ...(lookup === null ? {} : { lookup }),
  });
  return (server, callback) => {
    let shown: readonly Buffer[] = [];
    const onClosing = (): void => void socket.destroy(new Error('the connection is not wanted any more'));
    const socket = connect(server, (...outcome) => {
      closing.removeEventListener('abort', onClosing);
      if (outcome[0] !== null && shown.length > 0) rememberChain(outcome[0], shown);
      callback(...outcome);
    }) as unknown as Socket;
    if (closing.aborted) onClosing();
    else closing.addEventListener('abort', onClosing, { once: true });
    if (socket instanceof TLSSocket) {
      // Before Node verifies the certificate, since it drops it with the connection.
      socket.prependOnceListener('secure', () => {
        shown = shownBy(socket);
      });
      // With TLS 1.3 the server refuses a client certificate after the handshake; without this, undici would only see
      // the end of the connection.
      socket.once('error', (error) => socket.destroy(error));
    }
  };
}

/** A way through a proxy. */
export interface ProxyPath {
  readonly proxy: Proxy;
  /** The URL of the request. */
  readonly target: URL;
  /** How to connect to the proxy itself. */
  readonly toProxy: ConnectOptions;
}

/**
 * Returns a connector to the server of an https URL through a proxy, by CONNECT (RFC 9110, 9.3.6). `closing` ends connections
 * that are being made.
 */
function tunnelConnector(
  path: ProxyPath,
  toServer: ConnectOptions,
  closing: AbortSignal,
): buildConnector.connector {
  const secure = directConnector(toServer, closing);
  return (server, callback) =>
    openTunnel(path, closing, (...outcome) => {
      if (outcome[0] === null) secure({ ...server, httpSocket: outcome[1] }, callback);
      else callback(...outcome);
    });
}

/** Returns a connector to the proxy itself, for requests in plain HTTP that it passes on. */
function forwardConnector(
  { proxy, target, toProxy }: ProxyPath,
  closing: AbortSignal,
): buildConnector.connector {
  const connect = directConnector(toProxy, closing);
  return (server, callback) =>
    // The name in the request is that of the server behind the proxy, not that of its certificate.
    connect({ ...server, servername: '' }, (...outcome) => {
      if (outcome[0] === null) callback(...outcome);
      else callback(proxyTrouble(proxy, target, outcome[0]), null);
    });
}

/** Asks the proxy for a tunnel. Calls `done` once, with its socket or an error. */
function openTunnel(path: ProxyPath, closing: AbortSignal, done: buildConnector.Callback): void {
  const { proxy, target, toProxy } = path;
  const request = connectRequest(path, closing);
  let isOver = false;
  // The request's own timeout starts again with every byte.
  const late = setTimeout(
    () => request.destroy(new Error(`no answer in ${toProxy.timeoutMs} ms`)),
    toProxy.timeoutMs,
  );
  const finish: buildConnector.Callback = (...outcome) => {
    clearTimeout(late);
    // More errors may follow the first.
    if (!isOver) done(...outcome);
    isOver = true;
  };
  request.once('connect', ({ statusCode = 0 }, socket) => {
    if (statusCode >= 200 && statusCode < 300) {
      finish(null, socket);
    } else {
      socket.on('error', () => {}).destroy();
      finish(proxyRefusal(proxy, target, statusCode), null);
    }
  });
  request.on('error', (error) => finish(proxyTrouble(proxy, target, error), null));
  request.end();
}

function connectRequest({ proxy, target, toProxy }: ProxyPath, signal: AbortSignal): ClientRequest {
  const { verifyTls, context } = toProxy;
  const authority = `${target.hostname}:${target.port || '443'}`;
  const isTls = proxy.url.protocol === 'https:';
  const host = proxy.url.hostname.replace(/^\[|\]$/g, '');
  const { authorization } = proxy;
  const options = {
    host,
    port: proxy.url.port || (isTls ? 443 : 80),
    method: 'CONNECT',
    path: authority,
    headers: {
      host: authority,
      'user-agent': 'ocislim',
      connection: 'keep-alive',
      ...(authorization === null ? {} : { 'proxy-authorization': authorization.reveal() }),
    },
    agent: false,
    signal,
  };
  // Importing node:http reads all of its exports, `WebSocket` too, which loads a second undici: that takes long.
  if (!isTls) return process.getBuiltinModule('node:http').request(options);
  return process.getBuiltinModule('node:https').request({
    ...options,
    // Otherwise Node takes the name of the server behind the proxy, out of the header.
    servername: isIP(host) === 0 ? host : '',
    rejectUnauthorized: verifyTls,
    ...(context === null ? {} : { secureContext: context }),
  });
}
