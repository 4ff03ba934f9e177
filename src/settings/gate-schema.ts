/**
 * The form of a file of gates, as a schema of zod. It is imported by `gate-file.ts` and by the script that writes the JSON Schema, never
 * at start-up.
 */
import * as z from 'zod';
import { gateKeys, type GateKey } from '../analyze/gates/all.ts';
import { sinNames } from '../analyze/gates/dockerfile.ts';
import { surfaceKinds } from '../rootfs/surface/surface.ts';

const size = z.union([z.int().min(0), z.string()]);
const share = z.union([z.int().min(0), z.string()]);
const ratio = z.number().min(0).max(1);
const names = z.array(z.string());
const yes = z.literal(true);

const limits = z.strictObject({
  transferSize: size.exactOptional().describe('All layers together transfer at most this: 100MB.'),
  unpackedSize: size.exactOptional().describe('All layers together take at most this unpacked: 300MB.'),
  layerSize: size.exactOptional().describe('No layer transfers more: 50MB.'),
  layers: z.int().min(1).exactOptional().describe('There are at most so many layers.'),
  reclaimable: share
    .exactOptional()
    .describe('Files that no container sees take at most this: 10MB, or 5% of all contents.'),
  duplicates: share
    .exactOptional()
    .describe('Visible files whose contents are there already take at most this: 10MB, or 5%.'),
  lowestEfficiency: ratio.exactOptional().describe("dive's efficiency is at least this."),
  highestWastedBytes: size.exactOptional().describe("dive's wasted bytes are at most this."),
  highestUserWastedPercent: ratio
    .exactOptional()
    .describe("dive's share of wasted bytes is at most this, from 0 to 1."),
  secrets: yes.exactOptional().describe('Nothing looks like a secret: variables, and files of any layer.'),
  nonRoot: yes.exactOptional().describe('The user of the config is not root.'),
  setuid: names
    .exactOptional()
    .describe('Globs of the files that may have setuid or setgid bits; [] for none.'),
  surface: z
    .partialRecord(z.enum(surfaceKinds), z.int().min(0))
    .exactOptional()
    .describe('At most so many files of each kind: { shells: 0, package-managers: 0 }.'),
  forbiddenPaths: names.exactOptional().describe('Globs, as rules of prune, of what no layer may have.'),
  forbiddenPackages: names
    .exactOptional()
    .describe('Packages that may not be there: "openssl<3", "node:left-pad", "lib*-dev".'),
  baseImages: names.exactOptional().describe('Images: the lowest layers are those of one of them.'),
  ports: names.exactOptional().describe('The ports that may be exposed: "8080/tcp"; [] for none.'),
  labels: names.exactOptional().describe('Labels that have a value.'),
  healthcheck: yes.exactOptional().describe('There is a HEALTHCHECK.'),
  tag: yes.exactOptional().describe('The image and its base have a tag other than "latest", or a digest.'),
  dockerfile: z
    .union([yes, z.array(z.enum(sinNames))])
    .exactOptional()
    .describe('The history shows none of these mistakes; true for all of them.'),
});

/** Gates as a file writes them. */
export type WrittenLimits = z.infer<typeof limits>;

/** Holds that a gate of the table has a key in the file. */
export const gateKeysOfFiles: readonly GateKey[] = limits.keyof().options;

export const gateSchema = z
  .strictObject({
    $schema: z.string().exactOptional(),
    version: z.literal(1),
    check: limits.exactOptional().describe('Gates that fail the check.'),
    warn: limits.exactOptional().describe('Gates that are warnings; the same keys.'),
  })
  .meta({
    title: 'ocislim gates',
    description: `What "ocislim check" asks of an image, in .ocislim.yaml: ${gateKeys.length} gates, all optional.`,
  });

/** Makes the JSON Schema for editors. */
export function gateJsonSchema(): object {
  return z.toJSONSchema(gateSchema, { target: 'draft-2020-12' });
}
