/** The kinds of files that rules tell apart. A hard link counts as a file. */
export type RuledKind = 'directory' | 'file' | 'symlink' | 'other';

/**
 * A condition, other than the name, for a rule to remove a file, which no glob can state:
 * - `python-source`: the module that a `.pyc` or `.pyo` was compiled from is there.
 */
export type Condition = 'python-source';

/** A pruning rule as plain data: it survives JSON. `rules.ts` knows what it matches. */
export interface Rule {
  /** The glob as written, `!` included, without the spaces around it. */
  readonly text: string;
  /** Where it was written: "--rule", "rules.txt:12", "preset docs". */
  readonly origin: string;
  /** Whether it takes back what rules before it remove. */
  readonly negated: boolean;
  /** A `!` rule with a group takes back only from rules of its group, so that presets do not undo each other. */
  readonly group?: string;
  /** The kind of entries that it is for; all if left out. Such a rule, and one with `needs`, matches an entry itself and never covers what is below. */
  readonly only?: RuledKind;
  /** A condition that the path must meet too. */
  readonly needs?: Condition;
}
