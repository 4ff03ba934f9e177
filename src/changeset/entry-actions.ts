import type { EntryAction } from './edit.ts';

const keep: EntryAction = { kind: 'keep' };

/**
 * The actions for the entries of one source layer, by entry. Nearly all of them are `keep`, which takes a byte each: layers
 * may have millions of entries.
 */
export class EntryActions {
  #marks = new Uint8Array(64);
  readonly #others = new Map<number, EntryAction>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  set(entry: number, action: EntryAction): void {
    if (entry >= this.#marks.length) {
      const more = new Uint8Array(2 * entry);
      more.set(this.#marks);
      this.#marks = more;
    }
    if (this.#marks[entry] === 0) this.#size++;
    this.#marks[entry] = action.kind === 'keep' ? kept : changed;
    if (action.kind === 'keep') this.#others.delete(entry);
    else this.#others.set(entry, action);
  }

  /** Returns undefined for an entry that is left out. */
  get(entry: number): EntryAction | undefined {
    const mark = this.#marks[entry];
    return mark === kept ? keep : mark === changed ? this.#others.get(entry) : undefined;
  }

  /** Yields the actions in the order of the entries. */
  *[Symbol.iterator](): Generator<readonly [entry: number, action: EntryAction]> {
    for (let entry = 0; entry < this.#marks.length; entry++) {
      const action = this.get(entry);
      if (action !== undefined) yield [entry, action];
    }
  }
}

const kept = 1;
const changed = 2;
