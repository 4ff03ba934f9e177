/**
 * The one description of an analysis as JSON: its type, the published JSON Schema, and the checks in tests are derived from it. It
 * loads zod, so the renderer imports only its type, through `document.ts`.
 */
import * as z from 'zod';
import { wasteKinds } from '../../analyze/analysis.ts';
import { componentKinds } from '../../rootfs/packages/package.ts';
import { surfaceKinds } from '../../rootfs/surface/surface.ts';
import { bytes, count, difference, digest, pathBase64, pathText } from '../schema-values.ts';
import { analysisId } from './document.ts';

const layerNumber = z.int().min(1).describe('Layers are numbered from 1, the lowest.');
const text = z.string();

const config = z.strictObject({
  user: text.describe('"" where the config sets none, which means root.'),
  entrypoint: z.array(text),
  cmd: z.array(text),
  workingDir: text,
  ports: z.array(text).describe('"80/tcp".'),
  volumes: z.array(text),
  healthcheck: z.boolean(),
  environment: count.describe('The number of environment variables. Their values are not in the document.'),
  labels: z.record(text, text),
});

const layer = z.strictObject({
  number: layerNumber,
  digest,
  diffId: digest,
  mediaType: text,
  transferBytes: bytes.describe('Bytes of the blob.'),
  tarBytes: bytes.describe('Bytes of the tar.'),
  createdBy: text.nullable().describe('What the history says made it; null where it does not tell.'),
  instruction: text.describe('The same as a line of a Dockerfile; "" where the history does not tell.'),
  created: text.nullable().describe('The time of the row of the history.'),
  entries: count,
  markers: count.describe('Whiteouts and opaque markers.'),
  files: count.describe('Regular files.'),
  contentBytes: bytes.describe(
    'Bytes of regular files: shadowed, duplicate, and those that a container sees.',
  ),
  shadowedBytes: bytes.describe('Bytes of files that layers above, or later entries, hide.'),
  duplicateBytes: bytes.describe(
    'Bytes of visible files with contents that another visible file has already.',
  ),
  diveBytes: bytes.describe('The size that dive shows for the layer.'),
});

const totals = z.strictObject({
  transferBytes: bytes,
  tarBytes: bytes,
  contentBytes: bytes,
  visibleFiles: count,
  visibleDirectories: count,
  visibleBytes: bytes.describe('Bytes of the files that a container sees, each inode once.'),
  reclaimableBytes: bytes.describe(
    'Bytes of files that no visible name shows: "prune --shadowed" frees them.',
  ),
  duplicateBytes: bytes.describe('Bytes of visible files beyond the first with the same contents.'),
});

const dive = z
  .strictObject({
    efficiency: z.number().min(0).max(1),
    sizeBytes: bytes,
    userSizeBytes: bytes.describe('Without the lowest layer.'),
    wastedBytes: bytes,
    wastedUserPercent: z
      .number()
      .nullable()
      .describe('wastedBytes / userSizeBytes; null where that is not a number: in an image of one layer.'),
    inefficient: z
      .array(z.strictObject({ path: pathText, pathBase64, count, bytes }))
      .describe('Most wasteful first.'),
  })
  .describe('The numbers that dive computes, its quirks included.');

const sizedPath = z.strictObject({
  path: pathText,
  pathBase64,
  bytes,
  files: count,
  layer: layerNumber.nullable().describe('null for several.'),
});

const finding = z.strictObject({
  kind: z.enum(wasteKinds),
  bytes: bytes.describe('0 for findings about security.'),
  files: count,
  layer: layerNumber.nullable().describe('The layer that carries the bytes; null for several or none.'),
  by: layerNumber.nullable().describe('The layer whose instruction made them waste; null for none.'),
  why: text,
  places: z.array(sizedPath).describe('The heaviest first, at most five.'),
  dockerfile: text.nullable().describe('What to change in the Dockerfile.'),
  command: text.nullable().describe('A command line to copy, quoted for a shell.'),
  arguments: z.array(text).nullable().describe('The command and its options, without the references.'),
});

const analyzedPackage = z.strictObject({
  kind: z.enum(componentKinds),
  name: text,
  version: text.nullable(),
  purl: text.nullable().describe('The package URL; null where none can be made.'),
  files: count,
  bytes,
  layer: layerNumber.nullable().describe('The layer that brought it.'),
});

const surface = z.strictObject({
  isRoot: z.boolean(),
  files: z.array(
    z.strictObject({
      kind: z.enum(surfaceKinds),
      files: z.array(z.strictObject({ path: pathText, pathBase64, names: z.array(text).exactOptional() })),
    }),
  ),
  secretVariables: z.array(text).describe('Names of variables whose values look like secrets.'),
  secretFiles: z
    .array(z.strictObject({ path: pathText, pathBase64, layer: layerNumber, visible: z.boolean() }))
    .describe('Files that look like secrets, in any layer.'),
});

const saving = z.strictObject({
  transferBytes: difference.describe('Bytes that the command would save; negative for a loss.'),
  error: bytes.describe('Bytes by which that may be off, up or down.'),
  unpackedBytes: difference,
  command: text,
  arguments: z.array(text),
});

export const analysisSchema = z
  .strictObject({
    $schema: text.exactOptional(),
    $id: z.literal(analysisId).describe('The name of this schema.'),
    analysisVersion: z.literal(1),
    tool: z.strictObject({ name: text, version: text }),
    image: z.strictObject({
      reference: text,
      digest,
      mediaType: text,
      platform: text.nullable(),
      created: text.nullable(),
      config,
    }),
    layers: z.array(layer),
    totals,
    dive,
    findings: z.array(finding).describe('Security first, then by bytes, the largest first.'),
    largestFiles: z.array(sizedPath),
    largestDirectories: z.array(sizedPath),
    packages: z.array(analyzedPackage).describe('The largest first.'),
    unreadDatabases: z.array(z.strictObject({ path: pathText, pathBase64, why: text })),
    surface: surface.nullable().describe('null for a quick analysis.'),
    savings: z
      .strictObject({ squash: saving, prune: saving, recompress: saving })
      .nullable()
      .describe('What each command would save by itself; null where that was not estimated.'),
  })
  .meta({
    title: 'ocislim analysis',
    description:
      'What an image holds, and what of it is waste. Sizes are in bytes, unpacked unless a name says transfer.',
  });

/** Returns the JSON Schema that is published. It allows unknown keys, for documents of a newer ocislim. */
export function analysisJsonSchema(): object {
  const schema = z.toJSONSchema(analysisSchema, {
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
    },
  });
  return { $id: analysisId, ...schema };
}
