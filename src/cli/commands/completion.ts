/** The command `completion`: a shell script made from the table of commands, so that it never lags behind. */
import { OcislimError } from '../../errors.ts';
import { type Command, defineCommand } from '../command.ts';

/** `commands` is a function, since the list holds this command too. */
export const completionCommand = (commands: () => readonly Command[]): Command =>
  defineCommand({
    name: 'completion',
    describe: 'print a completion script for bash, zsh or fish',
    details:
      'Prints a script that makes the shell complete commands, their actions, options, the values of options (formats, presets, limits), files and folders. For zsh: eval "$(ocislim completion zsh)" in ~/.zshrc, or a file _ocislim in the path of functions. For fish: ocislim completion fish > ~/.config/fish/completions/ocislim.fish.',
    positionals: [{ name: 'shell', describe: 'the shell', required: true, choices: ['bash', 'zsh', 'fish'] }],
    options: {},
    examples: [['ocislim completion bash', 'for ~/.bashrc: eval "$(ocislim completion bash)"']],
    async run({ line, console }) {
      const shell = line.argument('shell') ?? '';
      const { scripts } = await import('../completion/scripts.ts');
      const { vocabularyOf } = await import('../completion/vocabulary.ts');
      const script = scripts[shell];
      if (script === undefined) throw new OcislimError('INTERNAL', `no completion for ${shell}`);
      console.stdout.write(script(await vocabularyOf(commands())));
      return 0;
    },
  });
