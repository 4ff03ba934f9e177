/** What stands at a path, as rules tell things apart. A hard link counts as a file. */
export type RuledKind = 'directory' | 'file' | 'symlink' | 'other';

/**
 * What must be true besides the name before a rule removes a file, where no glob can say it:
 * - `python-source`: the module that a `.pyc` or `.pyo` was compiled from is there.
 */
export type Condition = 'python-source';

/** A pruning rule as plain data: it survives JSON. `slim/` knows what it matches. */
export interface Rule {
  /** The glob as written, `!` included, without the spaces around it. */
  readonly text: string;
  /** Where it was written: "--rule", "rules.txt:12", "preset docs". */
  readonly origin: string;
  /** It takes back what rules before it remove. */
  readonly negated: boolean;
  /** A `!` rule with a group takes back only from rules of its group, so that presets do not undo each other. */
  readonly group?: string;
  /** Only entries of this kind. Such a rule, and one with `needs`, matches an entry itself and never covers what is below. */
  readonly only?: RuledKind;
  /** A condition that the path must meet besides. */
  readonly needs?: Condition;
}
