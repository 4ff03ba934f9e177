import type { Listener } from '../events.ts';
import type { Limits } from '../limits.ts';

/** What writing an addition may use. */
export interface Adding {
  /** Bounds of what a tar unpacks to. */
  readonly limits: Limits;
  readonly signal: AbortSignal;
  /** Receives counts of bytes that have been read. */
  readonly onBytes: (count: number) => void;
  readonly listener: Listener;
}
