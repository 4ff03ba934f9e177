import { OcislimError } from '../../errors.ts';
import type { PackedEncoding } from '../../codec/encoding.ts';
import { gzipFirst, packAll } from '../../compress/variant.ts';
import type { Image } from '../../image/image.ts';
import { imageMembers, type ImageSet, platformOf } from '../image-set.ts';
import type { Job } from './job.ts';
import type { PlannedImage } from './records.ts';

/**
 * Applies the job to every image of a set. `label` names the source in messages. `variant`: how each image is packed a second time; the second plans
 * follow the first ones.
 * @throws UNSUPPORTED for a rewrite of a set without images, USAGE for a trace that may be of several platforms, and what
 * the transform throws
 */
export function planImages(
  job: Job,
  set: ImageSet,
  { label, variant }: { readonly label: string; readonly variant: PackedEncoding | null },
): PlannedImage[] {
  const planned = imageMembers(set).map(
    (member): PlannedImage => ({ member, image: planImage(job, member.image), platform: platformOf(member) }),
  );
  const images =
    variant === null ? planned : planned.map((each) => ({ ...each, image: gzipFirst(each.image) }));
  if (images.length === 0 && job.kind === 'rewrite')
    throw new OcislimError('UNSUPPORTED', `${label} is not an image but an artifact of another kind`, {
      advice: '"ocislim copy" copies it as it is.',
    });
  requireOneImage(images);
  if (variant === null) return images;
  const pack = packAll(variant);
  return [
    ...images,
    ...images.map((each) => ({ ...each, image: pack(each.image), isVariant: true as const })),
  ];
}

function planImage(job: Job, image: Image): Image {
  switch (job.kind) {
    case 'copy':
      return image;
    case 'rewrite':
      return job.transform(image);
  }
}

/** Refuses several images where a trace does not say which platform it is of. @throws USAGE */
function requireOneImage(images: readonly PlannedImage[]): void {
  const nameless = images.flatMap(({ image: { plan } }) =>
    plan.prunings.flatMap(({ trace }) => (trace?.trace.platform === null ? [trace.trace.name] : [])),
  );
  if (nameless.length < 2) return;
  throw new OcislimError(
    'USAGE',
    `the image has ${images.length} platforms, and the trace ${nameless[0] ?? ''} does not say of which it is`,
    { advice: 'Select one by --platform, or record traces that name theirs: ocislim trace record --image.' },
  );
}
