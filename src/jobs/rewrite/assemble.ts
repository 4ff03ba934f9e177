/**
 * Puts the manifest of a new image together, and its config, from what the layer writer has sealed. Everything that does not
 * change keeps its bytes. `publishImages` calls it when all layers are at the target.
 */
import { baseDigest, baseName } from '../../oci/base-annotations.ts';
import { OcislimError } from '../../errors.ts';
import { type Content, type Image, type Layer, layerOf, rangeOf, topOf } from '../../image/image.ts';
import { originAnnotations, originOf } from '../../image/origin.ts';
import { assignmentName, noteOfAssignment } from '../../image/relayering.ts';
import { compressionOf, type KeptLayer } from '../../layers/write/sealed-layer.ts';
import { type Descriptor, descriptorOfBytes } from '../../oci/descriptor.ts';
import { encodeJson, type JsonObject } from '../../oci/json.ts';
import { isOfBlob, withoutStaleNotes } from '../../oci/packing-notes.ts';
import { isStreamText } from '../../oci/reference.ts';
import { type Family, layerKind, layerMediaType, mediaTypes } from '../../oci/media-type.ts';
import type { RawManifest } from '../../place/place.ts';
import { assembleConfig } from './assemble-config.ts';
import { isStructural } from './history.ts';
import type { WrittenImage, WrittenLayer } from './records.ts';
import { packingOf } from './packing-of.ts';
import { withoutData } from './without-data.ts';

/** The manifest and config of a new image, ready to be written. */
export interface Assembled {
  readonly manifest: RawManifest;
  readonly config: { readonly descriptor: Descriptor; readonly bytes: Uint8Array };
}

export interface AssembleOptions {
  /** The kind of manifest to write. */
  readonly family: Family;
  /** The reference that the image was read by. */
  readonly sourceName: string;
  /** Whether an attestation in the source's index is about the image: it holds for the original only, which the new one then names. */
  readonly isAttested: boolean;
  /** RFC 3339; replaces the time of new history rows. */
  readonly created: string | null;
}

/** A layer of the new manifest. */
interface KeptWritten extends Pick<WrittenLayer, 'layer' | 'content'> {
  readonly sealed: KeptLayer;
}

/** Puts manifest and config together (image-spec manifest.md, config.md). @throws MANIFEST_INVALID */
export function assemble(written: WrittenImage, options: AssembleOptions): Assembled {
  const { manifest } = written.image;
  const isSameFamily = options.family === manifest.family;
  const bytes = assembleConfig(written, options.created);
  const configType = isSameFamily ? manifest.config.mediaType : mediaTypes.ociConfig;
  const fresh = descriptorOfBytes(configType, bytes);
  const config = { ...fresh, json: { ...withoutData(manifest.config.json), ...fresh.json } };
  const mediaType = isSameFamily ? manifest.mediaType : mediaTypes.ociManifest;
  const json = assembleManifest(written, { config: config.json, mediaType }, options);
  const encoded = encodeJson(json);
  return {
    manifest: { descriptor: descriptorOfBytes(mediaType, encoded), bytes: encoded },
    config: { descriptor: config, bytes },
  };
}

function assembleManifest(
  written: WrittenImage,
  { config, mediaType }: { readonly config: JsonObject; readonly mediaType: string },
  options: AssembleOptions,
): JsonObject {
  const { manifest, plan } = written.image;
  const kept = written.layers.flatMap(({ layer, content, sealed }) =>
    sealed.kind === 'dropped' ? [] : [{ layer, content, sealed }],
  );
  const json: JsonObject = {
    ...manifest.json,
    schemaVersion: 2,
    mediaType,
    config,
    layers: kept.map((each) => describeLayer(written.image, each, options.family)),
  };
  // A reference to another manifest says something about that manifest, and the changed image was not asked to repeat it.
  delete json['subject'];
  const annotations = withoutStaleNotes(json['annotations'], packingOf(written));
  if (kept[0]?.sealed.diffId !== written.image.config.diffIds[0]) {
    // The first layers are no longer those of the base image that these name.
    delete annotations[baseDigest];
    delete annotations[baseName];
  }
  noteOrigin(written, annotations, options);
  noteAssignment(written, annotations);
  const all = { ...annotations, ...plan.annotations };
  if (Object.keys(all).length > 0) json['annotations'] = all;
  else delete json['annotations'];
  return json;
}

/**
 * Names the original in the annotations of an image that has lost files, mode bits or contents; an image that is pruned again
 * keeps the name of its first original. Shadowed, squashed and repacked files are not lost; but what is attested of an original would be, unless the
 * image names it. The name goes once all is restored. An image on another base names none.
 */
function noteOrigin(
  { image, resolution }: WrittenImage,
  annotations: JsonObject,
  { sourceName, isAttested }: AssembleOptions,
): void {
  const { removals, cleared, synced, restored } = resolution;
  // Nothing of an original is to be put back on another base.
  if (image.rebased !== null) return;
  const isWhole = restored !== null && restored.missing === 0;
  if (isWhole && originOf(image)?.digest === image.original?.descriptor.digest) {
    delete annotations[originAnnotations.digest];
    delete annotations[originAnnotations.name];
  }
  const isEdited = synced !== null && synced.edits.length > 0;
  const isLossy = cleared.size > 0 || isEdited || removals.some(({ reason }) => reason.kind === 'rule');
  if (!(isLossy || isAttested) || originOf(image) !== null) return;
  annotations[originAnnotations.digest] = image.descriptor.digest;
  // What came from standard input cannot be read there again. Where nothing is lost, the digest does not depend on the place.
  if (isLossy && !isStreamText(sourceName)) annotations[originAnnotations.name] = sourceName;
}

/** States which component is in which layer; what an earlier layout stated goes with its layers. */
function noteAssignment(
  { image, layers, resolution: { relayered } }: WrittenImage,
  annotations: JsonObject,
): void {
  if (relayered !== null) annotations[assignmentName] = noteOfAssignment(relayered.assignment);
  else if (isStructural(image, layers)) delete annotations[assignmentName];
}

function describeLayer(image: Image, written: KeptWritten, family: Family): JsonObject {
  const { layer, sealed } = written;
  const { digest, size } = sealed.blob;
  const { content } = layer;
  const mediaType = mediaTypeOf(image, layer, sealed, family);
  if (written.content.kind === 'edited' && written.content.part !== undefined) {
    // Laid out as it was, a layer is one of the source.
    const same = image.manifest.layers.find((source) => source.digest === digest);
    return same === undefined ? { mediaType, digest, size } : { ...same.json, mediaType };
  }
  if (content.kind === 'restored' || content.kind === 'added') return { mediaType, digest, size };
  const { descriptor, diffId } = layerOf(image, topOf(content));
  if (digest === descriptor.digest) return { ...descriptor.json, mediaType };
  const { annotations, ...rest } = withoutData(hasOneSource(content) ? descriptor.json : {});
  delete rest['urls'];
  const kept = Object.fromEntries(
    Object.entries((annotations ?? {}) as JsonObject).filter(
      ([key]) => !isOfBlob(key) && !isOfContent(key, sealed.diffId === diffId),
    ),
  );
  return {
    ...rest,
    mediaType,
    digest,
    size,
    ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}),
  };
}

/** Returns whether an annotation of a layer says something of its contents, or of the base image, that is not true any more. */
function isOfContent(key: string, isSameTar: boolean): boolean {
  return (
    key.startsWith('org.opencontainers.image.base.') || (key === 'containerd.io/uncompressed' && !isSameTar)
  );
}

function hasOneSource(content: Content): boolean {
  const range = rangeOf(content);
  return range !== null && range.from === range.to;
}

/** Returns the media type of a layer in the new manifest. @throws INTERNAL for a format that the family has no media type for */
function mediaTypeOf(image: Image, layer: Layer, sealed: KeptLayer, family: Family): string {
  const compression = compressionOf(sealed);
  if (compression === null) {
    const { descriptor } = layerOf(image, topOf(layer.content));
    return foreignType(descriptor.mediaType, family, image.manifest.family);
  }
  const mediaType = layerMediaType(family, compression);
  if (mediaType !== null) return mediaType;
  throw new OcislimError('INTERNAL', `${family} manifests have no media type for ${compression}`);
}

function foreignType(mediaType: string, family: Family, source: Family): string {
  // An OCI manifest may have layers of any type.
  if (family === source || layerKind(mediaType).kind !== 'foreign') return mediaType;
  return `application/vnd.oci.image.layer.nondistributable.v1.tar${mediaType.endsWith('gzip') ? '+gzip' : ''}`;
}
