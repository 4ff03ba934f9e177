/**
 * Proxies: which one a URL has by the environment, and the words for their failures. The transport asks for the proxy of every
 * server that it connects to.
 */
import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { OcislimError } from '../../errors.ts';
import { Secret } from '../auth/secret.ts';
import { isLoopback } from './address.ts';
import { isCertificateCode } from '../tls/certificate-trouble.ts';

/** A proxy that requests go through. */
export interface Proxy {
  /** Without user name and password. */
  readonly url: URL;
  /** The `Proxy-Authorization` header: for the proxy alone. */
  readonly authorization: Secret | null;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Finds the proxy of a URL; null for a direct connection. @throws USAGE, UNSUPPORTED for a proxy that cannot be used */
export type ProxyLookup = (url: URL) => Proxy | null;

/** Finds no proxy for any URL. */
export const direct: ProxyLookup = () => null;

/** Makes a look-up in the environment: see `proxyFor`. */
export function createProxyLookup(env: Environment): ProxyLookup {
  return (url) => proxyFor(url, env);
}

/**
 * Returns the proxy of a URL by the rules of Go's programs, which docker and podman follow: `HTTPS_PROXY` for https,
 * `HTTP_PROXY` for http, `NO_PROXY` for exceptions; each in lower case if it is missing in upper case. This machine is never
 * reached through a proxy. @throws USAGE, UNSUPPORTED for a proxy that cannot be used
 */
export function proxyFor(url: URL, env: Environment): Proxy | null {
  const variable = variableFor(url, env);
  if (variable === null || isLoopback(url)) return null;
  const proxy = parseProxy(env[variable] ?? '', variable);
  const excluded = (env['NO_PROXY'] || env['no_proxy']) ?? '';
  return isExcluded(url, excluded) ? null : proxy;
}

function variableFor(url: URL, env: Environment): string | null {
  const names =
    url.protocol === 'https:'
      ? ['HTTPS_PROXY', 'https_proxy']
      : // A CGI program finds its client's header `Proxy:` in this variable.
        env['REQUEST_METHOD']
        ? ['http_proxy']
        : ['HTTP_PROXY', 'http_proxy'];
  return names.find((name) => Boolean(env[name])) ?? null;
}

function parseProxy(text: string, variable: string): Proxy {
  const refuse = (why: string): OcislimError =>
    // The value is not quoted: it may hold a password.
    new OcislimError('USAGE', `${variable} ${why}`, { advice: 'Write http://[USER:PASSWORD@]HOST[:PORT].' });
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(whole)) throw refuse('is not the URL of a proxy');
  const url = new URL(whole);
  if (url.protocol.startsWith('socks'))
    throw new OcislimError('UNSUPPORTED', `${variable} names a SOCKS proxy, which is not supported`, {
      advice: 'Name an HTTP proxy, or exclude the registry with NO_PROXY.',
    });
  if (!['http:', 'https:'].includes(url.protocol) || url.hostname === '')
    throw refuse('is not the URL of a proxy');
  let authorization: Secret | null = null;
  if (url.username !== '' || url.password !== '') {
    let pair: string;
    try {
      pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    } catch {
      throw refuse('has a user name or password with a % that encodes nothing');
    }
    authorization = new Secret(`Basic ${Buffer.from(pair, 'utf8').toString('base64')}`);
  }
  return { url: new URL(url.origin), authorization };
}

/** Returns whether an entry of `NO_PROXY` matches: `*`, an address, a range (CIDR), or a name with its subdomains. */
function isExcluded(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return list.split(',').some((item) => {
    const entry = item.trim().toLowerCase();
    return entry === '*' || matches(entry, host, port);
  });
}

function matches(entry: string, host: string, port: string): boolean {
  const range = /^(.+)\/(\d{1,3})$/.exec(entry);
  if (range !== null) return inRange(host, range[1] ?? '', Number(range[2]));
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(entry);
  // More colons without brackets are an IPv6 address without a port.
  const wanted = parts?.[2] ?? '';
  if (parts !== null && wanted !== '' && wanted !== port) return false;
  const name = (parts?.[1] ?? entry).replace(/^\[|\]$/g, '');
  if (name === '') return false;
  const family = isIP(name);
  if (family !== 0) return inRange(host, name, family === 4 ? 32 : 128);
  if (isIP(host) !== 0) return false;
  const suffix = name.startsWith('*.') ? name.slice(1) : name;
  const ascii = domainToASCII(suffix) || suffix;
  // `.example` means its subdomains, `example` the name itself too.
  return ascii.startsWith('.') ? host.endsWith(ascii) : host === ascii || host.endsWith(`.${ascii}`);
}

function inRange(host: string, network: string, prefix: number): boolean {
  const [one, other] = [isIP(host), isIP(network)];
  if (one === 0 || other === 0 || prefix > (other === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, other === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, one === 4 ? 'ipv4' : 'ipv6');
}

/** A failure of a proxy, not of the server behind it. The message names the proxy without its password. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  /** The status of its answer; null without one. */
  readonly status: number | null;
  /** Whether the failure may pass by itself. */
  readonly transient: boolean;
  readonly advice: string;

  constructor(
    message: string,
    options: { status: number | null; transient: boolean; advice: string; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
    this.transient = options.transient;
    this.advice = options.advice;
  }
}

/** Returns the error for a proxy that refuses a request or a tunnel. */
export function proxyRefusal({ url, authorization }: Proxy, target: URL, status: number): ProxyError {
  const name = url.origin;
  if (status === 407) {
    const sentence =
      authorization === null
        ? `the proxy ${name} wants a user name and password (407)`
        : `the proxy ${name} does not accept the user name and password given for it (407)`;
    return new ProxyError(sentence, {
      status,
      transient: false,
      advice: `They belong in the URL of the proxy (${variableName(target)}=http://USER:PASSWORD@HOST:PORT); NO_PROXY=${target.hostname} goes without it.`,
    });
  }
  return new ProxyError(`the proxy ${name} gives no connection to ${target.host}: it answered ${status}`, {
    status,
    transient: status === 502 || status === 503 || status === 504,
    advice: `Check that ${target.host} is up and that the proxy may connect to it; NO_PROXY=${target.hostname} goes without it.`,
  });
}

const final = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'];

/** Returns the error for a proxy that cannot be reached, or hangs up. */
export function proxyTrouble({ url }: Proxy, target: URL, cause: unknown): ProxyError {
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  const code = first instanceof Error && 'code' in first ? String(first.code) : '';
  const reason = first instanceof Error && first.message !== '' ? first.message : code;
  return new ProxyError(`cannot get through the proxy ${url.origin}: ${reason}`, {
    status: null,
    transient: !final.includes(code) && !isCertificateCode(code),
    advice: `Check ${variableName(target)}; NO_PROXY=${target.hostname} goes without a proxy.`,
    cause,
  });
}

function variableName(target: URL): string {
  return target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
}
