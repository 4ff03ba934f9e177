/**
 * Sums up in which aspects two images differ, and which of them were ignored. The comparison of images notes aspects as it finds them.
 */
import { type DiffAspect, type DiffVerdict, type Ignorable, ignorable } from './image-diff.ts';

const aspects: readonly DiffAspect[] = ['platform', 'files', 'content', ...ignorable];

/** Collects the aspects in which images differ. */
export class AspectTally {
  readonly #ignored: ReadonlySet<DiffAspect>;
  readonly #found = new Set<DiffAspect>();

  constructor(ignored: Iterable<Ignorable>) {
    this.#ignored = withParts(ignored);
  }

  /** Notes a difference. Returns whether it counts, so that it belongs into the lists. */
  note(aspect: DiffAspect): boolean {
    this.#found.add(aspect);
    return !this.#ignored.has(aspect);
  }

  /** The number of aspects noted, ignored ones included. */
  get size(): number {
    return this.#found.size;
  }

  /** Takes over what another tally has. */
  add(other: AspectTally): void {
    for (const aspect of other.#found) this.#found.add(aspect);
  }

  verdict(): DiffVerdict {
    const found = aspects.filter((aspect) => this.#found.has(aspect));
    const differIn = found.filter((aspect) => !this.#ignored.has(aspect));
    const butFor = found.filter((aspect): aspect is Ignorable => this.#ignored.has(aspect));
    const kind = differIn.length > 0 ? 'different' : butFor.length > 0 ? 'identical-but' : 'identical';
    return { kind, butFor, differIn };
  }
}

/** Returns the aspects that are ignored: the environment and labels are parts of the config. */
function withParts(ignored: Iterable<Ignorable>): ReadonlySet<DiffAspect> {
  const all = new Set<DiffAspect>(ignored);
  if (all.has('config')) all.add('env').add('labels');
  return all;
}
