import { placeInNothing } from '../../image/addition.ts';
import { type Content, type Image, numbersIn, topOf } from '../../image/image.ts';
import type { AddedContent, Resolution } from './resolve.ts';

/**
 * Returns the source layers to scan before the plan can be resolved: for pruning all of them, since what is hidden, what would
 * come back and what is linked to depends on every layer; for new layers all of them, too, since packages are of the whole image, and those of the previous version
 * whose entries may be taken over; for a squash alone its own range. Where there are none, `untouched`
 * resolves the plan, without the algebra, which takes longer to load than a copy takes to run.
 */
export function layersToScan(image: Image): number[] {
  if (image.original !== null)
    return numbersIn({ from: 1, to: image.manifest.layers.length + image.original.manifest.layers.length });
  const rewritten = image.plan.layers.flatMap(({ content }) => (content.kind === 'rewritten' ? content : []));
  if (rewritten.length === 0) return [];
  const { prunings, relayering } = image.plan;
  if (prunings.length > 0 || relayering !== null) {
    const further = image.previous?.manifest.layers.length ?? 0;
    return numbersIn({ from: 1, to: image.manifest.layers.length + further });
  }
  return rewritten.flatMap(numbersIn);
}

/** What a resolution says of prunings where there are none. */
export const unpruned = {
  cleared: new Map(),
  synced: null,
  keptForLinks: [],
  unusedRules: [],
  pruned: null,
  traced: [],
  forced: [],
  surface: null,
  findings: [],
} satisfies Partial<Resolution>;

/** Resolves a new layer, as in an image without files: the interpreter places it in what the image has. */
export function addedContent({ above, addition }: Extract<Content, { kind: 'added' }>): AddedContent {
  return { kind: 'added', above, addition, placement: placeInNothing(addition) };
}

/** Resolves a plan in which every layer keeps its contents, new ones aside. */
export function untouched(image: Image): Resolution {
  return {
    contents: image.plan.layers.map(({ content }) =>
      content.kind === 'added' ? addedContent(content) : { kind: 'stored', layer: topOf(content) },
    ),
    table: null,
    removals: [],
    promotions: [],
    linked: [],
    ...unpruned,
    change: () => {
      throw new Error('no layer was read');
    },
    restored: null,
    relayered: null,
  };
}
