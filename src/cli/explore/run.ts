/** Scans an image, with progress, and explores it. The command `explore` calls it with the terminal that it has. */
import { analysisGathering } from '../../jobs/analyze/analyze-image.ts';
import { scanImage } from '../../jobs/analyze/scan-image.ts';
import { withEntry } from '../../jobs/look/read-file.ts';
import { readSource } from '../../jobs/read-reference.ts';
import type { Platform } from '../../oci/platform.ts';
import type { SettingsOf } from '../../settings/option.ts';
import type { exploreOptions } from '../../settings/tables/exploring.ts';
import type { Call } from '../command.ts';
import { openWorkspace } from '../open-workspace.ts';
import { Screen } from '../screen.ts';
import { openContents } from './open-contents.ts';
import { pruneCommand } from './rules-file.ts';
import { runSession } from './session.ts';
import { startState } from './state.ts';
import type { TerminalStreams } from './terminal.ts';

/** What the command line says. */
interface Asked {
  readonly name: string;
  readonly platform: Platform | null;
  readonly streams: TerminalStreams;
}

/** Explores an image, and prints the command that prunes what was marked. Returns the exit status. @throws what reading images throws */
export async function runExplore(
  call: Call<typeof exploreOptions> & { readonly settings: SettingsOf<typeof exploreOptions> },
  { name, platform, streams }: Asked,
): Promise<number> {
  const { settings, console } = call;
  const reference = await readSource(name);
  using screen = new Screen(settings, console);
  await using workspace = await openWorkspace(call, screen);
  const { jobs, disk, limits, listener, signal } = workspace;
  const cache = await workspace.openCache();
  const source = await workspace.openSource(reference);
  const options = { source, platform, jobs, maxScratch: disk, limits, cache, listener, signal };
  const contents = await openContents(await scanImage(options, analysisGathering), name, signal);
  screen.stop();
  const { columns, rows } = streams.output;
  const state = startState(contents, { source: name, keymap: settings.keymap, size: { columns, rows } });
  const { marks, written } = await runSession(state, {
    streams,
    env: console.env,
    signal,
    openEntry: (place, use) => withEntry(options, place, use),
  });
  if (written !== null) console.stdout.write(`${pruneCommand(name, marks, written)}\n`);
  return 0;
}
