import { OcislimError } from '../../errors.ts';
import { type Command, destination, source } from '../command.ts';
import {
  arranging,
  checking,
  debugging,
  layerSelection,
  packing,
  pruning,
  rewriting,
} from '../options/common-options.ts';
import { flag, list, names, type Option, text } from '../options/option.ts';

const squashOption: Option = {
  name: 'squash',
  type: 'boolean',
  describe: 'then make one layer of the selected ones',
  group: 'Layers',
};

export const prune: Command = {
  name: 'prune',
  describe: 'remove files by rule, what no trace saw in use, or whatever upper layers hide; keep the layers',
  details:
    'Removes files from the layers that carry them, so that their bytes are really gone. Rules match every entry of the selected layers, visible or hidden by a layer above. What is removed never comes back from a layer below. --trace keeps what an application used, and what that needs to run: docs/closure.md says what that is. --shadowed alone changes nothing that a container can see. Every removed path is in the report.',
  // Without a source it can still list the presets.
  positionals: [{ ...source, required: false }, destination],
  options: [
    ...pruning,
    ...layerSelection,
    squashOption,
    ...arranging,
    ...packing,
    ...debugging,
    ...checking,
    ...rewriting,
  ],
  examples: [
    [
      'ocislim prune localhost:5000/app:1 localhost:5000/app:1-slim --shadowed',
      'lossless: drop what is overwritten or deleted by later layers',
    ],
    [
      'ocislim prune localhost:5000/app:1 -t localhost:5000/app:1-slim --preset apt-lists,docs --keep "usr/share/doc/*/copyright"',
      'by preset',
    ],
    [
      'ocislim prune oci:app:1 oci:app:slim --trace app.trace --keep-command "curl -f localhost"',
      'keep what the application used, what that needs, and a probe',
    ],
    ['ocislim prune oci:app:1 --dry-run --rule "**/*.pyc"', 'show what a rule would remove'],
  ],
  async run(values, console) {
    if (names(values, 'preset').includes('help')) return listPresets(console.stdout);
    if (text(values, 'src') === null) {
      throw new OcislimError('USAGE', 'prune needs an image to read', {
        advice: 'See "ocislim prune --help"; "ocislim prune --preset help" lists the presets.',
      });
    }
    const { baseReader, rewrite } = await import('../rewrite/rewrite.ts');
    const { arrangeOptions, rangeSelection, pruneOptions, tracePrunings, packingStage } = await import(
      '../options/selections.ts'
    );
    const { arrange } = await import('../../slim/arrange.ts');
    const { prune: transform } = await import('../../slim/prune.ts');
    const { squash } = await import('../../slim/squash.ts');
    const { pipe, withPlan } = await import('../../image/image.ts');
    const options = await pruneOptions(values);
    if (
      (options.rules ?? []).length === 0 &&
      options.shadowed !== true &&
      list(values, 'trace').length === 0 &&
      (options.clearSetuid ?? []).length === 0
    ) {
      throw new OcislimError('USAGE', 'prune needs to know what to remove', {
        advice: 'Give --rule, --rules, --preset, --trace or --shadowed.',
      });
    }
    const arranged = arrangeOptions(values);
    // Layers that were named are written anew, others only where something goes.
    const always = layerSelection.some(({ name }) => values[name] !== undefined);
    const pack = await packingStage(values);
    return rewrite('prune', values, console, async (session) => {
      const selection = await rangeSelection(values, baseReader(session));
      const traces = await tracePrunings(values, session);
      const dropEmpty = values['empty-layers'] === 'drop';
      const steps = [
        transform(selection, { ...options, traces }),
        ...(flag(values, 'squash') ? [squash(selection)] : []),
        ...(arranged === null ? [] : [arrange(selection, { ...arranged, always })]),
        ...(pack === null ? [] : [pack(selection)]),
      ];
      return pipe(...steps, (image) => (dropEmpty ? withPlan(image, { dropEmpty }) : image));
    });
  },
};

async function listPresets(stdout: { write(text: string): unknown }): Promise<number> {
  const { presets } = await import('../../slim/presets.ts');
  const all = Object.values(presets);
  const width = Math.max(...all.map(({ name }) => name.length));
  for (const { name, title, risk, safe } of all)
    stdout.write(`${name.padEnd(width)}  ${safe ? 'slim' : '    '}  risk ${risk.padEnd(6)}  ${title}\n`);
  return 0;
}
