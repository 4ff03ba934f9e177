import * as z from 'zod';
import { bytes, digest } from './schema-values.ts';

/** Versions of an image, and what a client of each downloads for each. Reports about new layers have it, and comparisons. */
export const versions = z.array(
  z.strictObject({
    name: z.string().describe('As it was named; "result" for what a run writes.'),
    digest: digest.nullable().describe('Of the manifest; null for the result of a dry run.'),
    downloads: z
      .array(z.strictObject({ blob: bytes, prefix: bytes }))
      .describe('What a client that has this version downloads for each of the list, in its order.'),
  }),
);
