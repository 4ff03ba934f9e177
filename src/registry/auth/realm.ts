import type { OcislimError } from '../../errors.ts';
import { type Party, protocolError } from '../failure.ts';
import { isLocal, isLoopback, redact } from '../http/address.ts';

/**
 * Reads and checks the realm of a challenge: credentials are sent there, by a request from inside our network. `registry` is
 * the origin that sent the challenge. A registry on loopback may speak plain HTTP without `insecure`, but must not have a
 * password sent over the network that way. @throws REGISTRY
 */
export function parseRealm(text: string, registry: URL, insecure: boolean, party: Party): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const refuse = (why: string): OcislimError =>
    protocolError(
      party,
      'logging in',
      `the registry names a token server that ${why}${url === null ? '' : `: ${redact(url)}`}`,
    );
  if (url === null) throw refuse('is not a URL');
  const plain = registry.protocol === 'http:' && (insecure || !isLoopback(registry) || isLoopback(url));
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && plain))
    throw refuse('is not reached by https');
  if (url.username !== '' || url.password !== '') throw refuse('carries a user name');
  if (isLocal(url) && !isLoopback(registry) && url.hostname !== registry.hostname)
    throw refuse('is at a local address');
  return url;
}
