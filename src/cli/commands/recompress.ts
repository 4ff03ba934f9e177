/** The command `recompress`. The levels that its help names come from the table of formats. */
import { levelRanges } from '../../codec/encoding.ts';
import { recompressOptions } from '../../settings/tables/commands.ts';
import { type Command, destination, source } from '../command.ts';
import { defineRewriting } from '../rewriting-command.ts';

export const recompress: Command = defineRewriting({
  name: 'recompress',
  describe: `recompress the layers: ${levelRanges()}, or not at all`,
  details:
    'Changes how the layers are compressed and nothing else: every DiffID stays the same, so a container sees no difference. Without --compression each layer is compressed better in the format that it has, and plain layers become gzip. A layer that would not get smaller in the same format keeps its blob. Annotations that say how layers were packed go with the old blobs; in an index with several images for a platform, those in zstd get the annotation by which podman chooses (io.github.containers.compression.zstd). --tune and --budget choose the levels by trying them on samples of the layers: see docs/tuning.md.',
  positionals: [source, destination],
  options: recompressOptions,
  examples: [
    [
      'ocislim recompress localhost:5000/app:1 localhost:5000/app:1-zstd --compression zstd --level 19',
      'small zstd layers',
    ],
    [
      'ocislim recompress localhost:5000/app:1 -t localhost:5000/app:1-gz --compression gzip --level 10',
      'smaller than gzip -9, readable everywhere',
    ],
    [
      'ocislim recompress localhost:5000/app:1 localhost:5000/app:1-edge --tune pull:100Mbit',
      'for the quickest pull at 100 Mbit/s: format and level chosen layer by layer',
    ],
    [
      'ocislim recompress localhost:5000/app:1 -t localhost:5000/app:1-ci --compression zstd --budget 60s',
      'the smallest layers that a minute of compression gives',
    ],
    ['ocislim recompress oci:app:1 oci:app:plain --compression none', 'plain tars'],
  ],
  load: async () => (await import('../../commands/index.ts')).recompress,
});
