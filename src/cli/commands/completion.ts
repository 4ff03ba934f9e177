/** The command `completion`: a shell script made from the table of commands, so that it never lags behind. */
import { OcislimError } from '../../errors.ts';
import { type Command, defineCommand } from '../command.ts';

/** `commands` is a function, since the list holds this command too. */
export const completionCommand = (commands: () => readonly Command[]): Command =>
  defineCommand({
    name: 'completion',
    describe: 'print a completion script for bash, zsh or fish',
    details: 'Prints a script that makes the shell complete commands and options.',
    positionals: [{ name: 'shell', describe: 'bash, zsh or fish', required: true }],
    options: {},
    examples: [['ocislim completion bash', 'for ~/.bashrc: eval "$(ocislim completion bash)"']],
    async run({ line, console }) {
      const shell = line.argument('shell') ?? '';
      const { completionScript } = await import('../completion.ts');
      const script = completionScript(shell, commands());
      if (script === null)
        throw new OcislimError('USAGE', `no completion for the shell ${JSON.stringify(shell)}`, {
          advice: 'Use bash, zsh or fish.',
        });
      console.stdout.write(script);
      return 0;
    },
  });
