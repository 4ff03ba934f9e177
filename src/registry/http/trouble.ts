/**
 * Failures of connections, sorted by what a person can do about them. The transport lets the errors of undici, Node and
 * proxies through; the errors that a caller sees get their words here.
 */
import { OcislimError } from '../../errors.ts';
import { printable } from '../printable.ts';
import {
  alertName,
  describeAlert,
  describeCertificate,
  isCertificateCode,
  isVersionMismatch,
} from '../tls/certificate-trouble.ts';
import { redact } from './address.ts';
import { ProxyError } from './proxy.ts';

export type Trouble =
  /** The server does not speak TLS. */
  | 'not-tls'
  /** The server's certificate is not trusted. */
  | 'certificate'
  /** The server wants a client certificate, or another one than it got. */
  | 'client-certificate'
  /** The two sides have no version of TLS in common. */
  | 'tls-version'
  /** A proxy on the way does not pass the request on. */
  | 'proxy'
  /** Certificates or proxies that the user named cannot be used. */
  | 'settings'
  /** The server does not exist, or does not accept connections. */
  | 'unreachable'
  /** A server named an address that only this machine or network can reach. */
  | 'local-address'
  /** The connection ended before the answer did. */
  | 'broken';

/** Returns the kind of an error of undici, node:net, node:tls or the transport. */
export function classify(error: unknown): Trouble {
  if (error instanceof ProxyError) return 'proxy';
  if (error instanceof OcislimError) return 'settings';
  const code = codeOf(error);
  if (isCertificateCode(code)) return 'certificate';
  if (describeAlert(error) !== null) return 'client-certificate';
  if (isVersionMismatch(error)) return 'tls-version';
  switch (code) {
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_HTTP_REQUEST':
    case 'ERR_SSL_UNKNOWN_PROTOCOL':
      return 'not-tls';
    case 'EPROTO':
      return /wrong version number|packet length too long|unknown protocol|http request/i.test(String(error))
        ? 'not-tls'
        : 'broken';
    case 'ENOTFOUND':
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'unreachable';
    case 'ELOCALADDRESS':
      return 'local-address';
    default:
      return 'broken';
  }
}

/** Returns whether the failure may pass by itself. */
export function isPassing(trouble: Trouble, error: unknown): boolean {
  return (
    trouble === 'broken' || trouble === 'unreachable' || (error instanceof ProxyError && error.transient)
  );
}

/** Words for a failure. */
interface Explanation {
  readonly sentence: string;
  readonly advice: string | null;
}

/** Returns the words for the failure of a connection to the server of `url`. */
export function explain(trouble: Trouble, url: URL, error: unknown): Explanation {
  const reason = reasonOf(error);
  switch (trouble) {
    case 'not-tls':
    case 'certificate':
    case 'client-certificate':
    case 'tls-version':
      return explainTls(trouble, url, error);
    case 'proxy':
      return { sentence: reason, advice: error instanceof ProxyError ? error.advice : null };
    case 'settings':
      return { sentence: reason, advice: error instanceof OcislimError ? (error.advice ?? null) : null };
    case 'unreachable':
      return {
        sentence: `cannot reach ${url.host}: ${reason}`,
        advice: 'Check the name and the port, and that the registry is up.',
      };
    case 'local-address':
      return {
        sentence: `the registry sent us to ${redact(url)}, which is a local address; refused`,
        advice: null,
      };
    case 'broken':
      return {
        sentence: `the connection to ${url.host} broke: ${reason}`,
        advice: 'Try again; raise --retry-times or --timeout on a bad line.',
      };
  }
}

function explainTls(
  trouble: 'not-tls' | 'certificate' | 'client-certificate' | 'tls-version',
  url: URL,
  error: unknown,
): Explanation {
  const reason = reasonOf(error);
  switch (trouble) {
    case 'not-tls':
      return {
        sentence: `${url.host} does not speak TLS`,
        advice: 'If it is meant to serve plain HTTP, allow that with --insecure.',
      };
    case 'certificate':
      return {
        sentence: `the certificate of ${url.host} cannot be trusted: ${describeCertificate(codeOf(error), error, url.hostname) ?? reason}`,
        advice:
          'Name its CA with --cert-dir DIR (a folder with a .crt file) or SSL_CERT_FILE=FILE, or accept any certificate with --tls-verify=false.',
      };
    case 'client-certificate':
      return {
        sentence: `${url.host} ${describeAlert(error) ?? reason}`,
        advice:
          'Give a client certificate with --client-p12 FILE or --cert-dir DIR (NAME.cert and NAME.key), or put it into certs.d.',
      };
    case 'tls-version':
      return {
        sentence: `${url.host} and ocislim have no version or cipher of TLS in common, or the server wants a client certificate (${alertName(error)})`,
        advice: 'TLS 1.2 and 1.3 are supported.',
      };
  }
}

function codeOf(error: unknown): string {
  // Both addresses of a name that has two may fail: one AggregateError.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function reasonOf(error: unknown): string {
  const first =
    error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as unknown) : error;
  const message = first instanceof Error ? first.message : String(first);
  const code = codeOf(first);
  return printable(
    message === '' ? code : message.includes(code) || code === '' ? message : `${message} (${code})`,
  );
}
