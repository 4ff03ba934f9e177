import type { RunOutcome } from '../../src/jobs/rewrite/run.ts';
import {
  actionOf,
  encodingOfBlob,
  type SealedLayer,
  tarBytesOf,
} from '../../src/layers/write/sealed-layer.ts';

/** What most tests ask about a layer that a run has made. */
export interface MadeLayer {
  readonly action: string;
  /** Null for a dropped layer, like size and DiffID. */
  readonly digest: string | null;
  readonly size: number | null;
  readonly diffId: string | null;
  readonly tarBytes: number | null;
  /** The format of a new blob; null for a blob of the source. */
  readonly compression: string | null;
  readonly sealed: SealedLayer;
}

/** Returns the layers of the first image of an outcome, by position in the plan; none for a dry run. */
export function layersIn(outcome: RunOutcome): MadeLayer[] {
  return (outcome.images[0]?.layers ?? []).flatMap(({ sealed }) => (sealed === null ? [] : [made(sealed)]));
}

function made(sealed: SealedLayer): MadeLayer {
  const kept = sealed.kind === 'dropped' ? null : sealed;
  return {
    action: actionOf(sealed),
    digest: kept?.blob.digest ?? null,
    size: kept?.blob.size ?? null,
    diffId: kept?.diffId ?? null,
    tarBytes: tarBytesOf(sealed),
    compression: encodingOfBlob(sealed)?.kind ?? null,
    sealed,
  };
}
