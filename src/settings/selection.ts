/** Turns the options that select layers into one selection. A base image is still a name here: a job reads it. */
import { OcislimError } from '../errors.ts';
import type { Selection } from '../image/selection.ts';
import type { SettingsOf } from './option.ts';
import type { layerSelection, squashSelection } from './tables/layers.ts';

/** Which layers a stage works on, as plain data. */
export type SelectionSetting =
  | Exclude<Selection, { readonly kind: 'base' }>
  | { readonly kind: 'base'; readonly reference: string };

/** Which layers a squash merges: the selected ones into one, or as few as leave no more than `maxLayers`. */
export type SquashSetting =
  | SelectionSetting
  | {
      readonly kind: 'fewer';
      readonly maxLayers: number;
      /** The layers that may be merged; null for those above the base that the history shows. */
      readonly within: SelectionSetting | null;
    };

type RangeSettings = SettingsOf<typeof layerSelection>;
type SquashSettings = SettingsOf<typeof squashSelection>;

/** Selects the layers of `prune` and `recompress`. Default: all. @throws USAGE */
export function rangeSelection({ layers, base }: RangeSettings): SelectionSetting {
  if (layers !== null && base !== null)
    throw new OcislimError('USAGE', '--layers and --base do not go together');
  if (layers !== null) return plain(layers);
  return base === null ? { kind: 'all' } : { kind: 'base', reference: base };
}

/** Selects the layers of `squash`: exactly one of its options must be given. @throws USAGE */
export function squashSelectionOf(settings: SquashSettings): SelectionSetting {
  const given = selectingOptions(settings);
  if (given.length !== 1) {
    throw new OcislimError(
      'USAGE',
      given.length === 0 ? 'squash needs to know which layers' : `${given.join(' and ')} do not go together`,
      {
        advice:
          'Give one of --last N, --from-layer N, --layers A..B, --base REF or --all; or --max-layers N for as few merges as leave N layers.',
      },
    );
  }
  if (settings.all) return { kind: 'all' };
  if (settings.last !== null) return { kind: 'last', count: settings.last };
  return settings.fromLayer === null ? rangeSelection(settings) : plain(settings.fromLayer);
}

/** Says what `squash` merges. With a number of layers, a selection says which may be merged, and need not be given. @throws USAGE */
export function squashSettingOf({
  maxLayers,
  ...settings
}: SquashSettings & { readonly maxLayers: number | null }): SquashSetting {
  if (maxLayers === null) return squashSelectionOf(settings);
  const isSelected = selectingOptions(settings).length > 0;
  return { kind: 'fewer', maxLayers, within: isSelected ? squashSelectionOf(settings) : null };
}

/** Lists the options of a squash that are given, as they are written. */
export function selectingOptions(settings: SquashSettings): readonly string[] {
  const given = {
    '--last': settings.last !== null,
    '--from-layer': settings.fromLayer !== null,
    '--layers': settings.layers !== null,
    '--base': settings.base !== null,
    '--all': settings.all,
  };
  return Object.entries(given).flatMap(([name, isGiven]) => (isGiven ? [name] : []));
}

function plain(selection: Selection): SelectionSetting {
  if (selection.kind !== 'base') return selection;
  throw new OcislimError('INTERNAL', 'a base image is selected by its reference');
}
