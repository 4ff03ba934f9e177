/**
 * Gathers facts about files while the headers of a layer are scanned. `scanTar` offers it every entry, and it says which bodies
 * it must see.
 */
import { type Path } from '../../bytes/path.ts';
import { createHash } from 'node:crypto';
import { type Digest, hasher } from '../../oci/digest.ts';
import { FactCollector, type FileSink } from '../../rootfs/facts/collector.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import { PrintSink } from './content-prints.ts';
import { emptyFacts } from './empty-facts.ts';
import { completeGathering, type Gathering } from './gathering.ts';
import { IdentityGatherer } from './identities.ts';
import { type Attributes, readAttributes } from '../../tar/attributes.ts';
import { type ByteString, readByteString } from '../../bytes/bytes.ts';
import type { TarEntry } from '../../tar/entry.ts';

/** Looks into the files of one layer while its headers are scanned. */
export class Gatherer {
  readonly #collector: FactCollector | null;
  readonly #digests: Map<number, Digest> | null;
  readonly #twins: Map<number, ByteString> | null;
  readonly #prints: PrintSink | null;
  readonly #identities: IdentityGatherer | null;
  #entries = 0;

  constructor(gathering: Gathering) {
    const { probe, digests, twins, prints, identities, programs, sources, parts } =
      completeGathering(gathering);
    this.#collector = probe === null ? null : new FactCollector(probe, { programs, sources, parts });
    this.#prints = prints ? new PrintSink() : null;
    this.#identities = identities === null ? null : new IdentityGatherer(identities);
    this.#digests = digests ? new Map() : null;
    this.#twins = twins ? new Map() : null;
  }

  /**
   * Opens a sink for the body of an entry, its padding included; null if no fact needs the body. `number` counts the entries of
   * the layer from 0, and `path` is the cleaned path.
   */
  open(number: number, entry: TarEntry, path: Path): FileSink | null {
    this.#entries = number + 1;
    const sink = entry.kind === 'file' ? this.#openContents(number, entry, path) : null;
    return this.#identities === null ? sink : this.#identities.take(number, entry, path, sink);
  }

  #openContents(number: number, entry: TarEntry, path: Path): FileSink | null {
    const sink = this.#openFacts(number, entry, path);
    // The body of a sparse file is not its contents.
    return this.#prints === null || entry.size === 0 || entry.sparse
      ? sink
      : this.#prints.begin(number, entry.size, sink);
  }

  #openFacts(number: number, entry: TarEntry, path: Path): FileSink | null {
    const facts = this.#collector?.open(number, path, entry.size) ?? null;
    const digests = this.#digests;
    const twins = entry.size > 0 ? this.#twins : null;
    if (digests === null && twins === null) return facts;
    // The body of a sparse file is not its contents, so that it gets neither a digest nor a twin.
    if (entry.sparse) return facts;
    const attributes = readAttributes(entry);
    const hash = hasher();
    let left = entry.size;
    let isWanted = facts !== null;
    return {
      write: (chunk) => {
        const part = chunk.length > left ? chunk.subarray(0, left) : chunk;
        left -= part.length;
        hash.update(part);
        if (isWanted) isWanted = facts?.write(chunk) === true;
        return left > 0;
      },
      end: () => {
        const digest = hash.digest();
        digests?.set(number, digest);
        twins?.set(number, nameTwins(attributes, digest));
        facts?.end();
      },
    };
  }

  facts(): LayerFacts {
    const facts = this.#collector?.facts() ?? emptyFacts;
    return {
      ...facts,
      digests: this.#digests ?? new Map(),
      twins: this.#twins ?? new Map(),
      prints: this.#prints?.finish(this.#entries) ?? emptyFacts.prints,
      identities: this.#identities?.finish(this.#entries) ?? null,
    };
  }
}

/** Returns 32 bytes that are equal for two files only if their contents and attributes are equal. */
function nameTwins(
  { mode, uid, gid, uname, gname, mtime, records }: Attributes,
  contents: Digest,
): ByteString {
  const all = JSON.stringify([contents, mode, uid, gid, uname, gname, mtime, [...records]]);
  return readByteString(createHash('sha256').update(all).digest());
}
