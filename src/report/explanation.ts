import { ascii, type ByteString } from '../bytes/bytes.ts';
import type { CheckedClosure } from '../closure/close-image.ts';
import { explain } from '../closure/explain.ts';
import { displayPath, escapeText } from './escape.ts';

/** Explains in lines for a person why a path stays, or that it goes. `path` is as the user typed it. */
export function explainPath(
  { input, closure, pruning }: CheckedClosure,
  path: ByteString,
): readonly string[] {
  const { fs } = input;
  const itself = fs.resolve(ascii`/${path}`, { follow: false });
  const shown = displayPath(path);
  if (itself.path === null) return [`${shown}: not in the image`];
  const lines = explain(closure, itself.path);
  // A line may quote the config, whose text has more characters than bytes: `escapeText` takes those.
  if (lines.length > 0) return lines.map((line) => escapeText(displayPath(line)));
  return [`${shown}: removed, since nothing that ${escapeText(pruning.trace.name)} saw needs it`];
}
