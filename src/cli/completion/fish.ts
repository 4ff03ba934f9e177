/** Writes the completion script for fish, with descriptions. `scripts.ts` calls it. */
import type { CommandWords, OptionWords } from './vocabulary.ts';

/** Writes the script: a line for each command, option and action. */
export function fishScript(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c ocislim -f -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.describe)}`,
    ...actionsOf(command),
    ...command.options.flatMap((option) => optionLines(command.name, option)),
  ]);
  return `${lines.join('\n')}\n`;
}

function actionsOf({ name, first }: CommandWords): string[] {
  if (first.length === 0) return [];
  const words = first.join(' ');
  const when = `__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${words}`;
  // The name of a command is seen as such wherever it stands, also behind "help".
  const test =
    name === 'help' ? `test (count (commandline -opc)) -eq 2; and contains help (commandline -opc)` : when;
  return [`complete -c ocislim -f -n ${quoted(test)} -a ${quoted(words)}`];
}

function optionLines(command: string, option: OptionWords): string[] {
  const { words, describe, value } = option;
  const long = words.filter((each) => !isShort(each));
  const short = words.filter(isShort);
  return long.map((each, i) => {
    const names = [`-l ${each.slice(2)}`, ...(i === 0 ? short.map((letter) => `-s ${letter.slice(1)}`) : [])];
    const start = `complete -c ocislim -n '__fish_seen_subcommand_from ${command}' ${names.join(' ')}`;
    return `${start}${valueOf(value)} -d ${quoted(describe)}`;
  });
}

function valueOf(value: OptionWords['value']): string {
  switch (value?.kind) {
    case undefined:
      return '';
    case 'words':
      return ` -x -a ${quoted(value.words.join(' '))}`;
    case 'list':
      return ` -x -a ${quoted(`(__fish_complete_list , "printf '%s\\n' ${value.words.join(' ')}")`)}`;
    case 'file':
      return ' -r -F';
    case 'folder':
      return ` -x -a '(__fish_complete_directories)'`;
    case 'any':
      return ' -x';
  }
}

function isShort(word: string): boolean {
  return !word.startsWith('--');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
