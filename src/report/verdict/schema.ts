/** The one description of a verdict as JSON: its type, the published JSON Schema, and the checks in tests. It loads zod. */
import * as z from 'zod';
import { digest, pathBase64, pathText } from '../schema-values.ts';
import { verdictId } from './document.ts';

const breach = z.strictObject({
  message: z.string(),
  fix: z.string().nullable().describe('What to change, mostly in the Dockerfile.'),
  command: z.string().nullable().describe('A command line to copy that mends the image, quoted for a shell.'),
  layer: z.int().min(1).nullable().describe('The layer that it is about; null for several or none.'),
  path: pathText.nullable(),
  pathBase64,
});

export const verdictSchema = z
  .strictObject({
    $schema: z.string().exactOptional(),
    $id: z.literal(verdictId).describe('The name of this schema.'),
    verdictVersion: z.literal(1),
    tool: z.strictObject({ name: z.string(), version: z.string() }),
    image: z.string().describe('The reference as it was given.'),
    digest,
    platform: z.string().nullable(),
    origin: z.string().describe('Where the gates were written: a file, "options" or "defaults".'),
    passed: z.boolean().describe('Whether every gate of level error is met.'),
    gates: z
      .array(
        z.strictObject({
          id: z.string(),
          level: z.enum(['error', 'warning']),
          title: z.string(),
          passed: z.boolean(),
          breaches: z.array(breach),
        }),
      )
      .describe('Every gate that was asked, also those that are met; errors first.'),
  })
  .meta({ title: 'ocislim verdict', description: 'Whether an image meets the gates of "ocislim check".' });

/** Returns the JSON Schema that is published. It allows unknown keys, for documents of a newer ocislim. */
export function verdictJsonSchema(): object {
  const schema = z.toJSONSchema(verdictSchema, {
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
    },
  });
  return { $id: verdictId, ...schema };
}
