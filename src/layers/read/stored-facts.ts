import { deserialize, serialize } from 'node:v8';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import type { Gathering } from './gather.ts';
import { MiB } from '../../units.ts';

/** The size up to which facts are stored. The layers of larger ones are read again. */
const maxBytes = 64 * MiB;

/**
 * Names a gathering for the recipe of a stored result. The rules' choice of contents is not part of the name: it changes only
 * with the version of the program, and each version has recipes of its own.
 */
export function describeGathering({
  probe,
  digests,
  twins,
  prints = false,
  programs = true,
}: Gathering): string {
  const parts = {
    contents: probe !== null,
    digests,
    twins,
    prints,
    'no-programs': probe !== null && !programs,
  };
  const named = Object.entries(parts).flatMap(([name, isWanted]) => (isWanted ? [name] : []));
  return ['facts', ...named, 'of'].join(' ');
}

/** Packs facts into bytes for the same version of the program; null if they are too large. */
export function packFacts(facts: LayerFacts): Uint8Array | null {
  let total = 0;
  for (const bytes of facts.contents.values()) total += bytes.length;
  if (total > maxBytes) return null;
  const packed = serialize(facts);
  return packed.length > maxBytes ? null : packed;
}

/** Reads what `packFacts` wrote; null for bytes of another V8. */
export function unpackFacts(bytes: Uint8Array): LayerFacts | null {
  try {
    return deserialize(bytes) as LayerFacts;
  } catch {
    return null;
  }
}
