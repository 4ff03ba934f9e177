/**
 * Finds out whether a server of this machine speaks TLS, before the CAs are read and parsed that are trusted: a registry for tests or
 * development mostly does not, and they take longer than a small copy. The transport asks before its first request.
 */
import { isIP } from 'node:net';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { classify } from './trouble.ts';

/**
 * Begins a TLS handshake that trusts no certificate, and sends nothing else.
 * @returns the error of a server that does not speak TLS; null for one that does, and where that stays unknown
 */
export function findPlainServer(url: URL, timeoutMs: number, closing: AbortSignal): Promise<Error | null> {
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const end = (error: Error | null): void => {
    clearTimeout(late);
    closing.removeEventListener('abort', onClosing);
    socket.destroy();
    resolve(error);
  };
  const onClosing = (): void => end(null);
  const late = setTimeout(() => end(null), timeoutMs);
  const socket: TLSSocket = connect({
    host,
    port: Number(url.port || 443),
    servername: isIP(host) === 0 ? host : '',
    secureContext: createSecureContext({ ca: [] }),
    rejectUnauthorized: true,
  });
  // A destroyed socket may report one more error.
  socket.on('error', (error) => end(classify(error) === 'not-tls' ? error : null));
  socket.once('secureConnect', () => end(null));
  socket.once('close', () => end(null));
  closing.addEventListener('abort', onClosing, { once: true });
  return promise;
}
