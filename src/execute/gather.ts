import { type Digest, hasher } from '../oci/digest.ts';
import { FactCollector, type FileSink } from '../slim/facts/collector.ts';
import type { ContentProbe, LayerFacts } from '../slim/facts/facts.ts';
import { readAttributes } from '../tar/attributes.ts';
import type { TarEntry } from '../tar/entry.ts';

/** What a scan is to learn of files besides their headers. */
export interface Gathering {
  /** Null: nothing of what the closure asks for. */
  readonly probe: ContentProbe | null;
  /** The digest of every file, for the list of what was removed. */
  readonly digests: boolean;
}

/** Looks into the files of one layer while its headers are scanned. */
export class Gatherer {
  readonly #collector: FactCollector | null;
  readonly #digests: Map<number, Digest> | null;

  constructor({ probe, digests }: Gathering) {
    this.#collector = probe === null ? null : new FactCollector(probe);
    this.#digests = digests ? new Map() : null;
  }

  /** The sink for the body of an entry, padding and all; null where nobody wants it. `path`: cleaned. */
  open(number: number, entry: TarEntry, path: string): FileSink | null {
    if (entry.kind !== 'file') return null;
    const facts = this.#collector?.open(number, path, entry.size) ?? null;
    const digests = this.#digests;
    if (digests === null || readAttributes(entry).sparse !== null) return facts;
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
        digests.set(number, hash.digest());
        facts?.end();
      },
    };
  }

  facts(): LayerFacts {
    const facts = this.#collector?.facts() ?? { elf: new Map(), scripts: new Map(), contents: new Map() };
    return { ...facts, digests: this.#digests ?? new Map() };
  }
}
