/** The command `extract`: a file or a directory of an image, as files of this machine. */
import { extractOptions } from '../../settings/tables/looking.ts';
import { type Command, defineCommand, source } from '../command.ts';

export const extract: Command = defineCommand({
  name: 'extract',
  describe: 'copy a file or directory of an image into a folder',
  details:
    'Copies what a container would see at a path into DIR, under its own name; with --strip, what is in a directory right into DIR. DIR is made if it is not there. Symbolic links of the path are followed within the image; those below it stay links, and none is followed to write. Only layers that hold some of it are read a second time, each to its end: its digest and DiffID are checked before anything has its final name, and on an error nothing is left. Files that are there are refused, unless --force is given. Files belong to you, with the modes that your umask leaves, and without setuid bits, devices and extended attributes, unless --owners, --setuid, --devices and --xattrs ask for them. --layer copies what one layer holds. Prints the path of the copy.',
  positionals: [
    source,
    { name: 'path', describe: 'the file or directory to copy', required: true },
    { name: 'dir', describe: 'the folder to copy into', required: true },
  ],
  options: extractOptions,
  examples: [
    ['ocislim extract localhost:5000/app:1 /app/lib out', 'a directory: out/lib'],
    ['ocislim extract oci:app:1 / rootfs', 'the whole root filesystem'],
    ['ocislim extract oci:app:1 /app/cache --layer 3 --strip old-cache', 'what a layer had there'],
  ],
  async run({ settings, secrets, line, console }) {
    const { extract: copy } = await import('../../commands/index.ts');
    const { renderExtraction } = await import('../../report/look/extraction-text.ts');
    const { escapeText } = await import('../../report/escape.ts');
    const { Screen } = await import('../screen.ts');
    using screen = new Screen(settings, console);
    const { env, signal, stdout, stderr } = console;
    const surroundings = { env, signal, secrets, listener: screen.listener };
    const [image, path, into] = ['src', 'path', 'dir'].map((name) => line.argument(name) ?? '');
    const extraction = await copy(image ?? '', path ?? '', into ?? '', settings, surroundings);
    screen.stop();
    if (!settings.quiet) stderr.write(renderExtraction(extraction));
    if (!settings.verify)
      stderr.write('not verified: layers were read no further than needed (--no-verify)\n');
    stdout.write(`${escapeText(extraction.destination)}\n`);
    return 0;
  },
});
