/** The part of a report about a new base ("ocislim rebase"). `schema.ts` is made of it. */
import * as z from 'zod';
import { type LackKind, lackKinds } from '../rebase/findings.ts';
import { count, digest, pathBase64, pathText } from './schema-values.ts';

const base = z.strictObject({
  digest: digest.describe('Its manifest for this platform.'),
  name: z.string().nullable().describe('Its name in a registry; null for one from elsewhere.'),
  layers: count,
});

const lack = z.strictObject({
  kind: z.enum(Object.keys(lackKinds) as LackKind[]).describe(
    `${Object.entries(lackKinds)
      .map(([name, doc]) => `${name}: ${doc}`)
      .join('; ')}.`,
  ),
  what: z.string().describe('What is missing: "libssl.so.3", "libc.so.6 (GLIBC_2.38)", "usr/bin/python3".'),
  neededBy: z
    .array(z.strictObject({ path: pathText, pathBase64 }))
    .describe('The files that need it, the first thousand; none where the config does.'),
  neededByCount: count,
  sentence: z.string().describe('What is wrong, for people.'),
  advice: z.string().describe('What to do about it.'),
});

export const rebasing = z.strictObject({
  oldBase: base.extend({
    digest: digest
      .nullable()
      .describe('null where only the number of its layers is known (--old-base-layers).'),
  }),
  newBase: base,
  applicationLayers: count.describe('Layers above the old base, which are now above the new one.'),
  missing: z
    .array(lack)
    .describe(
      'What worked before and does not on the new base; of an image that was written, what --force allowed.',
    ),
  hidden: z
    .array(
      z.strictObject({
        path: pathText,
        pathBase64,
        how: z
          .enum(['outdated', 'replaced', 'deleted'])
          .describe(
            'outdated: the application has it from the old base, or edited that one, and the new base has another. replaced: the application has a file of that name, and the old base had none. deleted: so it deletes what the old base did not have.',
          ),
      }),
    )
    .describe('Files of the new base that layers of the application hide, the first thousand.'),
  hiddenCount: count,
});
