import { OcislimError } from '../../errors.ts';

/**
 * The upload session is gone, or holds other bytes than those sent: only an upload from the first byte helps. A registry
 * built on distribution loses every session whose connection breaks in the middle of a chunk.
 */
export class SessionLost extends OcislimError {
  constructor(error: OcislimError) {
    super(error.code === 'NOT_FOUND' ? 'REGISTRY' : error.code, `${error.message}: the upload is lost`, {
      cause: error,
      advice: 'Run the same command again: what is there already is not sent again.',
    });
  }
}
