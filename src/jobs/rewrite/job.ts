import type { Transform } from '../../image/image.ts';

/**
 * What a run does with a source. A copy takes everything as it is, artifacts too; a rewrite applies a transform to every
 * image, and needs at least one.
 */
export type Job = { readonly kind: 'copy' } | { readonly kind: 'rewrite'; readonly transform: Transform };

/** Returns the image as it is. A run with this very function as its transform is a copy. */
export const identity: Transform = (image) => image;

/** Returns the job that the caller of `run` asks for. Only here the identity of a function has a meaning. */
export function jobOf(transform: Transform): Job {
  return transform === identity ? { kind: 'copy' } : { kind: 'rewrite', transform };
}
