import { type Image, type LayerRange, layerOf } from '../../image/image.ts';
import { ascii } from '../../bytes/bytes.ts';
import { quotePath } from '../../bytes/path.ts';
import type { ResolvedContent } from '../../slim/resolve/resolve.ts';

/** Content that is written from an edit: what is left of source layers, or what comes back from the original. */
export type EditedContent = Exclude<ResolvedContent, { kind: 'stored' | 'added' }>;

/** Returns the numbers of the source layers that are read to write this content. */
export function sourcesOf(content: ResolvedContent): readonly number[] {
  switch (content.kind) {
    case 'stored':
      return [content.layer];
    case 'added':
      return [];
    case 'edited':
    case 'restored':
      return content.edit.sources.map(({ layer }) => layer);
  }
}

/** Returns the bytes of the blobs of these layers together. */
export function packedBytes(image: Image, layers: readonly number[]): number {
  return layers.reduce((sum, number) => sum + layerOf(image, number).descriptor.size, 0);
}

/** Names a layer for progress and messages. */
export function labelOf(content: ResolvedContent): string {
  if (content.kind === 'stored') return `layer ${content.layer}`;
  if (content.kind === 'restored') return 'what is restored';
  if (content.kind === 'added')
    return `what is added at ${quotePath(ascii`/${content.placement.destination}`)}`;
  const { part } = content;
  return part === undefined ? nameOfRange(content.range) : `new layer ${part.number} of ${part.count}`;
}

/** Names the source layers that several new layers are made of. */
export function rangeLabelOf(parts: readonly EditedContent[]): string {
  const [first] = parts;
  return first?.kind === 'edited' ? nameOfRange(first.range) : 'what is restored';
}

function nameOfRange({ from, to }: LayerRange): string {
  return from === to ? `layer ${to}` : `layers ${from}–${to}`;
}
