import { defaultLimits } from '../limits.ts';
import { systemClock } from '../retry/clock.ts';
import { direct } from './http/proxy.ts';
import {
  type ClientOptions,
  defaultBlockSize,
  defaultConnections,
  defaultLargestStream,
  defaultRetryTimes,
  defaultTimeoutMs,
} from './options.ts';
import { systemCertificates } from './tls/trust.ts';

/** Options with their defaults. */
export type ClientSettings = Required<ClientOptions>;

/** Returns the options with a default for each that is missing. */
export function withDefaults(options: ClientOptions): ClientSettings {
  return {
    authorities: [],
    certificates: systemCertificates,
    proxies: direct,
    retryTimes: defaultRetryTimes,
    timeoutMs: defaultTimeoutMs,
    connections: defaultConnections,
    largestStream: defaultLargestStream,
    blockSize: defaultBlockSize,
    limits: defaultLimits,
    clock: systemClock,
    ...options,
  };
}
