import { createSecureContext, type SecureContext } from 'node:tls';
import { knownAuthorities } from './authorities.ts';
import type { Certificates, HostCertificates } from './certificates.ts';

export interface TrustOptions {
  /** The registry, as people write it. */
  readonly host: string;
  /** The registry's server: `HOST[:PORT]`, as URLs have it. */
  readonly server: string;
  readonly certificates: Certificates;
  /** More CAs for every server, in PEM. */
  readonly authorities: readonly string[];
}

/** No certificates but those of the system that this process runs in. */
export const systemCertificates: Certificates = {
  known: () => (known ??= knownAuthorities(process.env)),
  of: () => Promise.resolve({ authorities: [], clients: [] }),
};

let known: Promise<readonly string[]> | null = null;

/** Contexts without any certificates of a registry's own, for all clients that share their certificates: see `#build`. */
const usual = new WeakMap<Certificates, Promise<SecureContext>>();

/** Whom the connections of one registry's client trust, and what they show: the one place that decides it. */
export class Trust {
  readonly #options: TrustOptions;
  /** Each takes tens of milliseconds to make. */
  readonly #contexts = new Map<string, Promise<SecureContext>>();

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /**
   * For the server of a URL. The registry's CAs hold for the servers that it names too, as with docker: its storage
   * and its token server are often behind the same CA. A client certificate is for its own host alone.
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

  /** Takes some tens of milliseconds: every CA that is known is parsed. */
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

  /** For a server that is not of the registry's making: a proxy. */
  async usual(): Promise<SecureContext> {
    return this.#context({ authorities: [], clients: [] });
  }
}
