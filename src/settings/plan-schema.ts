/**
 * The form of a plan file, as a schema of zod. It is imported by `plan-file.ts` and by the script that writes the JSON Schema,
 * never at start-up.
 */
import * as z from 'zod';
import { levelRangesByEngine, engineNames, formatNames, highestLevel } from '../codec/encoding.ts';
import { granularities } from '../image/trace-pruning.ts';
import { noiseModes, relayerBases } from '../image/relayering.ts';

const selection = {
  layers: z.string().exactOptional().describe('Layers of the source, A..B, A.. or A; 1 is the lowest.'),
  base: z.string().exactOptional().describe('A base image: the layers above its own are selected.'),
};

const squash = z
  .strictObject({
    last: z.int().min(1).exactOptional().describe('The N topmost layers.'),
    fromLayer: z
      .union([z.int().min(1), z.string()])
      .exactOptional()
      .describe('This layer (number or digest) and all above it.'),
    all: z.literal(true).exactOptional().describe('All layers.'),
    maxLayers: z
      .int()
      .min(1)
      .exactOptional()
      .describe('Merge just so many layers that at most this many are left; another key says which may be.'),
    ...selection,
  })
  .describe('Merge a range of layers into one: exactly one of the keys, or maxLayers.');

const prune = z
  .strictObject({
    presets: z
      .array(z.string())
      .exactOptional()
      .describe('Named sets of rules; "ocislim presets" lists them.'),
    rules: z
      .array(z.string())
      .exactOptional()
      .describe('Rules with .dockerignore semantics, after those of the presets.'),
    keep: z.array(z.string()).exactOptional().describe('Globs of what stays whatever the rules say.'),
    keepPresets: z
      .array(z.string())
      .exactOptional()
      .describe('Named sets of such globs: shell, certs, zoneinfo, fonts, locale.'),
    traces: z
      .array(z.string())
      .exactOptional()
      .describe('Files of traces: what none of them saw, and nothing that they saw needs, goes.'),
    traceRoots: z
      .array(z.string())
      .exactOptional()
      .describe("Where the image's root was when the traces were made."),
    granularity: z
      .enum(granularities)
      .exactOptional()
      .describe('What stays whole when a trace saw one file of it; default: package.'),
    keepCommands: z
      .array(z.string())
      .exactOptional()
      .describe('Commands that must keep working, although no trace saw them.'),
    force: z.boolean().exactOptional().describe('Prune even where the image would not run.'),
    shadowed: z.boolean().exactOptional().describe('Drop what layers above hide.'),
    packageDb: z
      .enum(['keep', 'sync'])
      .exactOptional()
      .describe('sync: packages of which no file is left go from the databases of dpkg and apk.'),
    ...selection,
  })
  .describe('Remove files from the layers that carry them.');

const relayer = z
  .strictObject({
    maxLayers: z
      .int()
      .min(1)
      .exactOptional()
      .describe('The most layers of the new image, those of a base included.'),
    maxLayer: z
      .union([z.string(), z.int().min(1)])
      .exactOptional()
      .describe('The unpacked size that a new layer should not exceed: 1GiB.'),
    by: z.enum(relayerBases).exactOptional().describe('What is kept together.'),
    groups: z
      .record(z.string(), z.array(z.string()).min(1))
      .exactOptional()
      .describe('Globs of files that are kept together, by the name of their group.'),
    previous: z
      .array(z.string())
      .exactOptional()
      .describe('References to earlier versions, whose layout is kept as far as possible.'),
    history: z
      .union([z.int().min(1), z.array(z.union([z.string(), z.int().min(1)]))])
      .exactOptional()
      .describe(
        'Earlier versions that tell how often components change: so many of the newest, or references.',
      ),
    noise: z
      .enum(noiseModes)
      .exactOptional()
      .describe('adopt: what differs in times alone is taken over from the previous version.'),
    base: z.string().exactOptional().describe('A base image, whose layers stay as they are.'),
  })
  .describe('Lay the result out as layers of which an update changes few.');

const arrange = z
  .strictObject({
    order: z
      .enum(['source', 'similar'])
      .exactOptional()
      .describe('similar: like files side by side, which packs a little better.'),
    dedupeHardlink: z
      .boolean()
      .exactOptional()
      .describe('Files that are the same in contents and all attributes become names of one file.'),
    ...selection,
  })
  .describe(
    'How rewritten layers are laid out. With "layers" or "base" each of these is rewritten, otherwise those that lose something.',
  );

const packing = z
  .strictObject({
    compression: z
      .enum(formatNames)
      .exactOptional()
      .describe('The format; may be left out where tune or budget is given.'),
    tune: z
      .string()
      .exactOptional()
      .describe('Instead of a level: fast, balanced, small, or pull:BANDWIDTH (pull:100Mbit, pull:50MB).'),
    budget: z
      .string()
      .exactOptional()
      .describe('Spend so much time on packing where it saves most: 60s, 1m30s. Depends on the machine.'),
    level: z.int().min(1).max(highestLevel).exactOptional().describe(`${levelRangesByEngine()}.`),
    gzipEngine: z.enum(engineNames('gzip')).exactOptional(),
    minSavings: z
      .union([z.string(), z.int()])
      .exactOptional()
      .describe('"5%" or bytes: a layer that would not shrink by this much keeps its blob.'),
    ...selection,
  })
  .describe('How to pack the selected layers.');

const command = z.union([z.string(), z.array(z.string())]).exactOptional();
const names = z.array(z.string()).exactOptional();
const ports = z.array(z.union([z.string(), z.int()])).exactOptional();
const texts = z.record(z.string(), z.string()).exactOptional();

const config = z
  .strictObject({
    env: texts.describe('Environment variables to set.'),
    unsetEnv: names.describe('Environment variables to remove.'),
    entrypoint: command.describe(
      'A list is run as it is, a text by the shell; an empty one takes it away. Without "cmd" the command goes, too.',
    ),
    cmd: command.describe('The command, in the same two forms.'),
    user: z.union([z.string(), z.int()]).exactOptional().describe('USER or USER:GROUP, by name or number.'),
    workdir: z.string().exactOptional().describe('The working directory.'),
    expose: ports.describe('Ports to expose: 80, 53/udp, 8000-8010/tcp.'),
    unexpose: ports.describe('Ports to expose no longer.'),
    volumes: names.describe('Volumes to declare.'),
    unsetVolumes: names.describe('Volumes to remove.'),
    labels: texts.describe('Labels to set.'),
    unsetLabels: names.describe('Labels to remove.'),
    annotations: texts.describe('Annotations of the manifest to set.'),
    stopSignal: z.union([z.string(), z.int()]).exactOptional().describe('The signal that ends the program.'),
    healthcheck: z
      .string()
      .exactOptional()
      .describe('NONE, or options and CMD with a command, as in Dockerfiles.'),
    shell: z.array(z.string()).exactOptional().describe('The shell of shell forms.'),
    author: z.string().exactOptional().describe('The author.'),
  })
  .describe('What changes in the config and the annotations, as the options of "ocislim config" say it.');

export const planSchema = z
  .strictObject({
    $schema: z.string().exactOptional(),
    version: z.literal(1),
    squash: squash.exactOptional(),
    prune: prune.exactOptional(),
    relayer: relayer.exactOptional(),
    arrange: arrange.exactOptional(),
    recompress: z
      .union([packing, z.array(packing).min(1)])
      .exactOptional()
      .describe('Recompress layers: once, or one selection of layers after the other.'),
    addVariant: z
      .string()
      .exactOptional()
      .describe('"zstd" or "zstd:LEVEL": add every image in zstd to the index, beside one in gzip.'),
    config: config.exactOptional(),
    emptyLayers: z.enum(['keep', 'drop']).exactOptional().describe('Layers in which nothing is left.'),
  })
  .meta({
    title: 'ocislim plan',
    description: 'What "ocislim slim -f PLAN.yaml" does to an image: every stage is optional.',
  });

export type PlanFile = z.infer<typeof planSchema>;

/** Makes the JSON Schema for editors. */
export function planJsonSchema(): object {
  return z.toJSONSchema(planSchema, { target: 'draft-2020-12' });
}
