/** Writes the completion script for zsh, with descriptions. `scripts.ts` calls it. */
import type { CommandWords, OptionWords, Value } from './vocabulary.ts';

/** Writes the script. It can be evaluated, and be a file `_ocislim` in the path of functions. */
export function zshScript(commands: readonly CommandWords[]): string {
  return `#compdef ocislim
_ocislim() {
  local command before=$words[CURRENT-1] i
  local -a offered first takes
  integer seen=0
  if [[ $PREFIX == --*=* ]]; then
    before=\${PREFIX%%=*}
    compset -P '*='
  fi
  for ((i = 2; i < CURRENT; i++)); do
    [[ $words[i] == -* ]] || { command=$words[i]; break }
  done
  case $command in
    '')
      offered=(${commands.map(({ name, describe }) => described(name, describe)).join(' ')})
      _describe -t commands command offered
      return ;;
${commands.map(commandCase).join('\n')}
    *) _files; return ;;
  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o -t options option offered
    return
  fi
  for ((i++; i < CURRENT; i++)); do
    if (( \${takes[(Ie)$words[i]]} )); then ((i++))
    elif [[ $words[i] != -* ]]; then seen=1; fi
  done
  if (( $#first && !seen )); then compadd -a first
  else _files; fi
}
if [[ $funcstack[1] == _ocislim ]]; then _ocislim "$@"
else
  (( $+functions[compdef] )) || { autoload -U compinit && compinit }
  compdef _ocislim ocislim
fi
`;
}

function commandCase({ name, options, first }: CommandWords): string {
  const takes = options.filter(({ value }) => value !== null).flatMap(({ words }) => words);
  const values = [...Map.groupBy(options.filter(hasValue), ({ value }) => offering(value))].map(
    ([offer, members]) => `        ${members.flatMap(({ words }) => words).join('|')}) ${offer}; return ;;`,
  );
  const offered = options.flatMap(({ words, describe }) => words.map((word) => described(word, describe)));
  return `    ${name})
      takes=(${takes.join(' ')}) first=(${first.map(quoted).join(' ')})
      case $before in
${values.join('\n')}
      esac
      offered=(${offered.join(' ')}) ;;`;
}

function hasValue(option: OptionWords): option is OptionWords & { readonly value: Value } {
  return option.value !== null;
}

function offering(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `compadd -- ${value.words.map(quoted).join(' ')}`;
    case 'list':
      return `compset -P '*,'; compadd -- ${value.words.map(quoted).join(' ')}`;
    case 'file':
      return '_files';
    case 'folder':
      return '_files -/';
    case 'any':
      return ':';
  }
}

function described(word: string, describe: string): string {
  return quoted(`${word.replaceAll(':', '\\:')}:${describe}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
