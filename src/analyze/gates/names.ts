/** Writes names of an image into the messages of gates. What prints a message escapes it as a whole. */
import { decodeForDisplay } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';

/** Writes a path as text. */
export function displayed(path: Path): string {
  return `/${decodeForDisplay(path, (text) => text.replaceAll('\\', '\\\\'))}`;
}

/** Names the first three of some texts, and says how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length - 3;
  return `${names.slice(0, 3).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Returns a count with its noun: `1 file`, `12 files`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
