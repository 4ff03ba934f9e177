/**
 * Runs transforms over plain tars in memory, without encodings, stores or manifests. The laws use it, so that a failure
 * is one of the transforms and not of what surrounds them.
 */
import fc from 'fast-check';
import { editTar } from '../../src/layers/edit/edit-tar.ts';
import { SpoolRoom } from '../../src/layers/edit/spool.ts';
import { Gatherer } from '../../src/layers/read/gather.ts';
import { scanTar } from '../../src/layers/read/scan-tar.ts';
import { type Image, pipe, readImage, type Transform } from '../../src/image/image.ts';
import { descriptorOfBytes } from '../../src/oci/descriptor.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { parseImageConfig } from '../../src/oci/image-config.ts';
import { encodeJson, type JsonObject } from '../../src/oci/json.ts';
import { type Manifest, parseManifest } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-type.ts';
import { contentProbe } from '../../src/closure/close-image.ts';
import type { LayerFacts } from '../../src/rootfs/facts/facts.ts';
import { type Resolution, resolve } from '../../src/slim/resolve/resolve.ts';
import { layersToScan } from '../../src/slim/resolve/untouched.ts';
import { restore } from '../../src/slim/restore.ts';
import { concat } from '../../src/stream/collect.ts';
import type { GeneratedStack } from '../support/arbitrary/layers.ts';
import { bytesOf } from '../support/model/byte-string.ts';
import { applyLayers, type Rootfs } from '../support/model/filesystem.ts';
import { orderProblems } from '../support/model/layer-order.ts';
import { type EntrySpec, writeTar } from '../support/model/tar-bytes.ts';
import { readTar, readWholeTar } from '../support/model/tar-reader.ts';

// By default fast-check chooses a new seed for each run and prints it on failure. The same seed generates the same stacks.
const seed = process.env['OCISLIM_LAW_SEED'];
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });

/**
 * Returns the number of cases for a law: OCISLIM_LAW_RUNS, by default `usual` (smaller for expensive laws), times `share`
 * (smaller for the less important laws of a file). The result is a whole number of at least 1, because fast-check does not
 * stop at a fraction of a run.
 */
export function lawRuns({ usual = 100, share = 1 } = {}): number {
  return Math.max(1, Math.ceil(Number(process.env['OCISLIM_LAW_RUNS'] ?? usual) * share));
}

/** Makes an image over plain tars in memory, with as many fields as transforms need. */
export function imageOf(tars: readonly Uint8Array[], more: { readonly config?: JsonObject } = {}): Image {
  const config = encodeJson({
    architecture: 'amd64',
    os: 'linux',
    ...more,
    rootfs: { type: 'layers', diff_ids: tars.map((tar) => digestOf(tar)) },
    history: tars.map((_, i) => ({ created: '2024-01-01T00:00:00Z', created_by: `step ${i + 1}` })),
  });
  const layers = tars.map((tar) => descriptorOfBytes('application/vnd.oci.image.layer.v1.tar', tar).json);
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorOfBytes(mediaTypes.ociConfig, config).json,
    layers,
  });
  const manifest = parseManifest(bytes, mediaTypes.ociManifest, 'the manifest') as Manifest;
  return readImage(
    descriptorOfBytes(mediaTypes.ociManifest, bytes),
    manifest,
    parseImageConfig(config, tars.length, 'the config'),
  );
}

export interface Outcome {
  readonly tars: readonly Uint8Array[];
  readonly resolution: Resolution;
  /** Source layers whose bytes were read, by number. */
  readonly read: ReadonlySet<number>;
  readonly image: Image;
}

/** Yields chunks whose size is not a multiple of a tar block. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Runs transforms over plain tars as the interpreter would. */
export async function run(tars: readonly Uint8Array[], ...transforms: Transform[]): Promise<Outcome> {
  return interpret(pipe(...transforms)(imageOf(tars)), tars);
}

/** Runs transforms as `run` does, with `memory` bytes for entries that are out of order. */
export async function runWithin(
  memory: number,
  tars: readonly Uint8Array[],
  ...transforms: Transform[]
): Promise<Outcome> {
  return interpret(pipe(...transforms)(imageOf(tars)), tars, memory);
}

/** Runs a transform that knows the previous version of an image, both over plain tars. */
export async function runAfter(
  tars: readonly Uint8Array[],
  previous: readonly Uint8Array[],
  transformOf: (previous: Image) => Transform,
): Promise<Outcome> {
  return interpret(transformOf(imageOf(previous))(imageOf(tars)), [...tars, ...previous]);
}

/** Restores paths of the original to a slimmed image, both over plain tars; null restores all paths. */
export async function runRestore(
  slim: readonly Uint8Array[],
  original: readonly Uint8Array[],
  paths: readonly string[] | null,
): Promise<Outcome> {
  const transform = restore({ originalOf: () => imageOf(original), paths });
  return interpret(transform(imageOf(slim)), [...slim, ...original]);
}

async function interpret(image: Image, tars: readonly Uint8Array[], memory = 1e6): Promise<Outcome> {
  const read = new Set<number>();
  const open = (layer: number) => {
    read.add(layer);
    return pieces(tars[layer - 1] as Uint8Array, 1000);
  };
  const room = new SpoolRoom(null, 2 * memory);
  const spooling = {
    open: (wanted: number) => room.open(wanted, new AbortController().signal),
    onReadings: () => {},
  };
  const indexes = new Map();
  const facts = new Map<number, LayerFacts>();
  let wanted: readonly number[] = layersToScan(image);
  for (;;) {
    for (const layer of wanted) {
      if (indexes.has(layer)) continue;
      const gatherer = new Gatherer({
        probe: contentProbe,
        digests: false,
        twins: true,
        identities: 'whole',
      });
      indexes.set(layer, await scanTar(open(layer), gatherer));
      facts.set(layer, gatherer.facts());
    }
    const result = resolve(image, indexes, () => 1_700_000_000, facts);
    if (result.kind !== 'resolved') {
      wanted = result.layers;
      continue;
    }
    const written: Uint8Array[] = [];
    for (const content of result.resolution.contents) {
      if (content.kind === 'stored') {
        written.push(tars[content.layer - 1] as Uint8Array);
        continue;
      }
      if (content.kind === 'added') throw new Error('no law adds files');
      const chunks: Uint8Array[] = [];
      for await (const chunk of editTar(content.edit, open, spooling)) chunks.push(chunk);
      written.push(concat(chunks));
    }
    return { tars: written, resolution: result.resolution, read, image };
  }
}

export function rootfsOf(tars: readonly Uint8Array[]): Rootfs {
  return applyLayers(tars.map((tar) => readTar(tar)));
}

/** Lists what is wrong with the form of the rewritten layers. */
export function formProblems(outcome: Outcome, sources: readonly Uint8Array[]): string[] {
  return outcome.tars.flatMap((tar, i) => {
    if (sources.includes(tar)) return [];
    const { entries, complete } = readWholeTar(tar);
    const below = rootfsOf(outcome.tars.slice(0, i));
    return [...orderProblems(entries, below), ...(complete ? [] : ['a rewritten layer has no end mark'])];
  });
}

/** Writes the layers of a stack with few distinct contents, owners and times, so that many files are identical. */
export function levelled({ layers }: GeneratedStack): Uint8Array[] {
  return layers.map(({ entries, end }, i) => {
    const level = (spec: EntrySpec, j: number): EntrySpec => {
      const { type = 'file', sparse, body } = spec;
      if (type !== 'file' || sparse !== undefined || body === undefined) return spec;
      const plain: EntrySpec = {
        name: spec.name,
        ...(spec.format === undefined ? {} : { format: spec.format }),
        ...(spec.typeflag === undefined ? {} : { typeflag: spec.typeflag }),
      };
      const kept = (i + j) % 5 === 0 ? spec : plain;
      return { ...kept, body: bytesOf((i + j) % 3 === 0 ? 'one' : 'another') };
    };
    return writeTar(entries.map(level), end);
  });
}
