/** Turns stages into the transform that a job runs. It is a file of its own, since it loads what the stages need. */
import { recompress } from '../compress/recompress.ts';
import { tune } from '../compress/tune.ts';
import { annotate, configure } from '../configure/configure.ts';
import { type Image, type Transform, withPlan } from '../image/image.ts';
import type { ContentDigests, LayerAssignment, RelayerGroup, RelayerBasis } from '../image/relayering.ts';
import type { Selection } from '../image/selection.ts';
import { arrange } from '../slim/arrange.ts';
import { fewerLayers } from '../slim/fewer-layers.ts';
import { prune } from '../slim/prune.ts';
import { relayer } from '../slim/relayer.ts';
import { squash } from '../slim/squash.ts';
import { asksNoHistory, type HistorySetting } from './history.ts';
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
  /** All that were read, of every platform. */
  readonly images: readonly Image[];
}

/** Which earlier versions tell how often components change, and how their files are divided into components. */
export interface HistoryWish extends HistorySetting {
  readonly by: RelayerBasis;
  readonly groups: readonly RelayerGroup[];
  readonly maxLayer: number | null;
  /** The layers that are relayered. */
  readonly selection: Selection;
  readonly previous: PreviousVersions;
}

/** Reads what the components of earlier versions held. Returns what tells it for an image; any order of references gives the same. */
export type HistoryReader = (wish: HistoryWish) => Promise<(image: Image) => readonly ContentDigests[]>;

/** The readers of images that stages name. */
export interface StageReaders {
  readonly readBase: BaseReader;
  readonly readPrevious: PreviousReader;
  readonly readHistory: HistoryReader;
}

/** Makes the transform of all stages. The images that they name are read first, each base once. @throws what reading these throws */
export async function transformOf(
  stages: Stages,
  { readBase, readPrevious, readHistory }: StageReaders,
): Promise<Transform> {
  const select = async (selection: SelectionSetting): Promise<Selection> =>
    selection.kind === 'base' ? readBase(selection.reference) : selection;
  const steps: Transform[] = [];
  if (stages.prune !== null) steps.push(prune(await select(stages.prune.selection), stages.prune));
  if (stages.squash !== null) steps.push(await squashing(stages.squash, select));
  if (stages.relayer !== null) {
    const { selection: setting, previous: references, history, ...options } = stages.relayer;
    const selection = await select(setting);
    const previous = await readPrevious(references);
    const historyOf = asksNoHistory(history)
      ? () => []
      : await readHistory({ ...history, ...options, selection, previous });
    const { layoutsFor: previousOf, imageBefore } = previous;
    steps.push(relayer(selection, { ...options, previousOf, historyOf, imageBefore }));
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
