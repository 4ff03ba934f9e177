/**
 * TLS contexts for the connections of one client: which CAs they trust, and which client certificate they show. The transport
 * asks for one for each server.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import { knownAuthorities } from './authorities.ts';
import type { Certificates, HostCertificates } from './certificates.ts';

export interface TrustOptions {
  /** The registry's host as the user wrote it. */
  readonly host: string;
  /** The registry's server: `HOST[:PORT]`, as in URLs. */
  readonly server: string;
  readonly certificates: Certificates;
  /** Further CAs for every server, in PEM. */
  readonly authorities: readonly string[];
}

/** The certificates of the system that this process runs in. */
export const systemCertificates: Certificates = {
  areGiven: false,
  known: () => (known ??= knownAuthorities(process.env)),
  of: () => Promise.resolve({ authorities: [], clients: [] }),
};

let known: Promise<readonly string[]> | null = null;

/** Contexts without certificates of one registry: shared by clients, since each takes long to make. */
const usual = new WeakMap<Certificates, Promise<SecureContext>>();

/** Decides what the connections of one registry's client trust and show. */
export class Trust {
  readonly #options: TrustOptions;
  /** By server. */
  readonly #contexts = new Map<string, Promise<SecureContext>>();

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /** Whether the user named certificates, which are read even for a server that cannot use them. */
  get areGiven(): boolean {
    return this.#options.certificates.areGiven;
  }

  /**
   * Returns the context for the server of a URL. The registry's CAs hold for the servers that it names too, as in docker: its
   * storage and its token server often have the same CA. A client certificate is for its own host only.
   * @throws IO
   */
  contextFor(url: URL, foreign: boolean): Promise<SecureContext> {
    const key = `${foreign} ${url.host}`;
    let context = this.#contexts.get(key);
    if (context === undefined) {
      context = this.#make(url, foreign);
      this.#contexts.set(key, context);
    }
    return context;
  }

  async #make(url: URL, foreign: boolean): Promise<SecureContext> {
    const { host, server, certificates } = this.#options;
    const registry = await certificates.of([host, server], false);
    if (url.host === server) return this.#context(registry);
    const own = await certificates.of([url.host], foreign);
    return this.#context({
      authorities: [...registry.authorities, ...own.authorities],
      clients: foreign || own.clients.length > 0 ? own.clients : registry.clients,
    });
  }

  async #context(own: HostCertificates): Promise<SecureContext> {
    const { certificates, authorities } = this.#options;
    if (own.authorities.length + own.clients.length + authorities.length > 0) return this.#build(own);
    let made = usual.get(certificates);
    if (made === undefined) {
      made = this.#build(own);
      made.catch(() => usual.delete(certificates));
      usual.set(certificates, made);
    }
    return made;
  }

  /** Parses every known CA, which takes some tens of milliseconds. */
  async #build({ authorities, clients }: HostCertificates): Promise<SecureContext> {
    const { certificates, authorities: more } = this.#options;
    const pairs = clients.filter((each) => each.kind === 'pem');
    const files = clients.filter((each) => each.kind === 'pfx');
    return createSecureContext({
      ca: [...(await certificates.known()), ...more, ...authorities],
      ...(pairs.length === 0
        ? {}
        : { cert: pairs.map(({ cert }) => cert), key: pairs.map(({ key }) => key.reveal()) }),
      ...(files.length === 0
        ? {}
        : {
            pfx: files.map(({ pfx, passphrase }) => ({
              buf: Buffer.from(pfx),
              passphrase: passphrase.reveal(),
            })),
          }),
    });
  }

  /** Returns the context for a server that no registry named: a proxy. */
  async usual(): Promise<SecureContext> {
    return this.#context({ authorities: [], clients: [] });
  }
}
