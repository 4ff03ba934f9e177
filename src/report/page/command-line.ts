/** Writes commands for people to copy: quoted for a shell, with a destination beside the source. */
import { escapeText } from '../escape.ts';

/** Words that no shell changes. */
const plain = /^[\w@%+=:,./-]+$/;
/** A reference that ends in a tag, without a digest: the tag can get an ending of its own. */
const tagged = /^(?!(?:docker|oci)-archive:)[^@]*:\w[\w.-]*$/;

/**
 * Writes the command line of ocislim's arguments about an image. The result gets the same name with `-slim` behind its tag; where the
 * image has no tag, the command is a dry run.
 */
export function commandLine(args: readonly string[], reference: string): string {
  const [command = '', ...options] = args;
  const end = tagged.test(reference) ? [`${reference}-slim`] : ['--dry-run'];
  const words = ['ocislim', command, reference, ...end, ...options];
  return escapeText(words.map(quoted).join(' '));
}

function quoted(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
