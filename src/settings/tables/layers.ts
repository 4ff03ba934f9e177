/**
 * The options that select layers and say how rewritten ones are laid out. The tables of the rewriting commands are made of them
 * (`commands.ts`).
 */
import { choice, count, flag, parsedBy, text } from '../option.ts';

/** Which layers a stage works on. Default: all. */
export const layerSelection = {
  layers: parsedBy(async () => (await import('../../image/selection.ts')).parseRange, {
    value: 'A..B',
    describe: 'select these layers of the source; 1 is the lowest',
    group: 'Layers',
  }),
  base: text({
    value: 'REF',
    describe: 'select the layers above those of this base image',
    group: 'Layers',
  }),
};

/** Which layers become one. `squash` takes exactly one of these, `slim` at most one. */
export const squashSelection = {
  last: count(1, { value: 'N', describe: 'select the N topmost layers', group: 'Layers' }),
  fromLayer: parsedBy(async () => (await import('../../image/selection.ts')).parseLayer, {
    value: 'N|DIGEST',
    describe: 'select this layer and all above it',
    group: 'Layers',
  }),
  ...layerSelection,
  all: flag({ describe: 'select all layers', group: 'Layers' }),
};

/** How many layers a squash leaves. `slim` has no such option: its --max-layers says how it relayers. */
export const fewerLayers = {
  maxLayers: count(1, {
    value: 'N',
    describe: 'merge just so many layers that at most N are left',
    details:
      'Chooses the neighbours by which later updates cost least; layers keep their order. Those of the base stay, as far as the history shows it and N leaves room above; a selection says instead which layers may be merged. An image with at most N layers stays as it is. Docker takes 127.',
    group: 'Layers',
  }),
};

export const emptyLayers = choice(['keep', 'drop'], {
  default: 'keep',
  describe: 'what to do with layers in which nothing is left',
  group: 'Layers',
});

export const squashAfterwards = flag({
  describe: 'then merge the selected layers into one',
  group: 'Layers',
});

/** How the tars of rewritten layers are laid out. */
export const arranging = {
  order: choice(['source', 'similar'], {
    describe: 'group similar files in rewritten layers (compresses slightly better)',
    details:
      'With --layers or --base every selected layer is rewritten, otherwise those that lose something. See docs/order.md.',
    group: 'Layers',
  }),
  dedupeHardlink: flag({
    describe: 'turn identical files of a rewritten layer into hard links',
    details:
      'Files are identical when their contents and all attributes are. A container that writes to one of them may change the others: see docs/order.md.',
    group: 'Layers',
  }),
};
