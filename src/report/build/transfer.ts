import type { RunOutcome } from '../../jobs/rewrite/records.ts';
import type { KeptLayer, UnchangedLayer } from '../../layers/index.ts';
import type { Report } from '../report.ts';
import { sum } from './numbers.ts';

type Arrival = UnchangedLayer['adoption'] | 'written';

/**
 * Reports the bytes that moved. A layer that several images share counts once, and the documents of an image that is built from nothing
 * (`fromNothing`) do not count: they were read nowhere.
 */
export function reportTransfer(
  { images, variants, downloaded, set, others, cache }: RunOutcome,
  fromNothing: boolean,
): Report['transfer'] {
  const distinct = new Map<string, KeptLayer>();
  for (const { sealed } of [...images, ...variants].flatMap(({ layers }) => layers))
    if (sealed !== null && sealed.kind !== 'dropped') distinct.set(sealed.blob.digest, sealed);
  const bytesOf = (wanted: Arrival) =>
    sum([...distinct.values()].map((layer) => (arrivalOf(layer) === wanted ? layer.blob.size : 0)));
  const copied = bytesOf('copied') + others.copied;
  const documentsWritten = [...images, ...variants].map(({ image, manifest }) =>
    manifest === null ? 0 : manifest.bytes.length + image.config.bytes.length,
  );
  const documentsRead = images.map(({ image }) => image.manifest.bytes.length + image.config.bytes.length);
  const index = set.index === null ? 0 : set.root.bytes.length;
  return {
    presentBytes: bytesOf('present') + others.present,
    mountedBytes: bytesOf('mounted') + others.mounted,
    copiedBytes: copied,
    downloadedBytes: fromNothing
      ? 0
      : cache === null
        ? downloaded + copied + index + sum(documentsRead)
        : cache.downloaded,
    cachedBytes: cache?.reused ?? 0,
    uploadedBytes: copied + bytesOf('written') + sum(documentsWritten),
  };
}

/** Returns how the blob of a layer got to the target. */
function arrivalOf(layer: KeptLayer): Arrival {
  switch (layer.kind) {
    case 'unchanged':
      return layer.adoption;
    case 'repacked':
      return 'written';
    case 'recalled':
      return layer.from === 'target' ? 'present' : 'written';
  }
}
