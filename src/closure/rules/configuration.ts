import type { Path } from '../../bytes/path.ts';
import { ascii, type ByteString, readByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { isObject, type JsonObject, tryParseJson } from '../../bytes/json-value.ts';
import type { ClosureContext, Need } from '../rule.ts';

/** Returns the value of a variable in the environment of the image, as the bytes that a program sees; '' where it is not set. */
export function variable(name: string, { runtime }: ClosureContext): ByteString {
  return utf8Bytes(runtime.environment.get(name) ?? '');
}

/** Yields the paths that variables in the environment of the image name, with all that is below. */
export function* namedByVariables(names: readonly ByteString[], context: ClosureContext): Generator<Need> {
  for (const name of names) {
    const path = variable(name, context);
    if (path !== '') yield { path, detail: ascii`named by ${name}`, below: true };
  }
}

/** Longer lines are skipped. The time of some patterns grows with the square of the length. */
const longestLine = 4096;

/**
 * Returns the lines of a configuration file, trimmed, without empty lines, comments, and lines of more than 4 KiB. The rule must
 * want its contents (`reads`); those of any other file are empty.
 */
export function linesOf(path: Path, { facts }: ClosureContext, comment = /^[#;]/): readonly ByteString[] {
  const bytes = facts.contents(path);
  if (bytes === null) return [];
  return readByteString(bytes)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line.length <= longestLine && !comment.test(line));
}

/** Returns the same lines for a name that may lead through symlinks. */
export function linesAt(name: ByteString, context: ClosureContext): readonly ByteString[] {
  const { path } = context.fs.resolve(name);
  return path === null ? [] : linesOf(path, context);
}

/** Returns the JSON object in a file; null for any other content. */
export function objectAt(path: Path, { facts }: ClosureContext): JsonObject | null {
  const bytes = facts.contents(path);
  return bytes === null ? null : objectOf(tryParseJson(bytes));
}

/** Returns a value that is a JSON object; null for any other. */
export function objectOf(value: unknown): JsonObject | null {
  return isObject(value) ? value : null;
}
