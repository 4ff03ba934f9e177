/** The part of a report about new layers ("ocislim relayer"). `schema.ts` is made of it. */
import * as z from 'zod';
import { bytes, count, digest } from './schema-values.ts';
import { versions } from './schema-versions.ts';

const chance = z.number().min(0).max(1);

const side = z.strictObject({
  layers: count,
  transferBytes: bytes.describe(
    'What a client without an earlier version downloads; an estimate in a dry run.',
  ),
  expectedBytes: bytes.describe(
    'What an update is expected to download: for each layer, its size times the chance that something in it changes.',
  ),
  downloads: z
    .array(
      z.strictObject({
        model: z
          .enum(['blob', 'prefix', 'file'])
          .describe(
            'How the client reuses what it has: layers by their blobs; layers up to the first that differs; files.',
          ),
        transferBytes: bytes,
        layers: count.describe('Layers of which it downloads something.'),
        isEstimate: z
          .boolean()
          .describe('By file: from the components that changed, each as a whole. In a dry run: all.'),
      }),
    )
    .nullable()
    .describe('What a client that has the version before downloads; null where no version is known.'),
});

export const relayering = z.strictObject({
  previous: z
    .strictObject({ name: z.string(), digest: digest.describe('Its manifest for this platform.') })
    .nullable()
    .describe('The version before; null where none is known.'),
  before: side.describe('The layers of the source, and'),
  after: side.describe('those of the result.'),
  layers: z
    .array(
      z.strictObject({
        number: count.min(1).describe('In the result; 1 is the lowest.'),
        transferBytes: bytes,
        change: chance.describe(
          'The chance that an update changes something in it; 0 for a layer of a base.',
        ),
        expectedBytes: bytes,
        components: z.array(
          z.strictObject({
            name: z.string(),
            bytes: bytes.describe('In a tar, heads included.'),
            change: chance,
          }),
        ),
      }),
    )
    .describe('The layers of the result, with what is in each new one.'),
  versions: versions
    .exactOptional()
    .describe('The earlier versions that were read, the oldest first, and the result; absent without any.'),
});
