/** A format of compression that ocislim does not read: neither images nor archives need it. */
export interface UnreadFormat {
  readonly name: string;
  /** The program that unpacks it, with `-d`, from standard input to standard output. */
  readonly program: string;
}

/** The formats, by the magic bytes that they begin with, in hexadecimal. */
const unread: readonly (readonly [magic: string, format: UnreadFormat])[] = [
  ['fd377a585a00', { name: 'xz', program: 'xz' }],
  ['425a68', { name: 'bzip2', program: 'bzip2' }],
];

/** Returns the unread format that the first bytes of a file show; null for none. Give at least six bytes where the file has them. */
export function unreadFormat(head: Uint8Array): UnreadFormat | null {
  const hex = Buffer.from(head.subarray(0, 8)).toString('hex');
  return unread.find(([magic]) => hex.startsWith(magic))?.[1] ?? null;
}
