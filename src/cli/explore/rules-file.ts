/** Writes marks as a file of rules for `prune`, and the command that reads it. A path that no rule can name is refused when it is marked. */
import type { Path } from '../../bytes/path.ts';
import { displayPath } from '../../report/escape.ts';
import { shellWord } from '../../files/writable.ts';
import type { Contents } from './contents.ts';
import type { Marks } from './marks.ts';

/** The longest rule, in characters (src/rules/pattern.ts). */
const longest = 4096;

/** Returns the rule that names one path and all below it; null for a name that no rule can state. */
export function ruleFor(path: Path): string | null {
  const text = Buffer.from(path, 'latin1').toString('utf8');
  // No rule can state a byte that is not UTF-8, and a line break ends a rule.
  if (text.includes('\n') || Buffer.from(text, 'utf8').toString('latin1') !== path) return null;
  // The slash before it keeps `#`, `!` and blanks from having a meaning; a blank at the end needs a backslash.
  const rule = `/${text.replace(/[*?[\\]/g, '\\$&').replace(/[ \t\r\v\f]$/, '\\$&')}`;
  return rule.length > longest ? null : rule;
}

/** Says why a path cannot be marked. */
export function whyNoRule(path: Path): string {
  const why = path.includes('\n')
    ? 'has a line break in its name'
    : Buffer.from(Buffer.from(path, 'latin1').toString('utf8'), 'utf8').toString('latin1') === path
      ? 'has too long a name'
      : 'has a name that is not UTF-8';
  return `/${displayPath(path)} ${why}, which no rule can state: mark the directory above it`;
}

/** Returns the text of a file of rules. Paths come in their order, so that what was taken back follows what was marked above it. */
export function rulesText({ title, table }: Contents, { paths, presets }: Marks): string {
  const rules = [...paths]
    .sort(([a], [b]) => a - b)
    .map(([path, choice]) => `${choice === 'keep' ? '!' : ''}${ruleFor(table.paths[path] as Path) ?? ''}\n`);
  const used = presets.length === 0 ? '' : `# Together with --preset ${presets.join(',')}\n`;
  return `# Marked in ocislim explore ${commentable(title.name)}\n${used}${rules.join('')}`;
}

/** Returns the arguments of the command that prunes what is marked. `file` is null where no path is marked. */
export function pruneCommand(source: string, { presets, paths }: Marks, file: string): string {
  const words = ['ocislim', 'prune', shellWord(source), 'DST'];
  if (paths.size > 0) words.push('--rules', shellWord(file));
  if (presets.length > 0) words.push('--preset', presets.join(','));
  return words.join(' ');
}

function commentable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}
