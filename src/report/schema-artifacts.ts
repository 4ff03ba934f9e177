import * as z from 'zod';
import { artifactKinds } from '../oci/artifact-facts.ts';
import { bytes, digest } from './schema-values.ts';

const artifactFates = {
  left: 'where it was, about an image that is not the new one',
  copied: 'at the destination, with what it is about',
  kept: 'its row is in the new index',
  dropped: 'its row is not in the new index, since its image has changed',
} as const;

/** An artifact about the source: a signature, an attestation, an SBOM. */
export const artifact = z.strictObject({
  kind: z.enum(artifactKinds),
  artifactType: z
    .string()
    .nullable()
    .describe('Its type, else that of its config; null where neither is known.'),
  predicateTypes: z.array(z.string()).describe('What its in-toto statements are of.'),
  digest,
  mediaType: z.string(),
  size: bytes,
  foundBy: z
    .enum(['subject', 'tag', 'row'])
    .describe(
      'subject: it names what it is about. tag: it stands under a tag of cosign. row: it is a row of the index.',
    ),
  tags: z.array(z.string()).describe('The tags of cosign that name it.'),
  subject: z.string().nullable().describe('The digest of what it is about; null where it does not tell.'),
  platform: z.string().nullable().describe('That of the image that it is about; null for an index.'),
  fate: z.enum(Object.keys(artifactFates) as (keyof typeof artifactFates)[]).describe(
    `${Object.entries(artifactFates)
      .map(([name, doc]) => `${name}: ${doc}`)
      .join('; ')}. In a dry run, what would become of it.`,
  ),
});
