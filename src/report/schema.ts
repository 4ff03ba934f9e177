/**
 * The one description of the report: its types, the published JSON Schema, and the checks in tests are derived from it. It loads
 * zod, so commands import only its types, through `report.ts`.
 */
import * as z from 'zod';
import { engineNames } from '../codec/encoding.ts';
import { granularities } from '../image/trace-pruning.ts';
import { compressions } from '../oci/media-type.ts';
import { reportId } from './report.ts';
import { artifact } from './schema-artifacts.ts';
import { finding } from './schema-findings.ts';
import { editedFile, packageDb } from './schema-packages.ts';
import { rebasing } from './schema-rebasing.ts';
import { relayering } from './schema-relayering.ts';
import { scanned } from './schema-scanned.ts';
import { recording } from './schema-recording.ts';
import { surface } from './schema-surface.ts';
import { bytes, count, difference, digest, layerNumber, pathBase64, pathText } from './schema-values.ts';

const sourceLayer = z.strictObject({
  number: layerNumber,
  digest,
  mediaType: z.string(),
  size: bytes.describe('Bytes of the blob, as transferred.'),
  uncompressedSize: bytes.nullable().describe('Bytes of the tar; null where it was not unpacked.'),
  diffId: digest,
  createdBy: z.string().nullable().describe('What the history says made it; null without history.'),
});

const resultLayer = z.strictObject({
  digest,
  mediaType: z.string(),
  size: bytes,
  uncompressedSize: bytes.nullable(),
  diffId: digest,
});

export const actions = {
  kept: 'the same blob, which the destination already had',
  mounted: 'the same blob, mounted from another repository of the registry',
  copied: 'the same blob, copied',
  rewritten: 'new contents',
  added: 'new: files of the machine that ran the command',
  recompressed: 'the same contents, packed again',
  'kept-not-smaller': 'the same blob, since packing it again would not have saved enough',
  dropped: 'gone, since nothing was left in it',
  planned: 'to be changed: what a dry run says',
} as const;

const seconds = z.number().min(0);

const packingOption = z.strictObject({
  compression: z.enum(compressions),
  engine: z.enum(engineNames('gzip')).exactOptional().describe('Of gzip.'),
  level: z.int().nullable().describe('null: the blob as it is, or no compression.'),
  asItIs: z.boolean().describe('Whether it is the existing blob, whose size is exact.'),
  size: bytes,
  pullSeconds: seconds.nullable().describe('Transfer and unpacking at the bandwidth of the goal.'),
  encodeSeconds: seconds.nullable().describe('Of one thread, where there is a budget.'),
});

const tuning = z.strictObject({
  goal: z.string().describe('"fast", "balanced", "small", or "pull at 100 Mbit/s".'),
  tarBytes: bytes,
  sampledBytes: bytes.describe('Bytes that were tried at every level.'),
  chosen: packingOption,
  options: z.array(packingOption).describe('All options tried, with sizes estimated from the samples.'),
});

const layer = z.strictObject({
  action: z.enum(Object.keys(actions) as (keyof typeof actions)[]).describe(
    `${Object.entries(actions)
      .map(([name, doc]) => `${name}: ${doc}`)
      .join('; ')}.`,
  ),
  before: z
    .array(sourceLayer)
    .describe(
      'The source layers that went into it, lowest first; a squash has several, what is restored from the original or is new has none.',
    ),
  after: resultLayer.nullable().describe('The layer of the new image; null when planned or dropped.'),
  estimate: z
    .strictObject({
      size: bytes.describe('Bytes of the blob, as transferred.'),
      error: bytes.describe(
        'Bytes by which it may be off, up or down, on layers of real images; 0 where it is exact.',
      ),
      stays: z
        .boolean()
        .describe('Whether the source blob probably stays, since packing it again would not save enough.'),
    })
    .exactOptional()
    .describe(
      'What a dry run expects of a layer that it would write, from packing parts of it; absent otherwise.',
    ),
  tuning: tuning
    .exactOptional()
    .describe('What --tune pull or --budget chose for it, and why; absent without a choice.'),
});

const ruleCount = z.strictObject({
  rule: z.string().describe('The rule: its glob, or "shadowed".'),
  origin: z
    .string()
    .describe('Where it was written: "--rule", "rules.txt:12", "preset docs", "--shadowed", "--last".'),
  entries: count,
  bytes: bytes.describe('Uncompressed tar bytes, headers and padding included.'),
});

const entryType = z.enum([
  'file',
  'directory',
  'symlink',
  'hardlink',
  'character-device',
  'block-device',
  'fifo',
  'whiteout',
  'other',
]);

const removedEntry = z.strictObject({
  path: pathText,
  pathBase64,
  layer: layerNumber,
  type: entryType,
  size: bytes.describe('Bytes of the file itself.'),
  digest: digest
    .exactOptional()
    .describe('Of the contents of a regular file that was removed by rule or trace, unless it was sparse.'),
  bytes: bytes.describe('Bytes of its tar entry: header, contents and padding.'),
  rule: z.string(),
  origin: z.string(),
  how: z
    .enum(['freed', 'hidden'])
    .describe(
      'freed: its bytes are gone. hidden: a layer that was not selected still holds the path, under a whiteout.',
    ),
});

const promotedLink = z.strictObject({
  path: pathText,
  pathBase64,
  layer: layerNumber,
  from: z.string().describe('The path that held the data.'),
  reason: z.string(),
});

const mode = z
  .string()
  .regex(/^[0-7]{4}$/)
  .describe('Permission bits in octal: "4755".');

const clearedFile = z.strictObject({
  path: pathText,
  pathBase64,
  layer: layerNumber,
  oldMode: mode,
  newMode: mode,
});

const linkedFile = z.strictObject({
  path: pathText,
  pathBase64,
  layer: layerNumber,
  to: z.string().describe('The path of the file that it is now another name of.'),
  toBase64: z.base64().exactOptional().describe('The bytes of that path, where they are not UTF-8.'),
  size: bytes.describe('Bytes of the file.'),
});

const slimming = z.strictObject({
  removedEntries: count,
  filesRemoved: count.describe('How many of them were regular files.'),
  removedBytes: bytes.describe('Uncompressed tar bytes of the removed entries.'),
  bytesBefore: bytes.describe('Uncompressed tar bytes of the layers that slimming changed, before'),
  bytesAfter: bytes.describe('and after.'),
  byRule: z.array(ruleCount),
  removed: z.array(removedEntry).describe('Every removed entry; one path may have been in several layers.'),
  promoted: z
    .array(promotedLink)
    .describe('Hard links that became regular files because the name with the data went.'),
  cleared: z.array(clearedFile).describe('Files whose setuid and setgid bits were cleared.'),
  edited: z
    .array(editedFile)
    .exactOptional()
    .describe(
      'Files that got other contents, under all their names (--package-db sync); absent where none did.',
    ),
  linked: z
    .strictObject({
      files: count,
      bytes: bytes.describe('Bytes of files that are no longer stored, without padding.'),
      links: z.array(linkedFile),
    })
    .exactOptional()
    .describe(
      'Files that became hard links to identical files of their layer (--dedupe-hardlink); absent without that option.',
    ),
  noise: z
    .strictObject({
      mode: z.literal('adopt'),
      entries: count.describe('Entries that have the time of the previous version.'),
      compiled: count.describe(
        'Compiled modules of Python among them, which state another time of their source.',
      ),
    })
    .exactOptional()
    .describe(
      'What was taken over from the previous version (--noise adopt); absent without a previous version.',
    ),
});

const keptPath = z.strictObject({
  path: pathText,
  pathBase64,
  rule: z.string().describe('The rule of the closure: "trace", "elf-needed", "package", …'),
  detail: z.string(),
  because: z.string().nullable().describe('The path that it stays for; null for a root.'),
  strength: z
    .enum(['needed', 'whole', 'courtesy'])
    .describe(
      'needed: something would break without it. whole: it belongs to a package or directory that was used. courtesy: for people and scanners.',
    ),
});

const keeping = z.strictObject({
  trace: z.string(),
  granularity: z.enum(granularities),
  tracedPaths: count.describe('Distinct paths that the traces name,'),
  foundPaths: count.describe('and how many of them are files of the image.'),
  forced: z.array(z.string()).describe('Why the image might not run, where --force pruned it anyway.'),
  byRule: z.array(
    z.strictObject({
      rule: z.string(),
      paths: count,
      bytes: bytes.describe('Bytes of the files; a file of several names counts once.'),
    }),
  ),
  leftOut: z
    .array(
      z.strictObject({
        path: pathText,
        pathBase64,
        entries: count.describe(
          'Entries that were left out, with what is in directories of which nothing stays.',
        ),
        bytes: bytes.describe('Bytes of their files.'),
      }),
    )
    .describe(
      'Directories that the trace saw listed, and whose entries do not all stay: --keep PATH keeps them.',
    ),
  kept: z.array(keptPath).describe('Every path that stays in the merged filesystem, with its reason.'),
});

const restoring = z.strictObject({
  original: digest.describe('The manifest of the original of this platform.'),
  entries: count,
  bytes: bytes.describe('Uncompressed tar bytes of what came back.'),
  stillMissing: count.describe('Paths that are still not as in the original.'),
  stillLinked: count
    .exactOptional()
    .describe(
      'Names that stay hard links, although the original has a file of its own there (--dedupe-hardlink); absent without any.',
    ),
  paths: z
    .array(z.strictObject({ path: pathText, pathBase64, type: entryType, bytes }))
    .describe(
      'Every path that came back; directories that a path needs, and all names of a hard-linked file, included.',
    ),
});

const json = z.string().nullable();

const configuring = z.strictObject({
  changes: z.array(
    z.strictObject({
      member: z.string().describe('Keys with dots between them: "config.Env.PATH", "config.User", "author".'),
      before: json.describe(
        'The value as JSON; null where it was absent. Values that look like secrets are hidden.',
      ),
      after: json.describe('The same of the result.'),
    }),
  ),
});

const compressing = z.strictObject({
  sizeBefore: bytes.describe('Bytes of all layer blobs, as transferred, before'),
  sizeAfter: bytes
    .nullable()
    .describe('and after: an estimate in a dry run, and null in those of early versions.'),
  sizeAfterError: bytes
    .exactOptional()
    .describe('Bytes by which an estimate may be off; absent outside of dry runs.'),
  savedBySlimming: difference
    .nullable()
    .describe('The share of the difference that is due to removed entries, and'),
  savedByPacking: difference.nullable().describe('the share that is due to the encoding.'),
  estimated: z.boolean().describe('Whether the shares are estimates, from the ratio of the source layers.'),
});

const platform = z.strictObject({
  platform: z.string().nullable().describe('os/architecture[/variant]; null where the image does not say.'),
  sourceDigest: digest,
  digest: digest.nullable().describe('Of the new manifest; null in a dry run that changes something.'),
  layers: z.array(layer),
  slimming: slimming.nullable().describe('null when no stage removed anything by design (recompress, copy).'),
  keeping: keeping.nullable().describe('What a pruning by trace kept, and why; null without one.'),
  surface: surface
    .nullable()
    .describe(
      'What the filesystem and the config offer to an attacker, before and after; null where nothing was pruned.',
    ),
  findings: z
    .array(finding)
    .exactOptional()
    .describe(
      'What is heavy in the result and could go, the heaviest first; absent where nothing was found.',
    ),
  packageDb: packageDb
    .exactOptional()
    .describe('What became of package databases (--package-db sync); absent without that option.'),
  scanned: scanned
    .exactOptional()
    .describe('What became of what scanners had found (--findings); absent without that option.'),
  restoring: restoring
    .exactOptional()
    .describe('What came back from the original ("ocislim restore"); absent from other runs.'),
  rebasing: rebasing
    .exactOptional()
    .describe(
      'What became of the base ("ocislim rebase"); absent from other runs, and where it stays as it is.',
    ),
  relayering: relayering
    .exactOptional()
    .describe(
      'What updates download, and what is in each layer ("ocislim relayer"); absent from other runs.',
    ),
  configuring: configuring
    .exactOptional()
    .describe(
      'What changed in the config ("ocislim config", or its options on another command); absent otherwise.',
    ),
  compressing,
});

const attestations = z.strictObject({
  key: z
    .strictObject({
      kind: z.string().describe('"EC P-256", "Ed25519", "RSA 3072", …'),
      hint: z.string().describe('The SHA-256 of the public key (its SubjectPublicKeyInfo), in base64.'),
    })
    .nullable()
    .describe('null: nothing is signed.'),
  statements: z.array(
    z.strictObject({
      predicateType: z
        .string()
        .describe('The kind of the statement; that of a signature is https://sigstore.dev/cosign/sign/v1.'),
      subject: digest.nullable().describe('What it is about; null in a dry run.'),
      isAttached: z
        .boolean()
        .describe('Whether it is beside the image, as its referrer; else only in files.'),
      manifest: digest.nullable().describe('The manifest of the referrer.'),
    }),
  ),
});

export const reportSchema = z
  .strictObject({
    $schema: z.string().exactOptional(),
    $id: z.literal(reportId).describe('The name of this schema.'),
    reportVersion: z.literal(1),
    tool: z.strictObject({ name: z.string(), version: z.string() }),
    command: z.string(),
    started: z.iso
      .datetime()
      .nullable()
      .describe(
        'When the command began, in UTC; null with SOURCE_DATE_EPOCH, so that the report can be reproduced.',
      ),
    durationSeconds: seconds
      .nullable()
      .describe('From its begin until the image was published; null with SOURCE_DATE_EPOCH.'),
    dryRun: z.boolean(),
    source: z.strictObject({ reference: z.string(), digest, mediaType: z.string() }),
    destination: z
      .strictObject({ references: z.array(z.string()).min(1), digest, mediaType: z.string() })
      .nullable()
      .describe('null in a dry run.'),
    debug: z
      .strictObject({ reference: z.string(), digest })
      .exactOptional()
      .describe('The debug image beside the result, with all that was removed on top (--debug-tag).'),
    attestations: attestations
      .exactOptional()
      .describe(
        'What was signed and stated about the result (--sign-key, --provenance); absent without these.',
      ),
    unchanged: z.boolean().describe('Whether the result is the source, byte for byte.'),
    warnings: z.array(z.strictObject({ code: z.string(), message: z.string() })),
    encoders: z
      .array(
        z.strictObject({
          name: z.string(),
          version: z.string(),
          level: z.int().nullable(),
          blockSize: bytes.nullable().describe('Input bytes of each independently packed block.'),
        }),
      )
      .describe('What packed the new layers: the same encoders give the same digests.'),
    budgets: z
      .array(
        z.strictObject({
          seconds: seconds.describe('As asked for.'),
          trialSeconds: seconds.describe('The part that trials took.'),
          estimatedSeconds: seconds.describe('The time of encoding, estimated from the samples.'),
        }),
      )
      .exactOptional()
      .describe(
        'How --budget was spent. The levels depend on the machine; the same levels give the same bytes.',
      ),
    recording: recording
      .exactOptional()
      .describe(
        'How the image was recorded, and its pruned form tried (slim --record); absent from other runs.',
      ),
    referrers: z
      .array(artifact)
      .exactOptional()
      .describe(
        'Artifacts about the source: signatures, attestations, SBOMs. Absent where none were found; a copy that leaves them behind does not look for those about these artifacts.',
      ),
    platforms: z.array(platform).describe('The images; none where an artifact was copied.'),
    variants: z
      .array(
        z.strictObject({
          platform: z.string().nullable(),
          digest: digest.nullable().describe('Of its manifest; null in a dry run.'),
          size: bytes.nullable().describe('Bytes of its layer blobs; of a dry run, an estimate.'),
        }),
      )
      .exactOptional()
      .describe('Second manifests of the images, in zstd (--add-variant); absent without them.'),
    transfer: z.strictObject({
      presentBytes: bytes.describe('Blobs that were at the destination already.'),
      mountedBytes: bytes.describe('Blobs mounted from another repository, without a transfer.'),
      copiedBytes: bytes.describe('Blobs copied as they were.'),
      downloadedBytes: bytes.describe('Bytes read from the source, manifests and second readings included.'),
      cachedBytes: bytes.describe(
        'Bytes taken from the cache (--cache-dir) instead of the source or an encoder.',
      ),
      uploadedBytes: bytes.describe('Bytes written to the destination.'),
    }),
  })
  .meta({
    title: 'ocislim report',
    description: 'What ocislim did to an image, or would do in a dry run. Sizes are in bytes.',
  });

/**
 * Returns the JSON Schema that is published. It allows unknown keys, which the check of our own reports does not: a consumer that
 * validates with it must accept the report of a newer ocislim.
 */
export function reportJsonSchema(): object {
  const schema = z.toJSONSchema(reportSchema, {
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
    },
  });
  return { $id: reportId, ...schema };
}
