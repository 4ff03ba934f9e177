import { type Image, layerOf } from '../../image/image.ts';
import type { ResolvedContent } from '../../slim/resolve/resolve.ts';

/** The source layers that are read to write this content. */
export function sourcesOf(content: ResolvedContent): readonly number[] {
  return content.kind === 'stored' ? [content.layer] : content.edit.sources.map(({ layer }) => layer);
}

/** Bytes of the blobs of these layers. */
export function packedBytes(image: Image, layers: readonly number[]): number {
  return layers.reduce((sum, number) => sum + layerOf(image, number).descriptor.size, 0);
}

/** For progress and messages. */
export function labelOf(content: ResolvedContent): string {
  if (content.kind === 'stored') return `layer ${content.layer}`;
  if (content.kind === 'restored') return 'what is restored';
  const { from, to } = content.range;
  return from === to ? `layer ${to}` : `layers ${from}–${to}`;
}
