/**
 * Asks a shell what it would complete: it runs the script that ocislim makes for it. Callers: the tests of completion, in bash and,
 * where these are installed, in zsh and fish.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commands } from '../../src/cli/commands/all.ts';
import { scripts } from '../../src/cli/completion/scripts.ts';
import { vocabularyOf } from '../../src/cli/completion/vocabulary.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

/** What each shell runs: it is given the script and the words of the line, and prints a line for each completion. */
const programs: Readonly<Record<Shell, string>> = {
  bash: `source "$1"; shift
complete -p ocislim >&2 || exit
compopt() { :; }
COMP_WORDS=(ocislim "$@"); COMP_CWORD=$#
_ocislim; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // The builtins of zsh work in its line editor alone.
  zsh: `compdef() { : }
source $1; shift
compadd() { [[ $1 == -a ]] && set -- \${(P)2} || shift; _print "$@" }
_describe() { local name=\${@[-1]}; _print \${(P)name} }
_print() { local each; for each; do [[ $each == $PREFIX* ]] && print -r -- \${each%%:*}; done }
compset() { case $2 in '*=') PREFIX=\${PREFIX#*=} ;; *) PREFIX=\${PREFIX##*,} ;; esac }
_files() { print -r -- files $@ }
words=(ocislim "$@"); CURRENT=$#words; PREFIX=$words[CURRENT]
_ocislim`,
  fish: `source $argv[1]
complete -C "ocislim $(string join ' ' -- $argv[2..])" | string replace -r '\\t.*' ''`,
};

/**
 * Returns the completions of the last word in a line without "ocislim". An empty last word is completed too.
 * @param breaksAtEquals whether "=" is in COMP_WORDBREAKS of bash
 */
export async function completionsIn(
  shell: Shell,
  line: string,
  breaksAtEquals = true,
): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ocislim-completion-'));
  try {
    const [script, program] = [join(folder, 'script'), join(folder, 'program')];
    writeFileSync(script, scripts[shell]?.(await vocabularyOf(commands)) ?? '');
    writeFileSync(program, programs[shell]);
    // bash makes words of their own of "=", if it is in COMP_WORDBREAKS.
    const words = (shell === 'bash' && breaksAtEquals ? line.replace('=', ' = ') : line).split(' ');
    const options = shell === 'bash' ? ['--norc'] : shell === 'zsh' ? ['-f'] : ['--no-config'];
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, LC_ALL: 'C.UTF-8' };
    const found = await new Promise<string>((resolve, reject) => {
      execFile(shell, [...options, program, script, ...words], { cwd: folder, env }, (error, stdout) =>
        error === null || stdout !== '' ? resolve(stdout) : reject(error),
      );
    });
    return found.split('\n').filter((each) => each !== '' && each !== 'program' && each !== 'script');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Lines and some of what every shell completes. */
export const completed: readonly (readonly [line: string, words: readonly string[]])[] = [
  ['sq', ['squash']],
  ['pres', ['presets']],
  ['squash --compression', ['--compression', '--compression-level']],
  ['squash --dry', ['--dry-run']],
  ['squash oci:app:1 --compression ', ['gzip', 'zstd', 'none']],
  ['squash --compression z', ['zstd']],
  ['squash -q a b --progress p', ['plain']],
  ['recompress --gzip-engine l', ['libdeflate']],
  ['recompress --tune s', ['small']],
  ['prune --granularity ', ['file', 'package', 'directory']],
  ['prune --preset apt-li', ['apt-lists']],
  ['copy --limit layer-b', ['layer-bytes=']],
  ['trace ', ['record', 'merge', 'show', 'seccomp', 'apparmor']],
  ['trace -o file r', ['record']],
  ['registry ', ['serve']],
  ['completion f', ['fish']],
  ['help ver', ['verify']],
  ['presets loc', ['locales']],
  ['conf', ['config']],
  ['config a b --unset', ['--unset-env', '--unset-volume', '--unset-label']],
  ['prune a b --entry', ['--entrypoint']],
  ['copy --no-tls', ['--no-tls-verify']],
];
