import type { Path } from '../../bytes/path.ts';
import { type ByteString, readByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { isObject, type JsonObject, tryParseJson } from '../../bytes/json-value.ts';
import type { ClosureContext } from '../rule.ts';

/** What the image's environment sets a variable to, as the bytes that a program sees; '' where it does not. */
export function variable(name: string, { runtime }: ClosureContext): ByteString {
  return utf8Bytes(runtime.environment.get(name) ?? '');
}

/** Nobody writes longer lines; what patterns cost grows with the square of a line's length. */
const longestLine = 4096;

/**
 * The lines of a configuration file whose contents were asked for, trimmed, without empty lines, comments, and lines of
 * more than 4 KiB.
 */
export function linesOf(path: Path, { facts }: ClosureContext, comment = /^[#;]/): readonly ByteString[] {
  const bytes = facts.contents(path);
  if (bytes === null) return [];
  return readByteString(bytes)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line.length <= longestLine && !comment.test(line));
}

/** The same for a name that may lead there through symlinks. */
export function linesAt(name: ByteString, context: ClosureContext): readonly ByteString[] {
  const { path } = context.fs.resolve(name);
  return path === null ? [] : linesOf(path, context);
}

/** A JSON file as an object; null for anything else. */
export function objectAt(path: Path, { facts }: ClosureContext): JsonObject | null {
  const bytes = facts.contents(path);
  return bytes === null ? null : objectOf(tryParseJson(bytes));
}

export function objectOf(value: unknown): JsonObject | null {
  return isObject(value) ? value : null;
}
