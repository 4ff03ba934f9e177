import { OcislimError } from '../errors.ts';

/**
 * The session is gone, or holds something else than what was sent: only taking the bytes in from their start helps.
 * Whoever can make the same stream again may do so; a registry of distribution's own make loses every session whose
 * connection breaks in the middle of a chunk.
 */
export class SessionLost extends OcislimError {
  constructor(error: OcislimError) {
    super(error.code === 'NOT_FOUND' ? 'REGISTRY' : error.code, `${error.message}: the upload is lost`, {
      cause: error,
      advice: 'Run the same command again: what is there already is not sent again.',
    });
  }
}
