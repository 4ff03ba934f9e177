/**
 * The one description of a comparison as JSON: its type, the published JSON Schema, and the checks in tests are derived from it. It
 * loads zod, so the renderer imports only its type, through `document.ts`.
 */
import * as z from 'zod';
import { ignorable } from '../../analyze/diff/image-diff.ts';
import { bytes, count, digest, pathBase64, pathText } from '../schema-values.ts';
import { versions } from '../schema-versions.ts';
import { diffId } from './document.ts';

const text = z.string();
const number = z.int().min(1).describe('Layers and rows are numbered from 1, the lowest or oldest.');
const layerNumber = number.nullable();
const value = text.nullable().describe('As JSON; null where this side lacks it.');
const aspect = z.enum([...ignorable, 'files', 'content', 'platform']);
const kind = z.enum(['file', 'directory', 'symlink', 'char', 'block', 'fifo']);

const verdict = z.strictObject({
  kind: z
    .enum(['identical', 'identical-but', 'different'])
    .describe('identical: nothing differs. identical-but: nothing but what was ignored.'),
  butFor: z.array(z.enum(ignorable)).describe('The ignored aspects in which they differ.'),
  differIn: z.array(aspect).describe('The other aspects in which they differ; empty unless different.'),
});

const reference = z.strictObject({
  name: text,
  digest: digest.describe('Of the manifest or index.'),
  mediaType: text,
});

const image = z
  .strictObject({
    digest,
    mediaType: text,
    created: text.nullable(),
    transferBytes: bytes.describe('Bytes of config and layers, each blob once.'),
    layers: count,
    contents: z
      .strictObject({
        paths: count,
        bytes: bytes.describe('Of regular files, each inode once.'),
        packages: count,
      })
      .nullable()
      .describe('What a container sees; null where no layer had to be read.'),
  })
  .nullable()
  .describe('null where this side has no image for the platform.');

const counted = z.strictObject({ paths: count, bytes });
const totals = z
  .strictObject({
    added: counted,
    removed: counted,
    changed: z.strictObject({ paths: count, bytesBefore: bytes, bytesAfter: bytes }),
    attributes: counted.describe('Paths with the same contents and other attributes.'),
  })
  .describe('Paths of any kind, and bytes of regular files, each inode once.');

const state = z
  .strictObject({
    kind,
    bytes: bytes.describe('Of the contents of a regular file.'),
    layer: layerNumber.describe('The layer that brought it; null for a directory without an entry.'),
  })
  .nullable();

const fileAspects = [
  'kind',
  'content',
  'target',
  'device',
  'mode',
  'owner',
  'mtime',
  'xattr',
  'links',
  'sparse',
] as const;
const detail = z.strictObject({ what: z.enum(fileAspects), a: text, b: text });

const file = z.strictObject({
  path: pathText,
  pathBase64,
  change: z.enum(['added', 'removed', 'changed', 'attributes']),
  a: state,
  b: state,
  details: z.array(detail).describe('Empty for an added or removed path.'),
  patch: text.exactOptional().describe('A unified diff, of small texts with --patch.'),
});

const member = z.strictObject({ member: text, aspect: z.enum(ignorable), a: value, b: value });

const historyRow = z.strictObject({
  numberA: number.nullable(),
  numberB: number.nullable(),
  a: text.nullable().describe('created_by of the row.'),
  b: text.nullable(),
  members: z.array(text).describe('The members that differ; empty for a row that one side lacks.'),
});

const layer = z
  .strictObject({
    number,
    digest,
    diffId: digest,
    mediaType: text,
    transferBytes: bytes,
    tarBytes: bytes.nullable().describe('null for a layer that was not read.'),
    instruction: text.nullable(),
  })
  .nullable();

const entry = z.strictObject({
  path: pathText,
  pathBase64,
  kind: z.enum([...kind.options, 'link', 'whiteout', 'opaque']),
  change: z.enum(['added', 'removed', 'changed', 'moved']),
  details: z
    .array(z.strictObject({ what: z.enum([...fileAspects, 'form']), a: text, b: text }))
    .describe('form: how the header is written.'),
});

const layerPair = z.strictObject({
  relation: z
    .enum(['same', 'repacked', 'changed', 'added', 'removed'])
    .describe('repacked: another blob that unpacks to the same bytes.'),
  a: layer,
  b: layer,
  aspects: z.array(aspect).describe('The aspects that only the layers themselves show.'),
  entries: z.array(entry).exactOptional().describe('The entries that differ, with --layers.'),
});

const packageChange = z.strictObject({
  kind: text,
  name: text,
  change: z.enum(['added', 'removed', 'upgraded', 'downgraded', 'changed']),
  a: text.nullable().describe('The version.'),
  b: text.nullable(),
  bytesA: bytes,
  bytesB: bytes,
});

const download = z.strictObject({
  model: z.enum(['blob', 'prefix', 'file']),
  transferBytes: bytes,
  totalBytes: bytes.describe('What a client without A downloads.'),
  layers: z.array(number).describe('The layers of B that it reads, whole or in part.'),
  isEstimate: z.boolean(),
});

const platform = z.strictObject({
  platform: text.nullable(),
  a: image,
  b: image,
  verdict,
  totals,
  files: z.array(file).exactOptional().describe('By path. A summary lacks this and the next lists.'),
  config: z.array(member).exactOptional(),
  history: z.array(historyRow).exactOptional(),
  manifest: z.array(member).exactOptional(),
  layers: z.array(layerPair).exactOptional(),
  packages: z.array(packageChange).exactOptional(),
  downloads: z.array(download).describe('What a client that has A downloads for B, by its model.'),
  versions: versions
    .exactOptional()
    .describe('A, the images of --also in their order, and B; absent without any.'),
});

const artifact = z.strictObject({ digest, type: text, change: z.enum(['added', 'removed']) });

export const diffSchema = z
  .strictObject({
    $schema: text.exactOptional(),
    $id: z.literal(diffId).describe('The name of this schema.'),
    diffVersion: z.literal(1),
    tool: z.strictObject({ name: text, version: text }),
    a: reference,
    b: reference,
    verdict,
    ignored: z.array(z.enum(ignorable)),
    paths: z.array(text).describe('The globs of the paths compared; empty for everything.'),
    platforms: z.array(platform),
    index: z.array(member).exactOptional().describe('What differs in the index around the images.'),
    artifacts: z
      .array(artifact)
      .exactOptional()
      .describe('What is not an image, where one side alone has it.'),
  })
  .meta({
    title: 'ocislim diff',
    description: 'What differs between two images. Sizes are in bytes, unpacked unless a name says transfer.',
  });

/** Returns the JSON Schema that is published. It allows unknown keys, for documents of a newer ocislim. */
export function diffJsonSchema(): object {
  const schema = z.toJSONSchema(diffSchema, {
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
    },
  });
  return { $id: diffId, ...schema };
}
