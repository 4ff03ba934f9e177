/** The command `inspect`: the documents of an image as JSON, or their exact bytes. It reads no layer. */
import { OcislimError } from '../../errors.ts';
import { inspectOptions } from '../../settings/tables/looking.ts';
import { type Command, defineCommand, source } from '../command.ts';

export const inspect: Command = defineCommand({
  name: 'inspect',
  describe: 'show manifest, config and index of an image as JSON',
  details:
    'Reads the documents of a reference, from any place, and no layer. Prints one JSON object: name, digest, media type; for an index its rows ("children"), attestations too, each with the digest of the image that it is about; and for each image ("images"; those of --platform, or all) its platform, its layers with their sizes and instructions, its manifest and its config. --raw prints the exact bytes of the manifest or index, --config those of the config, so that their digest can be computed; a terminal gets them with control characters escaped. --referrers asks the registry for signatures and attestations, too.',
  positionals: [source],
  options: inspectOptions,
  examples: [
    ['ocislim inspect localhost:5000/app:1', 'of an image in a registry'],
    ['ocislim inspect localhost:5000/vendor/tool:2 --raw | sha256sum', 'the digest of an index'],
    [
      'ocislim inspect localhost:5000/vendor/tool:2 --platform linux/arm64 --config',
      'the config of one platform',
    ],
    ["ocislim inspect oci:app:1 --format '{{.Digest}} {{.Created}}'", 'by a template'],
  ],
  async run(call) {
    const { settings, secrets, line, console } = call;
    const { raw, config, format } = settings;
    if (raw && config)
      throw new OcislimError('USAGE', '--raw and --config are two documents: give one of them');
    const { inspect: read, readDocument } = await import('../../commands/index.ts');
    const { renderDescription, renderDescriptionBy } = await import('../../report/look/inspect-json.ts');
    const { parseTemplate } = await import('../../report/look/template.ts');
    const { checkResult, writeResult } = await import('../result-output.ts');
    const { Screen } = await import('../screen.ts');
    if (format !== 'json') parseTemplate(format);
    await checkResult(settings);
    using screen = new Screen(settings, console);
    const { env, signal, stdout } = console;
    const surroundings = { env, signal, secrets, listener: screen.listener };
    const reference = line.argument('src') ?? '';
    if (raw || config) {
      const bytes = await readDocument(reference, raw ? 'manifest' : 'config', settings, surroundings);
      screen.stop();
      const { safeJsonText } = await import('../../report/escape.ts');
      const isSeen = stdout.isTTY === true && settings.output === null;
      const shown = isSeen ? `${safeJsonText(new TextDecoder().decode(bytes))}\n` : bytes;
      await writeResult([shown], settings, console);
      return 0;
    }
    const described = await read(reference, settings, surroundings);
    screen.stop();
    const rendered =
      format === 'json' ? renderDescription(described) : renderDescriptionBy(format, described);
    await writeResult([rendered], settings, console);
    return 0;
  },
});
