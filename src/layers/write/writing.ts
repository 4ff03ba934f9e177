import type { EncoderPool } from '../../codec/encoder-pool.ts';
import type { Listener } from '../../events.ts';
import type { Source, Target } from '../../place/place.ts';
import type { BlobCache } from '../../store/cache/blob-cache.ts';
import type { SpoolRoom } from '../edit/spool.ts';
import type { LayerReader } from '../read/layer-reader.ts';

/** What the steps of writing layers share: the two places, and the means of one run. */
export interface Writing {
  readonly source: Source;
  readonly target: Target;
  readonly reader: LayerReader;
  readonly pool: EncoderPool;
  readonly listener: Listener;
  /** What earlier runs have made; null for none. */
  readonly cache: BlobCache | null;
  /** Where the data of layers that get another order waits. */
  readonly room: SpoolRoom;
}
