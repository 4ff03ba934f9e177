import { OcislimError } from '../../errors.ts';
import type { Command } from '../command.ts';

/** `commands` are asked for late: this command is one of them. */
export const completionCommand = (commands: () => readonly Command[]): Command => ({
  name: 'completion',
  describe: 'print a completion script for bash, zsh or fish',
  details: 'Prints a script that makes the shell complete commands and options.',
  positionals: [{ name: 'shell', describe: 'bash, zsh or fish', required: true }],
  options: [],
  examples: [['ocislim completion bash', 'for ~/.bashrc: eval "$(ocislim completion bash)"']],
  async run(values, console) {
    const { completionScript } = await import('../completion.ts');
    const script = completionScript(String(values['shell']), commands());
    if (script === null)
      throw new OcislimError('USAGE', `no completion for the shell ${JSON.stringify(values['shell'])}`, {
        advice: 'Use bash, zsh or fish.',
      });
    console.stdout.write(script);
    return 0;
  },
});
