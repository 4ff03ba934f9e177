/**
 * Checks that a request is meant for this registry. A page of any site can have a browser ask this machine: by a name of its own that
 * it points here (DNS rebinding), or by the registry's own address. handle-request.ts asks before anything else.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { OcislimError } from '../../errors.ts';
import { Refusal } from './refusal.ts';

/** A host as a header names it. */
interface Host {
  /** In lower case; an IPv6 address without brackets. */
  readonly name: string;
  /** Empty for that of the scheme. */
  readonly port: string;
}

/** Decides by the headers `Host` and `Origin` which requests are answered. */
export class HostCheck {
  readonly #allowed: ReadonlySet<string>;

  /** `allowed`: names beside those of this machine, as a person wrote them. @throws USAGE */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed.map(parseAllowedHost));
  }

  /** @throws Refusal for a request that was meant for another server, or comes from another site's page */
  require({ headersDistinct, socket }: Pick<IncomingMessage, 'headersDistinct' | 'socket'>): void {
    const { host: [host, ...hosts] = [], origin: [origin, ...origins] = [] } = headersDistinct;
    // Two parties may read two of them differently (RFC 9112, 3.2).
    if (hosts.length + origins.length > 0)
      throw new Refusal('DENIED', 'a request has one host and one origin', { status: 400 });
    // Browsers always send one.
    const meant = host === undefined || /[/?#@\\\s]/.test(host) ? null : hostOf(`http://${host}`);
    if (host !== undefined && (meant === null || !this.#isOurs(meant.name, socket.localAddress)))
      throw new Refusal('DENIED', 'this registry does not answer for that host: allow it with --allow-host', {
        detail: { host: printable(host) },
      });
    if (origin === undefined) return;
    const from = hostOf(origin);
    if (from === null || from.port !== meant?.port || !this.#isOurs(from.name, socket.localAddress))
      throw new Refusal('DENIED', 'this registry does not answer pages of other sites', {
        detail: { origin: printable(origin) },
      });
  }

  /** Whether a host is this machine, or allowed. No site can own an address, so that on which the request came is this machine too. */
  #isOurs(name: string, localAddress: string | undefined): boolean {
    return isLoopbackHost(name) || this.#allowed.has(name) || (isIP(name) !== 0 && name === localAddress);
  }
}

/** Returns whether a name or an address is this machine, wherever it is looked up (RFC 6761, 6.3). */
export function isLoopbackHost(name: string): boolean {
  if (isIP(name) === 4) return name.startsWith('127.');
  return name === '::1' || /^(?:.+\.)?localhost$/.test(name);
}

/** Reads a name, or an address, that `--allow-host` gives. A port is left out: the name counts. @throws USAGE */
export function parseAllowedHost(text: string): string {
  const name = isIP(text) === 6 ? text : hostOf(`http://${text}`)?.name;
  if (name !== undefined && !/[/?#@\\\s]/.test(text)) return name;
  throw new OcislimError('USAGE', `${JSON.stringify(text)} is not the name of a host`, {
    advice: 'Write a name as clients use it, without a scheme: registry.example.',
  });
}

function hostOf(url: string): Host | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, port } = new URL(url);
  if (!['http:', 'https:'].includes(protocol) || hostname === '') return null;
  return { name: hostname.replace(/^\[|\]$|\.$/g, '').toLowerCase(), port };
}

/** Makes a client's text fit to be sent back: short, and without control characters. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
