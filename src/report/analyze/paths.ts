/**
 * Renders the paths of an image, a line for each, for programs such as grep and xargs. With NUL after each, paths are exact bytes;
 * else they are escaped.
 */
import { ascii, bytesOf, utf8Bytes } from '../../bytes/bytes.ts';
import { displayPath } from '../escape.ts';
import { type Analyzed, rowsOf, type Scope, stateText } from './analyzed.ts';

/** Yields a line for each row: its path, and behind its layer and state where all layers are listed. */
export function* renderPaths(
  { scanned }: Analyzed,
  { scope, nul }: { readonly scope: Scope; readonly nul: boolean },
): Generator<string | Uint8Array> {
  for (const row of rowsOf(scanned, scope)) {
    const before = scope === 'root' ? '' : `${row.layer}\t${stateText(row)}\t`;
    if (nul) yield bytesOf(ascii`${utf8Bytes(before)}/${row.path}\0`);
    else yield `${before}/${displayPath(row.path)}\n`;
  }
}
