/**
 * Facts about the files of layers as bytes, so that the cache can keep them between runs. The layer reader packs and unpacks them, beside the
 * index of the layer.
 */
import { deserialize, serialize } from 'node:v8';
import { createHash } from 'node:crypto';
import type { Path } from '../../bytes/path.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { ContentProbe, LayerFacts } from '../../rootfs/facts/facts.ts';
import { completeGathering, type Gathering } from './gathering.ts';
import { MiB } from '../../units.ts';

/** The size up to which facts are stored. The layers of larger ones are read again. */
const maxBytes = 64 * MiB;

/**
 * Names a gathering for the recipe of a stored result. Commands ask for different contents: which files of this layer theirs are is part
 * of the name, so that no command gets less than it asks for, and all that ask for the same share it.
 */
export function describeGathering(gathering: Gathering, index: LayerIndex): string {
  const { probe } = gathering;
  const contents = probe === null ? [] : [`contents(${nameContents(probe, index)})`];
  // The number changes with what facts say, so that none of an earlier program is taken for a whole one.
  return ['facts-2', ...contents, kindsOf(gathering), 'of'].filter((word) => word !== '').join(' ');
}

/** Names the kinds of facts that a gathering asks for, whatever contents its probe selects. */
export function kindsOf(gathering: Gathering): string {
  const { probe, digests, twins, prints, identities, programs, sources, parts } =
    completeGathering(gathering);
  const wanted = {
    digests,
    twins,
    prints,
    [`identities(${identities ?? ''})`]: identities !== null,
    parts,
    'no-programs': probe !== null && !programs,
    'no-sources': probe !== null && !sources,
    'no-contents': probe === null,
  };
  return Object.entries(wanted)
    .flatMap(([name, isWanted]) => (isWanted ? [name] : []))
    .join(' ');
}

/** Returns a digest of which files of a layer a probe wants. */
function nameContents(probe: ContentProbe, { kinds, paths, sizes }: LayerIndex): string {
  const hash = createHash('sha256');
  for (const [entry, kind] of kinds.entries()) {
    if (kind !== 'file') continue;
    const wanted = probe(paths[entry] as Path);
    if (wanted > 0 && wanted >= (sizes[entry] as number)) hash.update(`${entry} `);
  }
  return hash.digest('hex').slice(0, 32);
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
