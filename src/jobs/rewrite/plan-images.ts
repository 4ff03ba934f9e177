import { OcislimError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import { imageMembers, type ImageSet, platformOf } from '../image-set.ts';
import type { Job } from './job.ts';
import type { PlannedImage } from './records.ts';

/**
 * Applies the job to every image of a set. `label` names the source in messages.
 * @throws UNSUPPORTED for a rewrite of a set without images, USAGE for a trace that may be of several platforms, and what
 * the transform throws
 */
export function planImages(job: Job, set: ImageSet, label: string): PlannedImage[] {
  const images = imageMembers(set).map(
    (member): PlannedImage => ({ member, image: planImage(job, member.image), platform: platformOf(member) }),
  );
  if (images.length === 0 && job.kind === 'rewrite')
    throw new OcislimError('UNSUPPORTED', `${label} is not an image but an artifact of another kind`, {
      advice: '"ocislim copy" copies it as it is.',
    });
  requireOneImage(images);
  return images;
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
