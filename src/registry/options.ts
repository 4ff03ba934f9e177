import type { Listener } from '../events.ts';
import type { Limits } from '../limits.ts';
import type { Certificates } from './tls/certificates.ts';
import type { Clock } from './retry/clock.ts';
import type { CredentialLookup } from './auth/credential.ts';
import type { ProxyLookup } from './http/proxy.ts';

/** How to talk to a registry. */
export interface ClientOptions {
  readonly listener: Listener;
  readonly credentials: CredentialLookup;
  /** Allow plain HTTP and unverified TLS. A registry on loopback may speak plain HTTP anyway. */
  readonly insecure: boolean;
  /** False accepts any certificate. */
  readonly tlsVerify: boolean;
  /** Certificates of CAs, in PEM, to be trusted besides the system's. */
  readonly authorities?: readonly string[];
  /** The certificates that each server gets; those of the system alone unless told. */
  readonly certificates?: Certificates;
  /** The proxies that requests go through; none unless told. */
  readonly proxies?: ProxyLookup;
  /** How often a request that failed is tried again. */
  readonly retryTimes: number;
  /** Milliseconds without progress after which a request has failed. */
  readonly timeoutMs: number;
  /** Requests to one server at a time, downloads aside; 6 unless told. */
  readonly connections?: number;
  /** Blobs whose digest is known go up in one request as they come, if they have no more bytes than this; 1 GiB unless told. */
  readonly largestStream?: number;
  /** How long documents may be, and how many redirects are followed; the defaults unless told. */
  readonly limits?: Limits;
  readonly clock?: Clock;
}
