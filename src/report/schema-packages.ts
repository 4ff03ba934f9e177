/**
 * The parts of a report about package databases that were synced (`--package-db sync`). `schema.ts` is made of them.
 */
import * as z from 'zod';
import { packageKinds } from '../rootfs/packages/package.ts';
import { bytes, count, digest, layerNumber, pathBase64, pathText } from './schema-values.ts';

const listedPackage = z.strictObject({
  kind: z.enum(packageKinds),
  name: z.string().describe('As the package manager writes it: "libssl3:amd64".'),
  version: z.string().nullable(),
  purl: z
    .string()
    .nullable()
    .describe('Its package URL; null where the image does not tell its distribution.'),
});

const contents = z.strictObject({ size: bytes, digest: digest.describe('SHA-256 of the contents.') });

export const editedFile = z.strictObject({
  path: pathText,
  pathBase64,
  layer: layerNumber,
  reason: z.literal('package-db').describe('package-db: packages were taken out of a database.'),
  before: contents,
  after: contents,
  packages: z
    .array(z.string())
    .describe('The names of the packages that it lists no more, in its order; packageDb tells more of them.'),
});

export const packageDb = z.strictObject({
  takenOut: z
    .array(listedPackage)
    .describe('Packages of which no file is left, and which no database lists any more.'),
  stillListed: z
    .array(
      z.strictObject({
        path: pathText,
        pathBase64,
        packages: count.nullable().describe('How many; null where the database cannot be read.'),
        why: z.string(),
      }),
    )
    .describe('Databases that still list packages of which no file is left.'),
});
