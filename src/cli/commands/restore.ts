import { type Command, destination } from '../command.ts';
import { rewriting } from '../options/common-options.ts';
import { list, text } from '../options/option.ts';

export const restore: Command = {
  name: 'restore',
  describe: 'put pruned paths back from the original, as one small layer on top',
  details:
    'Compares a pruned image with the image that it was made from, by the headers of all their layers, and adds one layer with what is missing (or has lost permission bits): everything, or what --path matches. The layers that are there stay. The pruned image names its original in annotations of its manifest (io.ocislim.original.digest and .name); --original says where else it is. A hard-linked file comes back under all its names, and a path with the directories that it lies in. Once nothing is missing any more, the annotations go, and "ocislim verify ORIGINAL RESULT" finds no difference. Where nothing is to restore, the result is the image as it is.',
  positionals: [{ name: 'src', describe: 'the pruned image', required: true }, destination],
  options: [
    {
      name: 'path',
      type: 'list',
      value: 'GLOB',
      describe: 'put back only what this matches (as --keep of prune; repeatable)',
      group: 'What to restore',
    },
    {
      name: 'original',
      type: 'string',
      value: 'REF',
      describe: 'where the original is, if it is not (or no longer) where the image says',
      group: 'What to restore',
    },
    ...rewriting.filter(({ name }) => name !== 'require-savings'),
  ],
  examples: [
    ['ocislim restore localhost:5000/app:1-slim localhost:5000/app:1-again', 'everything'],
    [
      'ocislim restore localhost:5000/app:1-slim -t localhost:5000/app:1-debug --path bin/sh --path "usr/share/zoneinfo/**"',
      'a shell and the time zones',
    ],
    ['ocislim restore oci:app:slim --dry-run --original localhost:5000/app:1', 'show what is missing'],
  ],
  async run(values, console) {
    const { rewrite } = await import('../rewrite/rewrite.ts');
    const { OriginalPlaces } = await import('../rewrite/originals.ts');
    const { parseReference } = await import('../../oci/reference.ts');
    const { restore: transform } = await import('../../slim/restore.ts');
    const paths = list(values, 'path');
    return rewrite('restore', values, console, async (session, source) => {
      const places = new OriginalPlaces(session, parseReference(text(values, 'src') ?? ''));
      session.beforeClose(() => places.close());
      const found = await places.find(source, text(values, 'original'));
      return {
        source: found.source,
        transform: transform({ originalOf: found.originalOf, paths: paths.length === 0 ? null : paths }),
      };
    });
  },
};
