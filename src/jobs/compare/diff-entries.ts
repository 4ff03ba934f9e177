/**
 * Compares two layers entry by entry as they are stored: whiteouts, repeated names, order and the writing of heads too. `diff.ts` calls
 * it for layers that stand in the same place of two images and unpack to different bytes.
 */
import type { FileDetail, LayerEntryChange, LayerEntryKind } from '../../analyze/diff/image-diff.ts';
import type { DiffAspect } from '../../analyze/diff/image-diff.ts';
import { AspectTally } from '../../analyze/diff/verdict.ts';
import type { Path } from '../../bytes/path.ts';
import type { ChangeKind } from '../../changeset/layer-index.ts';
import type { PathTable } from '../../changeset/path-table.ts';
import type { DigestedLayer } from '../../layers/read/digest-tar.ts';
import type { Traits } from '../../layers/read/traits.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { compareTraits } from './compare-traits.ts';
import { aspectOf, fileAspect } from './diff-files.ts';
import { show } from './difference.ts';

/** What the comparison of two layers needs to know beside them. */
export interface EntryContext {
  readonly table: PathTable;
  /** By number of the path: whether containers see a difference there, so that the layers need not explain it. */
  readonly differing: Uint8Array;
  readonly tally: AspectTally;
  /** Whether to list the entries that differ, and not only the aspects. */
  readonly listed: boolean;
}

export interface ComparedEntries {
  readonly aspects: readonly DiffAspect[];
  readonly entries: readonly LayerEntryChange[] | null;
}

/** Compares two layers that unpack to different bytes. At least one aspect is noted, or a difference that containers see. */
export function* entrySteps(
  a: DigestedLayer,
  b: DigestedLayer,
  context: EntryContext,
): Steps<ComparedEntries> {
  const comparison = new EntryComparison(a, b, context);
  const [before, after] = [yield* comparison.placeSteps(a), yield* comparison.placeSteps(b)];
  comparison.repeated(before, after);
  yield;
  let last = -1;
  for (let entry = 0; entry < b.index.kinds.length; entry++) {
    if (entry % itemsPerStep === itemsPerStep - 1) yield;
    const place = after.of[entry] as number;
    if (place < 0 || after.last[place] !== entry + 1) continue;
    const other = (before.last[place] as number) - 1;
    if (other < 0) comparison.oneSided(b, entry, 'added');
    else comparison.compare(other, entry, other < last);
    last = Math.max(last, other);
  }
  for (let entry = 0; entry < a.index.kinds.length; entry++) {
    if (entry % itemsPerStep === itemsPerStep - 1) yield;
    const place = before.of[entry] as number;
    if (place < 0 || before.last[place] !== entry + 1 || after.last[place] !== 0) continue;
    comparison.oneSided(a, entry, 'removed');
  }
  return comparison.finish();
}

/** Where the entries of a layer stand. A place is a path, and what is there: content, a whiteout or an opaque marker. */
interface Places {
  /** By entry, its place; -1 for anything else. */
  readonly of: Int32Array;
  /** By place, the last entry there, plus one. */
  readonly last: Int32Array;
  /** By place, the number of entries that come before another one of their name. */
  readonly repeated: ReadonlyMap<number, number>;
}

type Detail = LayerEntryChange['details'][number];

class EntryComparison {
  readonly #a: DigestedLayer;
  readonly #b: DigestedLayer;
  readonly #context: EntryContext;
  /** The aspects of this pair alone. */
  readonly #own: AspectTally;
  readonly #entries: LayerEntryChange[] = [];
  readonly #aspects = new Set<DiffAspect>();
  #isExplained = false;

  constructor(a: DigestedLayer, b: DigestedLayer, context: EntryContext) {
    this.#a = a;
    this.#b = b;
    this.#context = context;
    this.#own = new AspectTally([]);
  }

  /** Finds where the entries of a layer stand. */
  *placeSteps(layer: DigestedLayer): Steps<Places> {
    const last = new Int32Array(3 * this.#context.table.paths.length);
    const of = new Int32Array(layer.index.kinds.length);
    const repeated = new Map<number, number>();
    for (let entry = 0; entry < layer.index.kinds.length; entry++) {
      if (entry % itemsPerStep === itemsPerStep - 1) yield;
      const place = this.#placeOf(layer, entry);
      of[entry] = place;
      if (place < 0) continue;
      if (last[place] !== 0) repeated.set(place, (repeated.get(place) ?? 0) + 1);
      last[place] = entry + 1;
    }
    return { of, last, repeated };
  }

  /** Notes that a name comes more often in one layer than in the other. */
  repeated({ repeated: a }: Places, { repeated: b }: Places): void {
    const isSame = a.size === b.size && [...a].every(([place, count]) => b.get(place) === count);
    if (!isSame) this.#note('layers');
  }

  #placeOf({ index }: DigestedLayer, entry: number): number {
    const kind = index.kinds[entry] as ChangeKind;
    if (kind === 'ignored') return -1;
    const id = this.#context.table.idOf(index.paths[entry] as Path);
    return 3 * id + (kind === 'whiteout' ? 1 : kind === 'opaque' ? 2 : 0);
  }

  /** Takes an entry that one side alone has. */
  oneSided(layer: DigestedLayer, entry: number, change: 'added' | 'removed'): void {
    if (this.#explain(layer, entry)) this.#list(layer, entry, change, []);
  }

  /** Takes an entry that both have. */
  compare(was: number, is: number, isMoved: boolean): void {
    const details = this.#details(was, is).filter(({ what }) => {
      if (what === 'form') return this.#note('pax');
      const aspect = aspectOf(what);
      return aspect === 'content' ? this.#explain(this.#b, is) : this.#note(aspect);
    });
    if (details.length > 0) this.#list(this.#b, is, 'changed', details);
    else if (isMoved && this.#note('order')) this.#list(this.#b, is, 'moved', []);
    if (isMoved) this.#note('order');
  }

  /** Ends the comparison. What no entry shows is in the bytes around them: padding, the end of the tar, global headers. */
  finish(): ComparedEntries {
    if (this.#own.size === 0 && !this.#isExplained) this.#note('pax');
    return { aspects: [...this.#aspects], entries: this.#context.listed ? this.#entries : null };
  }

  #details(was: number, is: number): Detail[] {
    const [kind, other] = [this.#a.index.kinds[was], this.#b.index.kinds[is]] as [
      LayerEntryKind,
      LayerEntryKind,
    ];
    const details: Detail[] = [];
    if (kind !== other) {
      // Any name of a file may carry its data.
      const what = [kind, other].every((each) => each === 'file' || each === 'link') ? 'links' : 'kind';
      details.push({ what, a: kind, b: other });
    } else if (kind === 'link') {
      const [from, to] = [this.#a.index.targets.get(was) ?? '', this.#b.index.targets.get(is) ?? ''];
      if (from !== to) details.push({ what: 'links', a: show(from), b: show(to) });
    } else if (kind !== 'whiteout' && kind !== 'opaque') {
      const [left, right] = [this.#a.traits.at(was), this.#b.traits.at(is)] as [Traits, Traits];
      for (const detail of detailsOf(kind, left, right)) details.push(detail);
    }
    const [formA = '', formB = ''] = [this.#a.forms[was], this.#b.forms[is]];
    // Another kind, and a file with other holes, needs another head.
    const isAlike = !details.some(({ what }) => what === 'kind' || what === 'links' || what === 'sparse');
    if (isAlike && formA !== formB) details.push({ what: 'form', a: formA, b: formB });
    return details;
  }

  /** Notes that layers hold something else, unless containers see a difference of that path. Returns whether it counts. */
  #explain({ index }: DigestedLayer, entry: number): boolean {
    const { table, differing } = this.#context;
    this.#isExplained = true;
    return differing[table.idOf(index.paths[entry] as Path)] === 1 || this.#note('layers');
  }

  #note(aspect: DiffAspect): boolean {
    this.#own.note(aspect);
    const counts = this.#context.tally.note(aspect);
    if (counts) this.#aspects.add(aspect);
    return counts;
  }

  #list(
    { index }: DigestedLayer,
    entry: number,
    change: LayerEntryChange['change'],
    details: readonly Detail[],
  ): void {
    if (!this.#context.listed) return;
    const kind = index.kinds[entry] as LayerEntryKind;
    this.#entries.push({ path: index.paths[entry] as Path, kind, change, details });
  }
}

function detailsOf(
  kind: Exclude<LayerEntryKind, 'link' | 'whiteout' | 'opaque'>,
  a: Traits,
  b: Traits,
): FileDetail[] {
  return compareTraits(kind, a, b).map(({ what, ...values }) => ({ what: fileAspect(what), ...values }));
}
