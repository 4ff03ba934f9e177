/** Writes globs that name paths, for marks of `explore` and advice about files that a result lacks. `pattern.ts` reads them. */
import { type ByteString, decodeForDisplay } from '../bytes/bytes.ts';
import { longestPattern } from './pattern.ts';

/** Returns the rule that names one path and all below it; null for a name that no rule of a file can state. */
export function ruleOfPath(path: ByteString): string | null {
  const { glob, isExact } = globFor(path);
  return isExact && glob.length <= longestPattern ? glob : null;
}

/**
 * Returns a glob that matches a path and all below it. A character that no rule of a file can state is a `?` there, which matches others
 * too. A path that is too long is named by the nearest directory above it that is not.
 */
export function globOfPath(path: ByteString): string {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const { glob } = globFor(at);
    if (glob.length <= longestPattern) return glob;
  }
  return '**';
}

/** Writes a glob for a path, and says whether it matches nothing else. */
function globFor(path: ByteString): { readonly glob: string; readonly isExact: boolean } {
  const escaped = decodeForDisplay(path, (text) => text.replace(/[*?[\\]/g, '\\$&'));
  let isExact = true;
  // No literal can state a byte that is not UTF-8, which stands there as `\xff`, and a line break ends a rule.
  const stated = escaped.replace(/\\(?:x[0-9a-f]{2}|[^x])|\n/g, (found) => {
    if (/^\\[^x]/.test(found)) return found;
    isExact = false;
    return '?';
  });
  // The slash before it keeps `#`, `!` and blanks from having a meaning; a blank at the end needs a backslash.
  return { glob: `/${stated.replace(/[ \t\r\v\f]$/, '\\$&')}`, isExact };
}
