import type { OcislimError } from '../../errors.ts';
import { ExchangeError } from '../failure.ts';

/**
 * The upload session is gone, or holds other bytes than those sent: only an upload from the first byte helps. A registry
 * built on distribution loses every session whose connection breaks in the middle of a chunk.
 */
export class SessionLost extends ExchangeError {
  /** `error` is the failure that showed it, `location` the session's. */
  constructor(error: OcislimError, location: URL) {
    const { fault, trouble, pause } =
      error instanceof ExchangeError ? error : { fault: null, trouble: null, pause: null };
    const code = error.code === 'NOT_FOUND' ? 'REGISTRY' : error.code;
    // Not transient for the session's own retries: only an uploader can start over.
    super(
      code,
      `${error.message}: the upload is lost`,
      { origin: location.origin, transient: false, fault, trouble, pause },
      { cause: error, advice: 'Run the same command again: what is there already is not sent again.' },
    );
  }
}
