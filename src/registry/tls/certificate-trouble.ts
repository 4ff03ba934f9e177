/**
 * Words for what is wrong with certificates, a server's or the client's. Connectors keep what a server has sent; the explanation
 * of a failed connection asks here what to say about it.
 */
import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { printable } from '../printable.ts';

/** A server's certificate, and those of its CAs that it sent: never empty. */
type Chain = readonly X509Certificate[];

/** By error: the certificates of a server that was refused. */
const chains = new WeakMap<object, Chain>();

/** Keeps the certificates that a connection failed for, for its message. */
export function rememberChain(error: Error, shown: readonly Buffer[]): void {
  chains.set(
    error,
    shown.map((raw) => new X509Certificate(raw)),
  );
}

/**
 * Returns the certificates that a server has sent, in DER. Not by getPeerX509Certificate: on Node 24 the certificate that is
 * verified after it has lost its names.
 */
export function shownBy(socket: TLSSocket): readonly Buffer[] {
  const shown: Buffer[] = [];
  let each: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  // A root names itself as its issuer.
  while (
    each?.raw !== undefined &&
    !shown.some((raw) => raw.equals(each?.raw as Buffer)) &&
    shown.length < longest
  ) {
    shown.push(each.raw);
    each = each.issuerCertificate;
  }
  return shown;
}

/** More certificates than any real chain has. */
const longest = 20;

interface Words {
  /** Null where Node's own message is better. */
  readonly plain: string | null;
  /** Names what is wrong in the certificate; null if that cannot be told. */
  readonly exact?: (chain: Chain, host: string) => string | null;
}

/** By code of Node's: what is wrong with a certificate. */
const troubles: ReadonlyMap<string, Words> = new Map<string, Words>([
  ['CERT_CHAIN_TOO_LONG', { plain: 'its chain is too long' }],
  ['CERT_HAS_EXPIRED', { plain: 'it has expired', exact: expired }],
  ['CERT_NOT_YET_VALID', { plain: 'it is not valid yet (is the clock right?)', exact: notYetValid }],
  ['CERT_REJECTED', { plain: null }],
  ['CERT_REVOKED', { plain: 'it was revoked' }],
  ['CERT_SIGNATURE_FAILURE', { plain: 'its signature is wrong' }],
  ['CERT_UNTRUSTED', { plain: 'its CA is not trusted for this' }],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', { plain: 'it is self-signed' }],
  ['ERR_TLS_CERT_ALTNAME_INVALID', { plain: null, exact: otherNames }],
  ['HOSTNAME_MISMATCH', { plain: 'it is for another name', exact: otherNames }],
  ['INVALID_CA', { plain: 'its CA may not issue certificates' }],
  ['INVALID_PURPOSE', { plain: 'it is not for a server' }],
  ['PATH_LENGTH_EXCEEDED', { plain: 'its chain is too long' }],
  [
    'SELF_SIGNED_CERT_IN_CHAIN',
    { plain: 'its chain ends in a CA that is not known here', exact: unknownRoot },
  ],
  ['UNABLE_TO_GET_ISSUER_CERT', { plain: 'its CA is not known here', exact: unknownIssuer }],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', { plain: 'its CA is not known here', exact: unknownIssuer }],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', { plain: 'its CA is not known here', exact: unknownIssuer }],
]);

/** Returns whether a code of Node's is about a server's certificate. */
export function isCertificateCode(code: string): boolean {
  return troubles.has(code);
}

/** Returns what is wrong with a certificate; null if only Node's message tells. */
export function describeCertificate(code: string, error: unknown, host: string): string | null {
  const words = troubles.get(code);
  const chain = typeof error === 'object' && error !== null ? chains.get(error) : undefined;
  const exact = chain === undefined ? null : words?.exact?.(chain, host);
  return exact ?? words?.plain ?? null;
}

function expired(chain: Chain): string | null {
  const old = chain.find(({ validTo }) => Date.parse(validTo) < Date.now());
  if (old === undefined) return null;
  return `${subject(old, chain)} expired on ${day(old.validTo)}`;
}

function notYetValid(chain: Chain): string | null {
  const young = chain.find(({ validFrom }) => Date.parse(validFrom) > Date.now());
  if (young === undefined) return null;
  return `${subject(young, chain)} is not valid before ${day(young.validFrom)} (is the clock right?)`;
}

function subject(one: X509Certificate, chain: Chain): string {
  return one === chain[0] ? 'it' : `the one of its CA ${nameOf(one.subject)}`;
}

function unknownRoot(chain: Chain): string | null {
  const root = chain.find(({ subject: name, issuer }) => name === issuer);
  return root === undefined
    ? null
    : `its chain ends in the CA ${nameOf(root.subject)}, which is not known here`;
}

function unknownIssuer(chain: Chain): string | null {
  return `it was issued by ${nameOf(chain.at(-1)?.issuer ?? '')}, which is not known here; or the server leaves out part of the chain`;
}

const mostNames = 5;

function otherNames([peer]: Chain, host: string): string {
  const names = (peer?.subjectAltName ?? '')
    .split(/, ?(?=(?:DNS|IP Address):)/)
    .flatMap((each) => /^(?:DNS|IP Address):(.+)$/.exec(each)?.[1] ?? [])
    .map((each) => printable(each, 60));
  const more = names.length > mostNames ? `, … (${names.length} names)` : '';
  const listed = names.length === 0 ? 'no name' : `${names.slice(0, mostNames).join(', ')}${more}`;
  return `it is for ${listed}, not for ${host}`;
}

/** Returns a distinguished name on one line; Node gives each part a line. */
function nameOf(name: string): string {
  return printable(name.trim().replaceAll('\n', ', '), 120);
}

function day(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}

/** Alerts of servers about the client certificate (RFC 8446, 6.2). */
const alerts: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/certificate[_ ]required/i, 'wants a client certificate, and none was given'],
  [/certificate[_ ]expired/i, 'refuses the client certificate: it has expired'],
  [/certificate[_ ]revoked/i, 'refuses the client certificate: it was revoked'],
  [/unknown[_ ]ca\b/i, 'refuses the client certificate: the server does not know its CA'],
  [/(?:bad|unsupported)[_ ]certificate|certificate[_ ]unknown/i, 'refuses the client certificate'],
  [/alert[_ ]access[_ ]denied/i, 'refuses the client certificate: it gives no access'],
];

/** Returns what a server says of the client certificate; null if the error is about something else. */
export function describeAlert(error: unknown): string | null {
  const text = alertText(error);
  return alerts.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/** Returns whether the two sides have no version or cipher of TLS in common. */
export function isVersionMismatch(error: unknown): boolean {
  return /protocol[_ ]version|unsupported[_ ]protocol|handshake[_ ]failure|no[_ ]protocols[_ ]available|insufficient[_ ]security/i.test(
    alertText(error),
  );
}

/** Returns OpenSSL's name for an error, without the rest of its line. */
export function alertName(error: unknown): string {
  const text = alertText(error);
  return printable(/SSL routines:[^:]*:([^:]+)/.exec(text)?.[1] ?? text.trim(), 80);
}

function alertText(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = 'code' in error ? String(error.code) : '';
  return code.startsWith('ERR_SSL') || code === 'EPROTO' ? `${code} ${error.message}` : '';
}
