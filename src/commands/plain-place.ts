/**
 * Destinations that hold plain layers alone (`docker load`): which one that is, and what was asked for in vain. `rewrite.ts` calls it
 * before a layer is read.
 */
import type { Listener } from '../events.ts';
import type { Place } from '../jobs/rewrite/one-image.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import type { Work } from './planned-work.ts';
import type { Job } from './rewrite.ts';

/** Returns the place that a job writes to, or would write to, where that holds less than others do. It is not opened. */
export function plainPlaceOf({ source, destination, settings: { tag, inPlace } }: Job): Place | null {
  const [first = null] = [destination ?? [], tag, inPlace ? source : []].flat();
  const reference = first === null ? null : parseReference(first);
  if (reference?.kind !== 'docker-archive') return null;
  return { label: formatReference(reference), layerFormat: 'plain' };
}

/** Warns that compression was asked for where layers stay plain. */
export function warnOfPlainLayers({ label }: Place, work: Work, listener: Listener): void {
  if (!isPackingAsked(work)) return;
  listener({
    type: 'warning',
    code: 'SETTING_IGNORED',
    message: `${label} gets uncompressed layers, which is all that docker load reads everywhere: what was asked of compression has no effect there; write an oci-archive: for compressed layers`,
  });
}

/** Whether settings or a plan ask for packed layers. */
function isPackingAsked(work: Work): boolean {
  switch (work.kind) {
    case 'copy':
      return work.compression !== null && work.compression !== 'none';
    case 'stages':
    case 'recorded':
      return work.stages.pack.some(
        ({ isAsked, packing }) => isAsked && (packing.kind === 'tune' || packing.encoding.kind !== 'none'),
      );
    case 'prepared':
      return false;
  }
}
