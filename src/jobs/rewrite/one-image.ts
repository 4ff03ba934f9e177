/**
 * What a place that holds one image (`docker load`) cannot take: refused before any layer is read, or left out with a warning.
 * `run` calls it, and `writeManifests` writes the image without the index around it.
 */
import { OcislimError } from '../../errors.ts';
import type { Listener } from '../../events.ts';
import { layerOf } from '../../image/image.ts';
import { isAttestation } from '../../oci/attestation.ts';
import type { Index, IndexChild } from '../../oci/manifest.ts';
import { isJsonObject } from '../../oci/json.ts';
import { layerKind } from '../../oci/media-type.ts';
import type { Target } from '../../place/place.ts';
import { onePlatform } from '../../store/archive/one-platform.ts';
import { type ImageSet, imageMembers, membersBelow } from '../image-set.ts';
import type { PlannedImage } from './records.ts';

/** The most rows left out that are named one by one. */
const mostNamed = 20;

/** Where a run writes to, or would write to. */
export type Place = Pick<Target, 'label' | 'layerFormat'>;

/** Returns whether a place holds one image, and nothing that an index lists beside it. */
export function holdsOneImage(place: Pick<Place, 'layerFormat'> | null): boolean {
  return place?.layerFormat === 'plain';
}

/**
 * Returns whether an image of an index is written without the index: one platform of several was chosen, or the place holds one image.
 * Only an index could hold its attestations.
 */
export function isWrittenAlone(
  { index, narrowed, selected }: ImageSet,
  count: number,
  place: Pick<Place, 'layerFormat'>,
): boolean {
  if (index === null || count === 0) return false;
  return holdsOneImage(place) || (narrowed && selected.length === 1 && count === 1);
}

/**
 * Refuses what is not one image with layers that can be unpacked.
 * @throws UNSUPPORTED for several images, or for none; MEDIA_TYPE for layers of types that such a place has no name for
 */
export function refuseUnfit(set: ImageSet, images: readonly PlannedImage[], { label }: Place): void {
  const count = new Set(imageMembers(set).map(({ raw }) => raw.descriptor.digest)).size;
  if (count > 1) throw onePlatform(`destination ${label}`, count);
  const [planned] = images;
  if (planned === undefined)
    throw new OcislimError(
      'UNSUPPORTED',
      `destination ${label}: such an archive holds an image to run, and the source has none`,
      { advice: 'Write an oci-archive: instead, which holds anything.' },
    );
  const { image } = planned;
  for (const { content } of image.plan.layers) {
    if (content.kind !== 'stored') continue;
    const { mediaType } = layerOf(image, content.layer).descriptor;
    if (layerKind(mediaType).kind === 'layer') continue;
    throw new OcislimError(
      'MEDIA_TYPE',
      `destination ${label}: such an archive holds uncompressed layers, and layer ${content.layer} cannot be read (${JSON.stringify(mediaType)})`,
      { advice: 'Write an oci-archive: instead, which holds anything.' },
    );
  }
}

/** Refuses a second manifest where there is no index. @throws UNSUPPORTED */
export function refuseVariant({ label }: Place): void {
  throw new OcislimError('UNSUPPORTED', `--add-variant: ${label} holds one image, and no index`, {
    advice: 'Write an oci-archive:, a layout, or to a registry.',
  });
}

/**
 * Warns of all that the source has beside its image: attestations, artifacts, blobs, and what the index says of itself. `--strict`
 * makes this an error before any layer is read.
 */
export function warnOfLeftOut(set: ImageSet, { label }: Place, listener: Listener): void {
  const warn = (what: string): void =>
    listener({
      type: 'warning',
      code: 'LEFT_OUT',
      message: `${what}: ${label} holds one image, and no index`,
    });
  const others = new Map(
    membersBelow(set).flatMap(({ kind, child }) =>
      kind === 'other' && child !== null ? [[child.descriptor.digest, child]] : [],
    ),
  );
  const named = [...others.values()].slice(0, mostNamed);
  for (const child of named) warn(`${describe(child)} ${child.descriptor.digest} is left out`);
  if (others.size > mostNamed) warn(`${others.size - mostNamed} more rows of the index are left out`);
  for (const { json } of indexesIn(set)) {
    const { annotations, subject } = json;
    if (isJsonObject(annotations) && Object.keys(annotations).length > 0)
      warn(`the annotations of the index are left out (${Object.keys(annotations).join(', ')})`);
    if (isJsonObject(subject))
      warn(`the index says of itself that it refers to ${String(subject['digest'])}, which is left out`);
  }
}

/** Names the kind of a row that is not an image. */
function describe(child: IndexChild): string {
  if (isAttestation(child)) return 'the attestation';
  const { mediaType, json } = child.descriptor;
  const { artifactType } = json;
  return `the row that is not an image (${typeof artifactType === 'string' ? artifactType : mediaType}),`;
}

function indexesIn(set: ImageSet): readonly Index[] {
  const nested = membersBelow(set).flatMap((member) =>
    member.kind === 'nested' ? [member.nested.index] : [],
  );
  return [...new Set(set.index === null ? nested : [set.index, ...nested])];
}
