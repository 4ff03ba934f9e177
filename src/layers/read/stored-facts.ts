import { deserialize, serialize } from 'node:v8';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import type { Gathering } from './gather.ts';
import { MiB } from '../../units.ts';

/** Larger ones are not stored: the layer is read again. */
const maxBytes = 64 * MiB;

/** Names what was gathered, for the recipe of a stored result; which contents the rules ask for goes by the program's version. */
export function describeGathering({ probe, digests, twins }: Gathering): string {
  return `facts${probe === null ? '' : ' contents'}${digests ? ' digests' : ''}${twins ? ' twins' : ''} of`;
}

/** Facts as bytes, to be read by the same version of the program; null where they are too large. */
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
