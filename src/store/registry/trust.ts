import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

let known: readonly string[] | null = null;

/** Node's own CAs, those of NODE_EXTRA_CA_CERTS, and the system's (SSL_CERT_FILE and SSL_CERT_DIR name others). */
function knownAuthorities(): readonly string[] {
  // Reading them takes tens of milliseconds, and they do not change during a run.
  known ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
  return known;
}

/** What TLS connections trust: the known CAs and the ones given, in PEM. */
export function trustContext(authorities: readonly string[]): SecureContext {
  return createSecureContext({ ca: [...knownAuthorities(), ...authorities] });
}
