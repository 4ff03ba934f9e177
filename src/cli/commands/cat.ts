/** The command `cat`: the contents of a file of an image, from the layer that carries it. */
import { at, OcislimError } from '../../errors.ts';
import { catOptions } from '../../settings/tables/looking.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { type Command, defineCommand, source } from '../command.ts';

export const cat: Command = defineCommand({
  name: 'cat',
  describe: 'print a file of an image',
  details:
    'Prints the contents of one file, as a container would see it. Layers are read from the topmost down, and only until it is certain where the file is: of an image in a registry the layers below are not downloaded. Symbolic links are followed within the image. --layer prints what one layer holds, also where layers above have replaced or deleted it. The layer is read to its end, and its digest and DiffID are checked before the exit status says 0; bytes of a layer that fails have been printed by then, and the error says so. --no-verify stops behind the file. A terminal gets control characters escaped.',
  positionals: [source, { name: 'path', describe: 'the file to print', required: true }],
  options: catOptions,
  examples: [
    ['ocislim cat localhost:5000/app:1 /etc/passwd', 'of an image in a registry'],
    ['ocislim cat oci:app:1 app/cache/a --layer 3 -o a', 'a version that a layer has, into a file'],
  ],
  async run({ settings, secrets, line, console }) {
    const { readFileOf } = await import('../../commands/look.ts');
    const { surroundingsOf } = await import('../../commands/surroundings.ts');
    const { checkResult, writeStream } = await import('../result-output.ts');
    const { Screen } = await import('../screen.ts');
    await checkResult(settings);
    using screen = new Screen(settings, console);
    const { env, signal, stdout, stderr } = console;
    const surroundings = surroundingsOf({ env, signal, secrets, listener: screen.listener });
    const look = { source: line.argument('src') ?? '', settings, surroundings };
    const isSeen = stdout.isTTY === true && settings.output === null;
    await readFileOf(look, line.argument('path') ?? '', settings, async ({ contents }) => {
      const printed = settings.output === null ? owningUp(contents) : contents;
      await writeStream(isSeen ? escaped(printed) : printed, settings, console);
    });
    screen.stop();
    if (!settings.verify)
      stderr.write('not verified: the layer was read no further than the file (--no-verify)\n');
    return 0;
  },
});

/** Adds to an error that comes after the first bytes that these are no good. */
async function* owningUp(contents: ByteStream): ByteStream {
  let isBegun = false;
  try {
    for await (const chunk of contents) {
      isBegun = true;
      yield chunk;
    }
  } catch (error) {
    if (!isBegun || !(error instanceof OcislimError) || error.code === 'INTERRUPTED') throw error;
    throw at('the bytes on standard output are not verified', error);
  }
}

/** Makes text harmless for a terminal. */
async function* escaped(contents: ByteStream): ByteStream {
  const { escapeLines } = await import('../../report/escape.ts');
  const decoder = new TextDecoder();
  for await (const chunk of contents) yield Buffer.from(escapeLines(decoder.decode(chunk, { stream: true })));
  yield Buffer.from(escapeLines(decoder.decode()));
}
