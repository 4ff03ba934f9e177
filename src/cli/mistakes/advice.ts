/** What to say of another tool's option. The tables of this folder hold it, and `unknown.ts` says it. */
export interface Advice {
  readonly say: string;
  /** Our option that `say` is about, where not all commands have it. */
  readonly option?: string;
  /** What to say in commands without that option. Default: `say`, and which commands have it. */
  readonly otherwise?: string;
}

/** A row: words without dashes (single letters with one), and what to say of them. */
export type Row = readonly [words: string, say: string, option?: string, otherwise?: string];
