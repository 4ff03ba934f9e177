/** The command `build`: an image of files of this machine, on a base or from nothing. */
import type { RewritingCommand } from '../../commands/index.ts';
import type { JobSettings } from '../../commands/rewrite.ts';
import type { CommandLine } from '../../settings/command-line.ts';
import { type BuildSettings, buildOptions } from '../../settings/tables/commands.ts';
import { type Command, type Console, defineCommand } from '../command.ts';

export const build: Command = defineCommand({
  name: 'build',
  describe: 'build an image of files of this machine, without a daemon',
  details:
    'Makes a layer for each --layer, on top of a base image or of nothing, and publishes the result to a registry, a layout or an archive. It runs no program and needs no daemon and no root. The same files give the same digest on every machine: see "ocislim append". With a base every platform of it is built, unless --platform selects; without one, the platforms that --platform names, or that of this machine. Each platform may have a layer of its own, on top of the common ones: --platform linux/arm64=DIR.',
  positionals: [
    { name: 'base', describe: 'the image to build on (default: none)', required: false },
    { name: 'dst', describe: 'where the new image goes', required: false },
  ],
  options: buildOptions,
  examples: [
    ['ocislim build localhost:5000/base:1 localhost:5000/app:1 --layer site:/srv', 'on a base image'],
    [
      'ocislim build oci:app:2 --platform linux/amd64=amd64 --platform linux/arm64=arm64:/usr/bin',
      'for two platforms, from nothing',
    ],
  ],
  async check(line, console) {
    const { checkBefore } = await import('../rewriting.ts');
    await checkBefore(await named(line, console), console);
  },
  async run(call) {
    const { runRewriting } = await import('../rewriting.ts');
    const { build: work } = await import('../../commands/index.ts');
    const line = await named(call.line, call.console);
    // No name is there to write over, which jobs ask of all settings.
    const settings: BuildSettings & JobSettings = { ...call.settings, inPlace: false };
    return runRewriting(work as RewritingCommand<BuildSettings & JobSettings>, { ...call, line, settings });
  },
});

/**
 * Names the arguments as those of other commands. One alone is the destination, unless --tag names that. Without a base the source is the
 * image without layers, for the platforms wanted. @throws USAGE
 */
async function named(line: CommandLine, console: Console): Promise<CommandLine> {
  const { tag, platform, layer } = buildOptions;
  const { settings } = await line.parse({ tag, platform, layer }, console);
  const { requireLayers, scratchFor } = await import('../../commands/build.ts');
  requireLayers(settings);
  const [first, second] = [line.argument('base'), line.argument('dst')];
  const isAlone = second === null && settings.tag.length === 0;
  const [base, dst] = isAlone ? [null, first] : [first, second];
  const { ownPlatform } = await import('../../commands/record/own-platform.ts');
  return line.withArguments({ src: base ?? scratchFor(settings.platform, ownPlatform()), dst });
}
