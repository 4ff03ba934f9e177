import { type Command, destination, source } from '../command.ts';
import { arranging, checking, packing, rewriting, squashSelection } from '../options/common-options.ts';

export const squash: Command = {
  name: 'squash',
  describe: 'merge a range of layers into one; the others stay shared',
  details:
    'Merges the selected layers into a single one that holds what is left of them: files that a later layer of the range deleted or overwrote are gone, hard links stay hard links, whiteouts stay where layers below need them. Layers outside the range keep their blobs and are not even read, unless a hard link leads into them.',
  positionals: [source, destination],
  options: [...squashSelection, ...arranging, ...packing, ...checking, ...rewriting],
  examples: [
    [
      'ocislim squash localhost:5000/app:1 localhost:5000/app:1-squashed --last 3',
      'merge the three topmost layers',
    ],
    [
      'ocislim squash localhost:5000/app:1 -t localhost:5000/app:1-slim --base localhost:5000/base:1',
      'merge everything above the base image',
    ],
    ['ocislim squash oci:app:1 oci:app:flat --all --compression zstd --level 19', 'one layer, packed small'],
  ],
  async run(values, console) {
    const { baseReader, rewrite } = await import('../rewrite/rewrite.ts');
    const { arrangeOptions, squashSelection: read, packingStage } = await import('../options/selections.ts');
    const { arrange } = await import('../../slim/arrange.ts');
    const { squash: transform } = await import('../../slim/squash.ts');
    const { pipe } = await import('../../image/image.ts');
    const arranged = arrangeOptions(values);
    const pack = await packingStage(values);
    const origin =
      ['last', 'from-layer', 'layers', 'base', 'all'].find((name) => values[name] !== undefined) ?? 'last';
    return rewrite(
      'squash',
      values,
      console,
      async (session) => {
        const selection = await read(values, baseReader(session));
        return pipe(
          transform(selection),
          ...(arranged === null ? [] : [arrange(selection, { ...arranged, always: true })]),
          ...(pack === null ? [] : [pack(selection)]),
        );
      },
      `--${origin}`,
    );
  },
};
