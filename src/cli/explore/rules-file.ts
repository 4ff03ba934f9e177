/** Writes marks as a file of rules for `prune`, and the command that reads it. A path that no rule can name is refused when it is marked. */
import type { Path } from '../../bytes/path.ts';
import { ruleOfPath } from '../../rules/glob-of-path.ts';
import { displayPath } from '../../report/escape.ts';
import { shellWord } from '../../shell-word.ts';
import type { Contents } from './contents.ts';
import type { Marks } from './marks.ts';

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
    .map(
      ([path, choice]) => `${choice === 'keep' ? '!' : ''}${ruleOfPath(table.paths[path] as Path) ?? ''}\n`,
    );
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
