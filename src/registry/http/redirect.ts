import { isLocal, redact } from './address.ts';
import type { Origin } from './origin.ts';
import type { Method } from './transport.ts';

/** Returns whether an answer is a redirect that is followed. `body` is that of the request. */
export function isRedirect(method: Method, status: number, body: unknown): boolean {
  if (method === 'GET' || method === 'HEAD') return [301, 302, 303, 307, 308].includes(status);
  // Of writes only those that keep method and body (RFC 9110, 15.4.8 and 15.4.9), if the body can be sent again.
  return (status === 307 || status === 308) && (body === undefined || body instanceof Uint8Array);
}

/** Returns a `Location` relative to the URL whose answer held it; null when it is missing or malformed. */
export function resolveLocation(location: string | null, base: URL): URL | null {
  return location !== null && URL.canParse(location, base) ? new URL(location, base) : null;
}

/**
 * Returns why a server must not send us to a URL: an outsider could listen there, or only this machine can reach it. Null
 * when it may.
 */
export function refusedHop(from: URL, to: URL, origin: Origin): string | null {
  const refuse = (why: string) => `${from.host} sends us to ${redact(to)}, ${why}; refused`;
  if (to.protocol !== 'https:' && to.protocol !== 'http:') return refuse('which is not HTTP');
  if (to.protocol === 'http:' && from.protocol === 'https:') return refuse('which is not encrypted');
  if (to.username !== '' || to.password !== '') return refuse('a URL with a user name');
  if (isLocal(to) && !origin.isLoopback && to.hostname !== origin.url.hostname)
    return refuse('a local address');
  return null;
}
