import type { Filesystem } from '../filesystem.ts';
import type { Path } from '../../bytes/path.ts';
import type { FileFacts, LayerFacts } from './facts.ts';

/** Shows the facts of all layers through the merged filesystem. `layers` are by source layer number. */
export function mergeFacts(fs: Filesystem, layers: ReadonlyMap<number, LayerFacts>): FileFacts {
  const lookup = <T>(path: Path, column: (facts: LayerFacts) => ReadonlyMap<number, T>): T | null => {
    const carrier = fs.carrier(path);
    if (carrier?.kind !== 'file') return null;
    const facts = layers.get(carrier.layer);
    return facts === undefined ? null : (column(facts).get(carrier.entry) ?? null);
  };
  return {
    elf: (path) => lookup(path, ({ elf }) => elf),
    script: (path) => lookup(path, ({ scripts }) => scripts),
    mentions: (path) => lookup(path, ({ mentions }) => mentions) ?? [],
    modules: (path) => lookup(path, ({ modules }) => modules),
    parts: (path) => lookup(path, ({ parts }) => parts) ?? [],
    contents: (path) => lookup(path, ({ contents }) => contents),
  };
}
