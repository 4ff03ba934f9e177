import { type ByteString, readByteString, noBytes } from '../../bytes/bytes.ts';

/** The bytes of a script that the kernel looks at (include/uapi/linux/binfmts.h, BINPRM_BUF_SIZE). */
export const shebangBytes = 256;

/**
 * Returns what follows `#!` in the first line, without spaces at both ends; null where no interpreter does. `head` is the beginning
 * of the file: at least `shebangBytes`, if the file has as many.
 */
export function parseShebang(head: Uint8Array): ByteString | null {
  if (head[0] !== 0x23 || head[1] !== 0x21) return null;
  const [line = noBytes] = readByteString(head, 2, Math.min(head.length, shebangBytes)).split(/[\n\0]/, 1);
  const words = line.replace(/^[ \t]+|[ \t\r]+$/g, '');
  return words === '' ? null : words;
}

/** Returns whether a shell runs the script with this first line, as `parseShebang` returns it. */
export function isOfShell(line: ByteString): boolean {
  return /(?:^|[/ \t])(?:(?:ba|da|a|k|mk|z)?sh|busybox)(?:[ \t]|$)/.test(line);
}
