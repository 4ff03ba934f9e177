/** Opens the workspace of commands that read images without a rewriting job: `export` and the actions of `trace`. */
import type { Workspace } from '../commands/workspace.ts';
import type { Options, SettingsOf } from '../settings/option.ts';
import type { Call } from './command.ts';
import type { reaching } from '../settings/tables/commands.ts';
import type { Screen } from './screen.ts';

/** Opens the workspace of a command that reads images by itself. What reaches registries is loaded only then. */
export async function openWorkspace(
  { secrets, console, settings }: Call<Options> & { readonly settings: SettingsOf<typeof reaching> },
  { listener }: Screen,
): Promise<Workspace> {
  const { Workspace: Opened } = await import('../commands/workspace.ts');
  const { surroundingsOf } = await import('../commands/surroundings.ts');
  const { env, signal } = console;
  return new Opened(settings, surroundingsOf({ env, signal, secrets, listener }));
}
