/** Lines of the screen, made of pieces. Each has exactly as many columns as it may. */
import { columnsOf, cut } from './text.ts';
import type { Role, Theme } from './theme.ts';

/** A piece of text without escape sequences, and what it is. */
export type Piece = string | readonly [role: Role, text: string];

/** Draws pieces one after the other in exactly `width` columns. `as`: the role of the whole line, in place of those of its pieces. */
export function line(theme: Theme, width: number, pieces: readonly Piece[], as?: Role): string {
  let left = width;
  let drawn = '';
  for (const piece of pieces) {
    const [role, text] = typeof piece === 'string' ? [null, piece] : piece;
    const shown = cut(text, left);
    left -= columnsOf(shown);
    drawn += role === null || as !== undefined ? shown : theme.paint(role, shown);
    if (left <= 0) break;
  }
  const whole = drawn + ' '.repeat(Math.max(0, left));
  return as === undefined ? whole : theme.paint(as, whole);
}

/** Draws a bar of a share from 0 to 1, in `width` columns. */
export function bar({ glyphs }: Theme, share: number, width: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * width * 8);
  const rest = eighths % 8;
  const drawn = glyphs.full.repeat(Math.floor(eighths / 8)) + (rest === 0 ? '' : glyphs.parts[rest - 1]);
  return drawn + ' '.repeat(Math.max(0, width - drawn.length));
}
