import { OcislimError, type ErrorCode } from '../errors.ts';
import { redact } from './http/address.ts';
import {
  describeAlert,
  describeCertificate,
  isCertificateCode,
  alertName,
  isVersionMismatch,
} from './tls/certificate-trouble.ts';
import { printable } from './printable.ts';
import { ProxyError } from './http/proxy.ts';
import { withoutSecrets } from './http/secrets.ts';
import { discard, header, type HttpAnswer, readHead } from './http/transport.ts';
import { KiB } from '../units.ts';

/** Whose requests these are: every message starts with it. */
export interface Party {
  readonly side: 'source' | 'destination';
  /** As people write it. */
  readonly host: string;
  readonly repository: string;
}

export function nameOf(party: Party): string {
  return `${party.side} ${party.host}/${party.repository}`;
}

/** What a registry said when it refused (distribution-spec, "Error Codes"). */
export interface Fault {
  readonly status: number;
  /** `MANIFEST_UNKNOWN` and so on, when it gave one. */
  readonly code: string | null;
  readonly message: string | null;
  /** The digests that it named, wherever it put them. */
  readonly digests: readonly string[];
}

const errorBodyLimit = 64 * KiB;

/** Reads the error body of an answer: never fails, never waits for more than 64 KiB. */
export async function readFault(answer: HttpAnswer): Promise<Fault> {
  const { status } = answer;
  const type = header(answer, 'content-type') ?? '';
  if (/html/i.test(type)) {
    discard(answer);
    return { status, code: null, message: null, digests: [] };
  }
  const text = new TextDecoder().decode(await readHead(answer, errorBodyLimit)).trim();
  const digests = text.match(/sha(?:256|512):[0-9a-f]{64,128}/g) ?? [];
  const { code, message } = readErrors(text);
  const told = message ?? (text.startsWith('{') || text === '' ? null : text);
  const mask = (part: string | null) => (part === null ? null : withoutSecrets(part, answer.secrets));
  return { status, code: mask(code), message: mask(told), digests };
}

function readErrors(text: string): { readonly code: string | null; readonly message: string | null } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { code: null, message: null };
  }
  const errors = property(value, 'errors');
  const first: unknown = Array.isArray(errors) ? errors[0] : value;
  // Token servers follow OAuth 2 or answer `{"details": "…"}`.
  const message = [
    property(first, 'message'),
    property(first, 'error_description'),
    property(first, 'details'),
    property(first, 'error'),
  ].find((each) => typeof each === 'string' && each !== '');
  const code = property(first, 'code');
  return {
    code: typeof code === 'string' && code !== '' ? code : null,
    message: typeof message === 'string' ? message : null,
  };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** `404 MANIFEST_UNKNOWN: manifest unknown`, safe to print. */
export function describeFault(fault: Fault): string {
  const code = fault.code === null ? '' : ` ${printable(fault.code, 60)}`;
  return `${fault.status}${code}${fault.message === null ? '' : `: ${printable(fault.message)}`}`;
}

/** The error for an answer that was not hoped for. `what` is what was tried: "manifest latest". */
export function refusal(party: Party, what: string, answer: HttpAnswer, fault: Fault): OcislimError {
  const { code, advice } = judge(fault, party);
  return new OcislimError(
    code,
    `${nameOf(party)}: ${what}: ${answer.url.host} answered ${describeFault(fault)}`,
    advice === null ? {} : { advice },
  );
}

function judge(fault: Fault, party: Party): { readonly code: ErrorCode; readonly advice: string | null } {
  switch (fault.status) {
    case 401:
      return { code: 'UNAUTHORIZED', advice: loginAdvice(party.host) };
    case 403:
      return {
        code: 'DENIED',
        advice: `The account has no right to ${party.side === 'source' ? 'read' : 'write'} ${party.repository}, or the repository does not exist.`,
      };
    case 404:
      return {
        code: 'NOT_FOUND',
        advice:
          party.side === 'source'
            ? 'Check the name and the tag; a private repository may look missing without a login.'
            : 'Some registries want the repository to be created first.',
      };
    case 405:
      return { code: 'REGISTRY', advice: 'The registry does not allow this: it may be a read-only mirror.' };
    case 413:
      return {
        code: 'REGISTRY',
        advice: 'A proxy in front of the registry limits the size of requests (nginx: client_max_body_size).',
      };
    case 429:
      return {
        code: 'REGISTRY',
        advice: 'The registry limits how much one may ask of it: wait, or log in for a higher limit.',
      };
    default:
      if (fault.code === 'DIGEST_INVALID') {
        return {
          code: 'DIGEST_MISMATCH',
          advice: 'The bytes changed on their way to the registry: try again.',
        };
      }
      return { code: 'REGISTRY', advice: adviceFor(fault, party) };
  }
}

/** What to try after an answer that says little by its status. */
function adviceFor({ status, code, message }: Fault, { side }: Party): string | null {
  if (status >= 500) return 'The registry is in trouble: try again later.';
  if (status === 416) return 'The registry, or a proxy in front of it, limits the size of requests.';
  if (status >= 300 && status < 400) return 'Is this the address of a registry, and not of its web page?';
  if (side === 'source') return 'Is this the address of a registry?';
  if (/immutab|overwrit|already exists/i.test(`${code} ${message}`))
    return 'The registry does not let this tag be overwritten: name another one.';
  if (code === 'NAME_UNKNOWN' || code === 'NAME_INVALID')
    return 'Check the name of the repository; some registries want it to be created first.';
  if (code === 'MANIFEST_INVALID' || code === 'UNSUPPORTED')
    return 'The registry does not take this kind of image: older ones know no OCI manifests and no zstd layers; gzip goes everywhere.';
  return 'The registry refuses what it was sent: its operator can say why.';
}

/** The error for a 401 to a request that carried what the login gave. */
export function refusedLogin(party: Party, what: string, fault: Fault): OcislimError {
  const sentence = `the registry does not accept the login for this (${describeFault(fault)})`;
  return new OcislimError('UNAUTHORIZED', `${nameOf(party)}: ${what}: ${sentence}`, {
    advice: `Does the account have the right to ${party.side === 'source' ? 'read' : 'write'} ${party.repository}? ${loginAdvice(party.host)}`,
  });
}

export function loginAdvice(host: string): string {
  return `Log in (docker login ${host}, podman login ${host}), or give --creds USER:PASSWORD.`;
}

/** An answer that breaks the protocol. */
export function protocolError(party: Party, what: string, sentence: string): OcislimError {
  return new OcislimError('REGISTRY', `${nameOf(party)}: ${what}: ${sentence}`, {
    advice: 'The registry, or a proxy in front of it, breaks the protocol: ask its operator.',
  });
}

/** The connection broke, or never came to be. */
export class ConnectionError extends OcislimError {
  /** May it work when tried again? */
  readonly transient: boolean;

  constructor(message: string, transient: boolean, options: { cause: unknown; advice?: string }) {
    super('NETWORK', message, options);
    this.transient = transient;
  }
}

export type Trouble =
  /** The server does not speak TLS. */
  | 'not-tls'
  | 'certificate'
  /** The server wants a client certificate, or not the one that it got. */
  | 'client-certificate'
  /** The two sides have no version of TLS in common. */
  | 'tls-version'
  /** A proxy on the way does not let us through. */
  | 'proxy'
  /** Certificates or proxies that the person named cannot be used. */
  | 'settings'
  /** There is no such server, or nobody listens. */
  | 'unreachable'
  /** A server sent us to an address that only we can reach. */
  | 'local-address'
  | 'broken';

/** What kind of trouble an error of undici, node:net, node:tls or the transport is. */
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

function codeOf(error: unknown): string {
  // Both addresses of a name that has two may fail: one AggregateError.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code = property(error, 'code');
  return typeof code === 'string' ? code : '';
}

/** The error for a connection that failed for good. */
export function connectionError(party: Party, what: string, url: URL, error: unknown): ConnectionError {
  const trouble = classify(error);
  const { sentence, advice } = explain(trouble, url, error);
  const transient =
    trouble === 'broken' || trouble === 'unreachable' || (error instanceof ProxyError && error.transient);
  return new ConnectionError(`${nameOf(party)}: ${what}: ${sentence}`, transient, {
    cause: error,
    ...(advice === null ? {} : { advice }),
  });
}

function explain(
  trouble: Trouble,
  url: URL,
  error: unknown,
): { readonly sentence: string; readonly advice: string | null } {
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
        advice: 'TLS 1.2 and 1.3 are spoken here.',
      };
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

function reasonOf(error: unknown): string {
  const first =
    error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as unknown) : error;
  const message = first instanceof Error ? first.message : String(first);
  const code = codeOf(first);
  return printable(
    message === '' ? code : message.includes(code) || code === '' ? message : `${message} (${code})`,
  );
}
