import { exceeded, type Limits } from '../limits.ts';
import type { Source } from '../place/place.ts';

/** Counts the rows of all indexes of one source that a job reads. */
export class RowCount {
  readonly #source: Source;
  readonly #limits: Limits;
  #rows = 0;

  constructor(source: Source, limits: Limits) {
    this.#source = source;
    this.#limits = limits;
  }

  /** Counts the rows of one more index. @throws LIMIT */
  count(rows: number): void {
    this.#rows += rows;
    if (this.#rows > this.#limits['index-children'])
      throw exceeded('index-children', this.#limits, `${this.#source.label} lists too much`, {
        says: `its indexes have ${this.#rows} rows together`,
        atLeast: this.#rows,
      });
  }
}
