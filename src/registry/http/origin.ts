/**
 * The scheme of a registry, which people leave out: https, or plain HTTP where that is allowed and the server speaks it. The
 * client keeps one for its host.
 */
import type { ExchangeError } from '../failure.ts';
import { isLoopback, serverOf } from './address.ts';
import { ProxyError } from './proxy.ts';

/** The address of a registry: https until a failure shows that the server speaks plain HTTP. */
export class Origin {
  readonly #insecure: boolean;
  #url: URL;
  #isReached = false;

  /** `host` as the user wrote it. `insecure`: whether plain HTTP is allowed beyond loopback. */
  constructor(host: string, insecure: boolean) {
    this.#url = new URL(`https://${serverOf(host)}`);
    this.#insecure = insecure;
  }

  /** The URL without path. */
  get url(): URL {
    return this.#url;
  }

  /** Whether the server has answered. From then on its scheme is settled, and failures to reach it may pass. */
  get isReached(): boolean {
    return this.#isReached;
  }

  /** Whether the registry is on this machine. */
  get isLoopback(): boolean {
    return isLoopback(this.#url);
  }

  /** Whether a URL has the registry's scheme, host and port. */
  owns(url: URL): boolean {
    return url.origin === this.#url.origin;
  }

  /** Notes that the server of a URL has answered. */
  noteAnswer(url: URL): void {
    if (this.owns(url)) this.#isReached = true;
  }

  /**
   * Changes the scheme to plain HTTP, if that is allowed and the server has never spoken TLS.
   * @returns `turned` when this call changed it, `plain` when another request had changed it before the failed one was sent
   *   again, `no` when the scheme stays
   */
  turnPlain(error: ExchangeError): 'turned' | 'plain' | 'no' {
    const { trouble } = error;
    const url = new URL(error.origin);
    if (this.#url.protocol === 'http:')
      return url.protocol === 'https:' && url.host === this.#url.host ? 'plain' : 'no';
    if (this.#isReached || !this.owns(url)) return 'no';
    const isAllowed = this.#insecure || this.isLoopback;
    if (!(trouble === 'not-tls' && isAllowed) && !this.#isAtOtherPort(error)) return 'no';
    this.#url = new URL(this.#url.href.replace(/^https:/, 'http:'));
    return 'turned';
  }

  /** Whether plain HTTP may be at its own port: a name without a port means another port by https than by http. */
  #isAtOtherPort({ trouble, cause }: ExchangeError): boolean {
    if (!this.#insecure || this.#url.port !== '') return false;
    const isRefused = cause instanceof ProxyError && cause.status !== null && cause.status !== 407;
    return trouble === 'unreachable' || isRefused;
  }
}
