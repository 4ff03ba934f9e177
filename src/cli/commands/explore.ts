/** The command `explore`: layers and files of an image on the terminal. Everything behind it is loaded when it runs. */
import { OcislimError } from '../../errors.ts';
import { exploreOptions } from '../../settings/tables/exploring.ts';
import { type Command, defineCommand, source } from '../command.ts';

export const explore: Command = defineCommand({
  name: 'explore',
  describe: 'browse layers and files on the terminal, and mark what to prune',
  details:
    'Shows the layers of one image beside the tree of its files: the whole image, one layer, or all layers up to it. Paths and presets can be marked; the saving shows at once, and "w" writes the rules for "ocislim prune". Nothing of the image is changed. "?" shows the keys; docs/explore.md describes them.',
  positionals: [source],
  options: exploreOptions,
  examples: [
    ['ocislim explore localhost:5000/app:1', 'browse an image', 'a terminal of its own'],
    ['ocislim explore oci:app:1 --keymap dive', 'with the keys of dive', 'a terminal of its own'],
  ],
  async run(call) {
    const { settings, line, console } = call;
    const { stdin, stdout } = process;
    if (!stdin.isTTY || console.stdout.isTTY !== true || console.env['TERM'] === 'dumb')
      throw new OcislimError('USAGE', 'explore needs a terminal for its input and output', {
        advice: 'Use "ocislim analyze SRC", which prints the same as text or JSON.',
      });
    const [platform = null, ...more] = settings.platform;
    if (more.length > 0) throw new OcislimError('USAGE', 'explore shows one image: give one --platform');
    const name = line.argument('src') ?? '';
    const { runExplore } = await import('../explore/run.ts');
    return runExplore(call, { name, platform, streams: { input: stdin, output: stdout } });
  },
});
