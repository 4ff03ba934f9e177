import type { Path } from '../bytes/path.ts';

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
  readonly path: Path | null;
}
