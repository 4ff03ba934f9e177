import { type ByteString, decodeForDisplay } from '../bytes/bytes.ts';

/** Shows what a rule says of a need, which holds names as the image has them, in a sentence. */
export function showDetail(detail: ByteString): string {
  return decodeForDisplay(detail, (text) => text);
}

/** A reason not to trust a pruning by trace: what is left might not run. */
export interface Problem {
  readonly kind:
    | 'missing'
    | 'entrypoint'
    | 'interpreter'
    | 'library'
    | 'user'
    | 'symlink'
    | 'platform'
    | 'other-image'
    | 'no-exec';
  /** For a person, without the path's place in the chain of reasons. */
  readonly sentence: string;
  /** The path that is to blame or is missing; null where it is the whole trace. */
  readonly path: ByteString | null;
}
