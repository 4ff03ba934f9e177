/**
 * Makes the command lines that a reader copies: with the reference that was analyzed, and quoted for a shell. Findings, savings and
 * gates show them.
 */
import type { WasteFinding } from '../../analyze/analysis.ts';
import { formatReference, formOf, isStream, parseReference, type Reference } from '../../oci/reference.ts';
import { shellWord } from '../../shell-word.ts';

/** Writes the command of a finding or a saving: its name, the source, a destination beside it, and its options. */
export function commandLine(command: readonly string[], source: string): string {
  return commandWords(command, source).join(' ');
}

/**
 * Joins the commands of findings that prune into one, since each by itself would write to the same destination. Null where that would be
 * the command of one of them. Hard links are made in every layer then.
 */
export function combinedCommand(
  findings: readonly Pick<WasteFinding, 'command'>[],
): readonly string[] | null {
  const flags = new Set<string>();
  const presets = new Set<string>();
  const rules = new Set<string>();
  const distinct = new Set<string>();
  for (const { command } of findings) {
    if (command === null || command[0] !== 'prune') continue;
    distinct.add(command.join('\n'));
    for (let i = 1; i < command.length; i++) {
      const option = command[i] as string;
      if (option === '--preset') for (const name of (command[++i] ?? '').split(',')) presets.add(name);
      else if (option === '--rule') rules.add(command[++i] ?? '');
      else if (option === '--layers') i++;
      else flags.add(option);
    }
  }
  if (distinct.size < 2) return null;
  return [
    'prune',
    ...flags,
    ...(presets.size === 0 ? [] : ['--preset', [...presets].join(',')]),
    ...[...rules].flatMap((rule) => ['--rule', rule]),
  ];
}

/** The line above the command that joins those of findings. */
export const combinedWords = 'All of these removals in one command:';

/** Lists the words of such a command line, each quoted. */
export function commandWords(
  [command = '', ...options]: readonly string[],
  source: string,
): readonly string[] {
  return ['ocislim', command, source, besideOf(source), ...options].map(shellWord);
}

/** Returns a destination beside a source: the tag with `-slim` behind it, or another file. */
export function besideOf(source: string): string {
  let reference: Reference;
  try {
    reference = parseReference(source);
  } catch {
    return `${source}-slim`;
  }
  const form = formOf(reference);
  if (form.isWrittenWhole && 'path' in reference) {
    const file = isStream(reference) ? 'image' : reference.path.replace(/\.tar$/, '');
    return `${form.prefix}${file}-slim.tar`;
  }
  const name = form.nameOf(reference);
  if (name !== null && source.endsWith(`:${name}`)) return `${source}-slim`;
  return formatReference(form.withName(reference, name === null ? 'slim' : `${name}-slim`));
}
