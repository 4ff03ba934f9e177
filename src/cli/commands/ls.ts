/** The command `ls`: the files of an image, of one of its layers, or of all of them. It reads headers only. */
import { OcislimError } from '../../errors.ts';
import { lsOptions } from '../../settings/tables/looking.ts';
import { type Command, defineCommand, source } from '../command.ts';

export const ls: Command = defineCommand({
  name: 'ls',
  describe: 'list the files of an image, or of one of its layers',
  details:
    'Lists what a container would see at a path: the files of a directory, or a file. Symbolic links on the way are followed within the image. --layer lists what one layer holds, and reads no other: its files, and in words what it deletes. --all-layers lists the entries of every layer, each with what became of it: visible, replaced or deleted by a layer above. Only headers are read; each layer of a registry is downloaded once, and with --cache-dir not even that the next time. Times are in UTC, owners are numbers.',
  positionals: [
    source,
    { name: 'path', describe: 'the directory or file to list (default: /)', required: false },
  ],
  options: lsOptions,
  examples: [
    ['ocislim ls localhost:5000/app:1 /app', 'the files of a directory'],
    ['ocislim ls oci:app:1 -lR usr', 'all that is below, in the long form'],
    ['ocislim ls oci:app:1 --all-layers -R var', 'what every layer had there, deleted files too'],
    ['ocislim ls oci:app:1 -R --null | xargs -0 -n 1 echo', 'for other programs, whatever the names hold'],
  ],
  async run({ settings, secrets, line, console }) {
    const { list } = await import('../../commands/index.ts');
    const { renderListing, renderListingJson, renderNames } = await import(
      '../../report/look/listing-text.ts'
    );
    const { checkResult, writeResult } = await import('../result-output.ts');
    const { Screen } = await import('../screen.ts');
    const { long, recursive, directory, allLayers, layer, format } = settings;
    if (settings.null && (format === 'json' || long))
      throw new OcislimError('USAGE', '--null prints names alone: leave --long and --format out');
    await checkResult(settings);
    using screen = new Screen(settings, console);
    const { env, signal } = console;
    const surroundings = { env, signal, secrets, listener: screen.listener };
    const path = line.argument('path') ?? '/';
    const listing = await list(line.argument('src') ?? '', path, settings, surroundings);
    screen.stop();
    const isWhole = recursive || directory || allLayers;
    const style = { long, whole: isWhole, layer: allLayers || (long && layer === null), state: allLayers };
    const pieces = settings.null
      ? renderNames(listing)
      : format === 'json'
        ? renderListingJson(listing)
        : renderListing(listing, style);
    await writeResult(pieces, settings, console);
    return 0;
  },
});
