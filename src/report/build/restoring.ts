import type { ImageOutcome } from '../../jobs/rewrite/records.ts';
import type { PlatformReport } from '../report.ts';
import { namedBy, typeOf } from './entries.ts';
import { sum } from './numbers.ts';

/** Reports what came back to an image; the field is absent from runs that do not restore. */
export function reportRestoring(outcome: ImageOutcome): Pick<PlatformReport, 'restoring'> {
  const { restored } = outcome.resolution;
  if (restored === null) return {};
  const sizes = restored.changes.map(({ layer, entry }) => outcome.indexes.get(layer)?.bytes[entry] ?? 0);
  return {
    restoring: {
      original: outcome.image.original?.descriptor.digest ?? '',
      entries: restored.changes.length,
      bytes: sum(sizes),
      stillMissing: restored.missing,
      ...(restored.linked === undefined ? {} : { stillLinked: restored.linked }),
      paths: restored.changes.map((change, i) => ({
        ...namedBy(outcome, change),
        type: typeOf(change),
        bytes: sizes[i] as number,
      })),
    },
  };
}
