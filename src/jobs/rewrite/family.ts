/**
 * Which family of manifests a run writes, and whether an image keeps its manifest. `publishImages` asks when all layers are at the
 * target.
 */
import { readersOf } from '../../codec/encoding.ts';
import type { Listener } from '../../events.ts';
import { changesDocuments, type Image, isUntouched } from '../../image/image.ts';
import { compressionOf, type KeptLayer } from '../../layers/write/sealed-layer.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Family, isTypeFor, layerMediaType } from '../../oci/media-type.ts';
import { type ImageSet, membersBelow } from '../image-set.ts';
import type { WrittenImage } from './records.ts';

/** Returns whether an image keeps its manifest as it is: same blobs, and nothing new in its documents. */
export function isUnchanged({ image, layers }: WrittenImage): boolean {
  if (changesDocuments(image)) return false;
  const kept = layers.flatMap(({ sealed }) => (sealed.kind === 'dropped' ? [] : [sealed]));
  if (isUntouched(image) && kept.every(({ kind }) => kind === 'unchanged')) return true;
  return (
    kept.length === image.manifest.layers.length &&
    kept.every((sealed, i) => staysAsItIs(sealed, image.manifest.layers[i]))
  );
}

/** Returns whether the manifest of an image states the media types that its layers should have. */
export function statesActualTypes({ manifest }: Image): boolean {
  return manifest.layers.every(({ mediaType, json }) => mediaType === json['mediaType']);
}

/** Returns whether a layer keeps its blob, under a media type that says how it is packed. */
function staysAsItIs(sealed: KeptLayer, descriptor: Descriptor | undefined): boolean {
  if (descriptor === undefined || sealed.blob.digest !== descriptor.digest) return false;
  const format = compressionOf(sealed);
  return format === null || isTypeFor(String(descriptor.json['mediaType']), format);
}

export interface FamilyChoice {
  readonly set: ImageSet;
  readonly images: readonly WrittenImage[];
  /** The only family that the place takes. Null: any. */
  readonly wanted: Family | null;
  readonly listener: Listener;
}

/**
 * Returns OCI where the place takes nothing else and something is Docker's, or where a changed image has a layer that its own
 * family has no media type for, with a warning; else null. The result is for all images of the set, since an index and its
 * manifests are of one family.
 */
export function familyOfAll({ set, images, wanted, listener }: FamilyChoice): Family | null {
  const reason = wanted === 'oci' && hasDocker(set) ? placeReason : formatReason(images);
  if (reason === null) return null;
  const what = set.index === null ? 'the manifest becomes' : 'the index and its manifests become';
  listener({ type: 'warning', code: 'FAMILY_CHANGED', message: `${what} OCI: ${reason}` });
  return 'oci';
}

const placeReason = 'in an OCI layout, skopeo, umoci and others read nothing else';

/** Returns why a changed image cannot be Docker's; null where it can. */
function formatReason(images: readonly WrittenImage[]): string | null {
  const [foreign] = images
    .filter((written) => !isUnchanged(written))
    .flatMap(({ image, layers }) =>
      layers
        .map(({ sealed }) => compressionOf(sealed))
        .filter((each) => each !== null && layerMediaType(image.manifest.family, each) === null),
    );
  if (foreign == null) return null;
  return `Docker's own format has no media type for ${foreign} layers (${readersOf(foreign)} read it)`;
}

/** Returns whether an image or index of the set is Docker's. */
function hasDocker(set: Pick<ImageSet, 'index' | 'members'>): boolean {
  if (set.index?.family === 'docker') return true;
  return membersBelow(set).some((member) => {
    switch (member.kind) {
      case 'image':
        return member.image.manifest.family === 'docker';
      case 'nested':
        return member.nested.index.family === 'docker';
      case 'other':
        return false;
    }
  });
}
