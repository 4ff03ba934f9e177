import { OcislimError } from '../../errors.ts';
import {
  type Content,
  type Image,
  type Layer,
  layerOf,
  type LayerRange,
  nameOfImage,
  rangeOf,
  topOf,
} from '../../image/image.ts';
import { originAnnotations, originOf } from '../../image/origin.ts';
import { type Descriptor, descriptorOfBytes } from '../../oci/descriptor.ts';
import type { HistoryRow } from '../../oci/image-config.ts';
import { encodeJson, isJsonObject, type JsonObject } from '../../oci/json.ts';
import type { Index } from '../../oci/manifest.ts';
import { type Family, layerKind, layerMediaType, mediaTypes } from '../../oci/media-type.ts';
import { spellingOf } from '../../oci/other-case.ts';
import type { Resolution, ResolvedContent } from '../../slim/resolve/resolve.ts';
import type { RawManifest } from '../../place/place.ts';
import { compressionOf, type KeptLayer, type SealedLayer } from '../../layers/write/sealed-layer.ts';
import type { Member } from '../image-set.ts';

/** A new image, ready to be written: what did not change keeps its bytes. */
export interface Assembled {
  readonly manifest: RawManifest;
  readonly config: { readonly descriptor: Descriptor; readonly bytes: Uint8Array };
}

export interface AssembleOptions {
  readonly family: Family;
  /** What became of the files: decides about the annotations that lead to the original. */
  readonly resolution: Pick<Resolution, 'removals' | 'cleared' | 'restored'>;
  /** The reference that the image was read by. */
  readonly sourceName: string;
  /** RFC 3339; replaces the time of new history rows. */
  readonly created: string | null;
}

/** Annotations that describe the packing of the blob or where it came from: false once it is another blob. */
const staleAnnotations =
  /^(?:containerd\.io\/snapshot\/|io\.containers\.estargz\.|io\.github\.containers\.zstd-chunked\.|org\.opencontainers\.image\.base\.)/;

/** Puts manifest and config together (image-spec manifest.md, config.md). */
export function assemble(image: Image, layers: readonly SealedLayer[], options: AssembleOptions): Assembled {
  const kept = image.plan.layers.flatMap((layer, i) => {
    const sealed = layers[i] as SealedLayer;
    return sealed.kind === 'dropped' ? [] : [{ layer, sealed }];
  });
  const config = assembleConfig(image, layers, options);
  const configType =
    options.family === image.manifest.family ? image.manifest.config.mediaType : mediaTypes.ociConfig;
  const configDescriptor = {
    ...descriptorOfBytes(configType, config),
    json: { ...withoutData(image.manifest.config.json), ...descriptorOfBytes(configType, config).json },
  };
  const mediaType =
    options.family === image.manifest.family ? image.manifest.mediaType : mediaTypes.ociManifest;
  const json: JsonObject = {
    ...image.manifest.json,
    schemaVersion: 2,
    mediaType,
    config: configDescriptor.json,
    layers: kept.map(({ layer, sealed }) => describeLayer(image, layer, sealed, options.family)),
  };
  // What refers to another manifest says something of that one; a changed manifest has not been asked to say it.
  delete json['subject'];
  const annotations = { ...(json['annotations'] as JsonObject | undefined) };
  if (kept[0]?.sealed.diffId !== image.config.diffIds[0]) {
    // The first layers are no longer those of the base image that these name.
    delete annotations['org.opencontainers.image.base.digest'];
    delete annotations['org.opencontainers.image.base.name'];
  }
  noteOrigin(image, annotations, options);
  const all = { ...annotations, ...image.plan.labelling.annotations };
  if (Object.keys(all).length > 0) json['annotations'] = all;
  else delete json['annotations'];
  const bytes = encodeJson(json);
  return {
    manifest: { descriptor: descriptorOfBytes(mediaType, bytes), bytes },
    config: { descriptor: configDescriptor, bytes: config },
  };
}

/**
 * An image that has lost something names its original, the first one if it is pruned again. What is only shadowed, squashed
 * or packed anew is not lost; once all is back, there is nothing to go back for.
 */
function noteOrigin(
  image: Image,
  annotations: JsonObject,
  { resolution, sourceName }: AssembleOptions,
): void {
  const { removals, cleared, restored } = resolution;
  const isWhole = restored !== null && restored.missing === 0;
  if (isWhole && originOf(image)?.digest === image.original?.descriptor.digest) {
    delete annotations[originAnnotations.digest];
    delete annotations[originAnnotations.name];
  }
  const isLossy = cleared.size > 0 || removals.some(({ reason }) => reason.kind === 'rule');
  if (!isLossy || originOf(image) !== null) return;
  annotations[originAnnotations.digest] = image.descriptor.digest;
  annotations[originAnnotations.name] = sourceName;
}

function describeLayer(image: Image, layer: Layer, sealed: KeptLayer, family: Family): JsonObject {
  const { digest, size } = sealed.blob;
  const { content } = layer;
  const mediaType = mediaTypeOf(image, layer, sealed, family);
  if (content.kind === 'restored') return { mediaType, digest, size };
  const { descriptor } = layerOf(image, topOf(content));
  if (digest === descriptor.digest) return { ...descriptor.json, mediaType };
  const { annotations, ...rest } = withoutData(hasOneSource(content) ? descriptor.json : {});
  delete rest['urls'];
  const kept = Object.fromEntries(
    Object.entries((annotations ?? {}) as JsonObject).filter(([key]) => !staleAnnotations.test(key)),
  );
  return {
    ...rest,
    mediaType,
    digest,
    size,
    ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}),
  };
}

function hasOneSource(content: Content): boolean {
  const range = rangeOf(content);
  return range !== null && range.from === range.to;
}

/** @throws INTERNAL for a format that the family has no media type for, MEDIA_TYPE where a foreign type does not convert */
function mediaTypeOf(image: Image, layer: Layer, sealed: KeptLayer, family: Family): string {
  const compression = compressionOf(image, layer, sealed);
  if (compression === null) {
    const { descriptor } = layerOf(image, topOf(layer.content));
    return foreignType(descriptor.mediaType, family, image.manifest.family);
  }
  const mediaType = layerMediaType(family, compression);
  if (mediaType !== null) return mediaType;
  throw new OcislimError('INTERNAL', `${family} manifests have no media type for ${compression}`);
}

function foreignType(mediaType: string, family: Family, source: Family): string {
  if (family === source) return mediaType;
  if (layerKind(mediaType).kind !== 'foreign')
    throw new OcislimError(
      'MEDIA_TYPE',
      `a layer of the type ${JSON.stringify(mediaType)} has no place in an OCI manifest`,
    );
  return `application/vnd.oci.image.layer.nondistributable.v1.tar${mediaType.endsWith('gzip') ? '+gzip' : ''}`;
}

function withoutData(json: JsonObject): JsonObject {
  const { data: _, ...rest } = json;
  return rest;
}

function assembleConfig(image: Image, layers: readonly SealedLayer[], options: AssembleOptions): Uint8Array {
  const { config, plan } = image;
  const diffIds = layers.flatMap((sealed) => (sealed.kind === 'dropped' ? [] : [sealed.diffId]));
  const sameLayers =
    diffIds.length === config.diffIds.length && diffIds.every((diffId, i) => diffId === config.diffIds[i]);
  const { labels } = plan.labelling;
  if (sameLayers && Object.keys(labels).length === 0) return config.bytes;
  const json: JsonObject = {
    ...config.json,
    rootfs: { ...(config.json['rootfs'] as JsonObject), diff_ids: diffIds },
  };
  const history = assembleHistory(image, layers, options);
  if (history !== null) json['history'] = history;
  if (Object.keys(labels).length > 0) {
    const inner = objectOr(json['config'], 'what it says about running', image);
    const key = spellingOf(inner, 'Labels');
    json['config'] = { ...inner, [key]: { ...objectOr(inner[key], 'its labels', image), ...labels } };
  }
  return encodeJson(json);
}

/** What is to be added to. @throws MANIFEST_INVALID for what is something else than an object */
function objectOr(value: unknown, what: string, image: Image): JsonObject {
  if (isJsonObject(value)) return value;
  if (value === undefined || value === null) return {};
  throw new OcislimError(
    'MANIFEST_INVALID',
    `in the config of ${nameOfImage(image)}, ${what} is not an object, so no label can be set`,
  );
}

/**
 * A history whose rows are not those of the layers stays as it is while every layer keeps its place.
 * @throws MANIFEST_INVALID when layers go or become one: nobody could tell whose rows those are
 */
export function requireHistory({
  image,
  contents,
}: {
  image: Image;
  contents: readonly ResolvedContent[];
}): void {
  const { config, plan } = image;
  const filled = config.history.filter((row) => !row.emptyLayer).length;
  if (config.history.length === 0 || filled === config.diffIds.length) return;
  const isStructural = contents.some(
    (content) =>
      content.kind === 'edited' &&
      (content.range.from !== content.range.to || (content.isEmpty && plan.dropEmpty)),
  );
  if (!isStructural) return;
  const told = `${filled} ${filled === 1 ? 'layer' : 'layers'}`;
  throw new OcislimError(
    'MANIFEST_INVALID',
    `the history of ${nameOfImage(image)} tells of ${told}, but the image has ${config.diffIds.length}`,
    { advice: 'Such a history cannot be rewritten; build the image anew.' },
  );
}

/** One row for each layer, `empty_layer` rows where they were; an image without a history stays without. */
function assembleHistory(
  image: Image,
  layers: readonly SealedLayer[],
  options: AssembleOptions,
): JsonObject[] | null {
  const { history, diffIds } = image.config;
  if (history.length === 0) return null;
  const filled = history.filter((row) => !row.emptyLayer);
  if (filled.length !== diffIds.length) return history.map((row) => row.json);
  // Source layer number → what happens to its row: the range's topmost row stands for the whole range.
  const fate = new Map<number, (row: HistoryRow) => JsonObject[]>();
  const added: JsonObject[] = [];
  image.plan.layers.forEach((layer, i) => {
    const range = rangeOf(layer.content);
    if (range === null) {
      if ((layers[i] as SealedLayer).kind !== 'dropped') added.push(restoredRow(image, filled, options));
      return;
    }
    const replaced = filled.slice(range.from - 1, range.to);
    for (let number = range.from; number < range.to; number++) fate.set(number, () => []);
    fate.set(range.to, (row) => {
      if ((layers[i] as SealedLayer).kind === 'dropped') return [{ ...row.json, empty_layer: true }];
      return [replaced.length === 1 ? row.json : mergedRow(range, replaced, options)];
    });
  });
  let number = 0;
  const rows = history.flatMap((row) => (row.emptyLayer ? [row.json] : (fate.get(++number)?.(row) ?? [])));
  return [...rows, ...added];
}

function restoredRow(image: Image, rows: readonly HistoryRow[], options: AssembleOptions): JsonObject {
  const created = options.created ?? newest(rows);
  const { restoring } = image.plan;
  const paths = restoring === null ? '' : ` ${restoring.map((glob) => `--path ${glob}`).join(' ')}`;
  return {
    ...(created === null ? {} : { created }),
    created_by: `ocislim restore${paths}`,
    comment: `from ${image.original?.descriptor.digest ?? 'its original'}`,
  };
}

function mergedRow(range: LayerRange, replaced: readonly HistoryRow[], options: AssembleOptions): JsonObject {
  const created = options.created ?? newest(replaced);
  const names = replaced.map((row) => row.createdBy ?? '(unnamed)');
  return {
    ...(created === null ? {} : { created }),
    created_by: `ocislim squash of layers ${range.from}..${range.to}`,
    comment: `replaces: ${names.join('; ')}`,
  };
}

function newest(rows: readonly HistoryRow[]): string | null {
  let best: string | null = null;
  for (const { created } of rows) {
    if (created === null || Number.isNaN(Date.parse(created))) continue;
    if (best === null || Date.parse(created) >= Date.parse(best)) best = created;
  }
  return best;
}

/** The time of what a rewritten layer gets anew: that of the newest row it replaces. Seconds since 1970. */
export function timeOf(image: Image, range: LayerRange | null, epoch: number | null): number {
  const { history, diffIds, json } = image.config;
  const filled = history.filter((row) => !row.emptyLayer);
  const isTold = range !== null && filled.length === diffIds.length;
  const row = isTold ? newest(filled.slice(range.from - 1, range.to)) : null;
  const created = row ?? (typeof json['created'] === 'string' ? json['created'] : null);
  const seconds = epoch ?? (created === null ? 0 : Math.floor(Date.parse(created) / 1000));
  // Octal header fields end at 8^11.
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 8 ** 11 - 1) : 0;
}

/** The index over the new manifests; `null` stands for a child that is left out. */
export function assembleIndex(
  index: Index,
  members: readonly { readonly member: Member; readonly manifest: Descriptor | null }[],
  annotations: Readonly<Record<string, string>>,
  family: Family,
): RawManifest {
  const children = members.flatMap(({ member, manifest }) => {
    if (manifest === null || member.child === null) return [];
    const { json, digest } = member.child.descriptor;
    if (manifest.digest === digest) return [json];
    return [
      { ...withoutData(json), mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.size },
    ];
  });
  const mediaType = family === index.family ? index.mediaType : mediaTypes.ociIndex;
  const all = { ...(index.json['annotations'] as JsonObject | undefined), ...annotations };
  const json: JsonObject = { ...index.json, schemaVersion: 2, mediaType, manifests: children };
  delete json['subject'];
  if (Object.keys(all).length > 0) json['annotations'] = all;
  const bytes = encodeJson(json);
  return { descriptor: descriptorOfBytes(mediaType, bytes), bytes };
}
