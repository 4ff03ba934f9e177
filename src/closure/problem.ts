import { type ByteString, decodeForDisplay } from '../bytes/bytes.ts';

/** Returns a name without leading slashes, as problems have it. */
export function bare(name: ByteString): ByteString {
  return name.replace(/^\/+/, '');
}

/** Decodes the detail of a need for a sentence: it holds names as the image has them. */
export function showDetail(detail: ByteString): string {
  return decodeForDisplay(detail, (text) => text);
}

/** A reason why the result of a pruning by trace might not run. */
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
    | 'no-exec'
    | 'failed-run';
  /** The reason, for people. */
  readonly sentence: string;
  /** The path that causes the problem or is missing. Null where the whole trace does. */
  readonly path: ByteString | null;
}

/** The most reasons that a message lists. */
const shown = 12;

/** Lists the reasons behind the beginning of a sentence. */
export function listed(problems: readonly Pick<Problem, 'sentence'>[]): string {
  if (problems.length === 1) return ` ${problems[0]?.sentence}`;
  // A line break in a name must not look like another item.
  const lines = problems.slice(0, shown).map(({ sentence }) => `\n  - ${sentence.replaceAll('\n', '\\n')}`);
  const rest = problems.length - lines.length;
  return `${lines.join('')}${rest > 0 ? `\n  - and ${rest} more` : ''}`;
}
