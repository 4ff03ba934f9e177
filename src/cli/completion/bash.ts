/** Writes the completion script for bash. `scripts.ts` calls it. Images and other arguments are completed as files by bash itself. */
import type { CommandWords, OptionWords, Value } from './vocabulary.ts';

/** Writes the script. It works with bash 4 and newer, with and without the package bash-completion. */
export function bashScript(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `_ocislim() {
  local command= takes= offer= first= kind= option= seen=0 skip=0 i
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  # bash makes a word of its own of "=", unless COMP_WORDBREAKS was told not to.
  if [ "$current" = "=" ]; then current=
  elif [ "$before" = "=" ]; then before="\${COMP_WORDS[COMP_CWORD-2]}"
  else case "$current" in
    --*=*) before="\${current%%=*}"; option="$before="; current="\${current#*=}" ;;
  esac; fi
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in -*) ;; *) command="\${COMP_WORDS[i]}"; break ;; esac
  done
  case "$command" in
    '') COMPREPLY=($(compgen -W '${names} --help --version' -- "$current")); return ;;
${commands.map(commandCase).join('\n')}
    *) return ;;
  esac
  case "$kind" in
    words)
      COMPREPLY=($(compgen -P "$option" -W "$offer" -- "$current"))
      case "$offer" in *=*) compopt -o nospace 2>/dev/null ;; esac
      return ;;
    list)
      local head=
      case "$current" in *,*) head="\${current%,*}," ;; esac
      COMPREPLY=($(compgen -P "$option$head" -W "$offer" -- "\${current##*,}")); return ;;
    file) [ -z "$option" ] || COMPREPLY=($(compgen -P "$option" -f -- "$current")); return ;;
    folder) COMPREPLY=($(compgen -P "$option" -d -- "$current")); return ;;
    any) compopt +o default 2>/dev/null; return ;;
  esac
  case "$current" in -*) COMPREPLY=($(compgen -W "$offer" -- "$current")); return ;; esac
  [ -n "$first" ] || return
  for ((i++; i < COMP_CWORD; i++)); do
    if [ "\${COMP_WORDS[i]}" = "=" ]; then skip=1; continue; fi
    if [ $skip = 1 ]; then skip=0; continue; fi
    case " $takes " in *" \${COMP_WORDS[i]} "*) skip=1; continue ;; esac
    case "\${COMP_WORDS[i]}" in -*) ;; *) seen=1 ;; esac
  done
  [ $seen = 1 ] || COMPREPLY=($(compgen -W "$first" -- "$current"))
}
complete -o default -F _ocislim ocislim
`;
}

/** Sets what may come next in a command: by the word before for values, else its options. */
function commandCase({ name, options, first }: CommandWords): string {
  const takes = options.filter(({ value }) => value !== null).flatMap(({ words }) => words);
  const all = options.flatMap(({ words }) => words).join(' ');
  const values = [...Map.groupBy(options.filter(hasValue), ({ value }) => setting(value))].map(
    ([set, members]) => `        ${members.flatMap(({ words }) => words).join('|')}) ${set} ;;`,
  );
  return `    ${name})
      takes='${takes.join(' ')}' first='${first.join(' ')}'
      case "$before" in
${[...values, `        *) offer='${all}' ;;`].join('\n')}
      esac ;;`;
}

function hasValue(option: OptionWords): option is OptionWords & { readonly value: Value } {
  return option.value !== null;
}

function setting(value: Value): string {
  return 'words' in value ? `kind=${value.kind} offer='${value.words.join(' ')}'` : `kind=${value.kind}`;
}
