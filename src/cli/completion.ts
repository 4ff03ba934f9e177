/** Writes completion scripts for shells. Every word in them comes from the table of commands. */
import { listOptions } from '../settings/option.ts';
import type { Command } from './command.ts';

/** Writes a completion script from the commands. Null: the shell is not known. */
export function completionScript(shell: string, commands: readonly Command[]): string | null {
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
    case 'fish':
      return fish(commands);
    default:
      return null;
  }
}

/** Lists the options of a command as they are typed, aliases included. */
function flags(command: Command): string[] {
  return listOptions(command.options).flatMap(({ name, alias }) => [
    `--${name}`,
    ...(alias === undefined ? [] : [alias.length === 1 ? `-${alias}` : `--${alias}`]),
  ]);
}

/** Completes command and option names; anything else is a file name. */
function bash(commands: readonly Command[]): string {
  const cases = commands
    .map((command) => `    ${command.name}) words="${flags(command).join(' ')}" ;;`)
    .join('\n');
  return `_ocislim() {
  local words current="\${COMP_WORDS[COMP_CWORD]}"
  case "\${COMP_WORDS[1]}" in
${cases}
    *) words="" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${commands.map(({ name }) => name).join(' ')}"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _ocislim ocislim
`;
}

/** Completes the same names, each with its description. */
function fish(commands: readonly Command[]): string {
  const quote = (text: string) => `'${text.replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap((command) => [
    `complete -c ocislim -n __fish_use_subcommand -a ${command.name} -d ${quote(command.describe)}`,
    ...listOptions(command.options).map(
      ({ name, describe }) =>
        `complete -c ocislim -n "__fish_seen_subcommand_from ${command.name}" -l ${name} -d ${quote(describe)}`,
    ),
  ]);
  return `${lines.join('\n')}\n`;
}
