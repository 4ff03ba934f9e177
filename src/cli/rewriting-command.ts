/** Makes the commands that rewrite images. Only data is made here: their work is loaded when one runs, so that help stays fast. */
import type { RewritingCommand } from '../commands/index.ts';
import type { JobSettings } from '../commands/rewrite.ts';
import type { Options, SettingsOf } from '../settings/option.ts';
import { type Call, type Command, defineCommand, type Definition } from './command.ts';

/** A rewriting command as data, and the way to load its work. */
interface RewritingDefinition<Table extends Options> extends Omit<Definition<Table>, 'run' | 'check'> {
  readonly load: () => Promise<RewritingCommand<SettingsOf<Table> & JobSettings>>;
}

/** Makes a command that rewrites an image. What all of these do is in `rewriting.ts`, loaded when one runs. */
export function defineRewriting<Table extends Options>({
  load,
  ...definition
}: RewritingDefinition<Table>): Command {
  return defineCommand<Table>({
    ...definition,
    async check(line, console) {
      const { checkBefore } = await import('./rewriting.ts');
      await checkBefore(line, console);
    },
    async run(call) {
      const { runRewriting } = await import('./rewriting.ts');
      // The table of every rewriting command has the settings of jobs, which its generic type does not say.
      return runRewriting(
        await load(),
        call as unknown as Call<Options> & { readonly settings: SettingsOf<Table> & JobSettings },
      );
    },
  });
}
