/** The completion scripts by shell. The command `completion` prints one of them. */
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import type { CommandWords } from './vocabulary.ts';
import { zshScript } from './zsh.ts';

/** How to write the script of each shell. */
export const scripts: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};
