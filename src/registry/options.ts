/**
 * What callers set about registries, with every default in one place: the command line's option table imports the
 * defaults from here.
 */
import type { Listener } from '../events.ts';
import type { Limits } from '../limits.ts';
import type { Clock } from '../retry/clock.ts';
import { GiB, MiB } from '../units.ts';
import type { CredentialLookup } from './auth/credential.ts';
import type { ProxyLookup } from './http/proxy.ts';
import type { Certificates } from './tls/certificates.ts';

/** Attempts that follow a request's first one. */
export const defaultRetryTimes = 4;
/** Milliseconds without progress after which a request has failed. */
export const defaultTimeoutMs = 60_000;
/** Requests to one server at a time. */
export const defaultConnections = 6;
/** Bytes of the largest blob that goes up in one request: what a connection that breaks may cost. */
export const defaultLargestStream = GiB;
/** Bytes of one request of an upload in chunks. */
export const defaultBlockSize = 8 * MiB;

/** How to talk to a registry. */
export interface ClientOptions {
  readonly listener: Listener;
  readonly credentials: CredentialLookup;
  /** Whether plain HTTP and unverified TLS are allowed. A registry on loopback may always speak plain HTTP. */
  readonly insecure: boolean;
  /** Whether certificates are verified. */
  readonly tlsVerify: boolean;
  /** Certificates of CAs, in PEM, that are trusted in addition to the system's. */
  readonly authorities?: readonly string[];
  /** The certificates for each server. Default: those of the system. */
  readonly certificates?: Certificates;
  /** The proxies that requests go through. Default: none. */
  readonly proxies?: ProxyLookup;
  /** Attempts that follow a request's first one. Default: `defaultRetryTimes`. */
  readonly retryTimes?: number;
  /** Milliseconds without progress after which a request has failed. Default: `defaultTimeoutMs`. */
  readonly timeoutMs?: number;
  /** Requests to one server at a time, downloads not counted. Default: `defaultConnections`. */
  readonly connections?: number;
  /**
   * Bytes of the largest blob that goes up in one request as it comes, if its digest is known before. Larger blobs go up
   * in chunks. Default: `defaultLargestStream`.
   */
  readonly largestStream?: number;
  /** Bytes of one request of an upload in chunks; two such blocks are in memory for each upload. Default: `defaultBlockSize`. */
  readonly blockSize?: number;
  /** Bounds of documents and redirects. Default: `defaultLimits`. */
  readonly limits?: Limits;
  /** Default: the system's clock. */
  readonly clock?: Clock;
}
