import type { LayerIndex } from '../../changeset/layer-index.ts';
import { mapParallel } from '../../stream/parallel.ts';
import type { ResolvedImage } from './records.ts';
import type { RunContext } from './run.ts';

/**
 * Scans the layers that no plan had to know, for a report that shows all files. One that cannot be read is left out with a warning,
 * since the plan can do without it.
 */
export async function scanRest(
  resolved: ResolvedImage,
  { reader, jobs, signal, listener }: RunContext,
): Promise<ResolvedImage> {
  const { image } = resolved;
  const indexes = new Map(resolved.indexes);
  const missing = image.manifest.layers.map((_, i) => i + 1).filter((number) => !indexes.has(number));
  const scans = await mapParallel(missing, jobs, signal, async (number, _, inner) => {
    try {
      return [number, (await reader.scan(image, number, null, inner)).index] as const;
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      const message = `the report has no files of layer ${number}: ${reason}`;
      listener({ type: 'warning', code: 'LAYER_SKIPPED', message });
      return null;
    }
  });
  const found = scans.filter((scan): scan is readonly [number, LayerIndex] => scan !== null);
  for (const [number, index] of found) indexes.set(number, index);
  return { ...resolved, indexes };
}
