/** Turns stages into the transform that a job runs. It is a file of its own, since it loads what the stages need. */
import { recompress } from '../compress/recompress.ts';
import { tune } from '../compress/tune.ts';
import { annotate, configure } from '../configure/configure.ts';
import { type Image, type Transform, withPlan } from '../image/image.ts';
import type { LayerAssignment } from '../image/relayering.ts';
import type { Selection } from '../image/selection.ts';
import { arrange } from '../slim/arrange.ts';
import { fewerLayers } from '../slim/fewer-layers.ts';
import { prune } from '../slim/prune.ts';
import { relayer } from '../slim/relayer.ts';
import { squash } from '../slim/squash.ts';
import type { SelectionSetting, SquashSetting } from './selection.ts';
import type { PackStage, Stages } from './stages.ts';

/** Reads a base image by its reference and selects the layers above its own. Each stage asks for its own. */
export type BaseReader = (reference: string) => Promise<Selection>;

/** Reads earlier versions of an image. Without references it chooses the version. */
export type PreviousReader = (references: readonly string[]) => Promise<PreviousVersions>;

/** What is known of the earlier versions of an image. */
export interface PreviousVersions {
  /** Returns the layouts that they state for an image; the first is that to keep. */
  readonly layoutsFor: (image: Image) => readonly LayerAssignment[];
  /** Returns the version before an image; null for none. */
  readonly imageBefore: (image: Image) => Image | null;
}

/** The readers of images that stages name. */
export interface StageReaders {
  readonly readBase: BaseReader;
  readonly readPrevious: PreviousReader;
}

/** Makes the transform of all stages. The images that they name are read first, each base once. @throws what reading these throws */
export async function transformOf(
  stages: Stages,
  { readBase, readPrevious }: StageReaders,
): Promise<Transform> {
  const select = async (selection: SelectionSetting): Promise<Selection> =>
    selection.kind === 'base' ? readBase(selection.reference) : selection;
  const steps: Transform[] = [];
  if (stages.prune !== null) steps.push(prune(await select(stages.prune.selection), stages.prune));
  if (stages.squash !== null) steps.push(await squashing(stages.squash, select));
  if (stages.relayer !== null) {
    const { selection, previous, ...options } = stages.relayer;
    const { layoutsFor, imageBefore } = await readPrevious(previous);
    steps.push(relayer(await select(selection), { ...options, previousOf: layoutsFor, imageBefore }));
  }
  for (const stage of stages.arrange) steps.push(arrange(await select(stage.selection), stage));
  for (const stage of stages.pack) steps.push(pack(await select(stage.selection), stage));
  steps.push(configure(stages.config), annotate(stages.annotations));
  if (stages.dropEmpty) steps.push((image) => withPlan(image, { dropEmpty: true }));
  return (image) => steps.reduce((result, step) => step(result), image);
}

/** Makes the transform of a squash. */
async function squashing(
  setting: SquashSetting,
  select: (selection: SelectionSetting) => Promise<Selection>,
): Promise<Transform> {
  if (setting.kind !== 'fewer') return squash(await select(setting));
  const { maxLayers, within } = setting;
  return fewerLayers({ maxLayers, within: within === null ? null : await select(within) });
}

/** Makes the transform of one packing. */
function pack(selection: Selection, { packing, minSavings }: PackStage): Transform {
  switch (packing.kind) {
    case 'encode':
      return recompress(selection, packing.encoding, minSavings);
    case 'tune':
      return tune(selection, { ...packing, minSavings });
  }
}
