/** A thing that a run has left or written, in the form in which it is compared. */
export type Fact =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | {
      readonly kind: 'layer';
      readonly digest: string;
      readonly mediaType: string;
      /** Relative to the folder of the observation. */
      readonly file: string;
    };

/** What one checkout has made of a case: facts by what they are about, and standard error to explain a failure. */
export interface Observation {
  readonly facts: ReadonlyMap<string, Fact>;
  /** Where the files lie at last. */
  readonly folder: string;
  readonly stderr: string;
}

/** Returns the fact of a text: that of its JSON value where it is JSON, else of its lines. */
export function factOf(text: string): Fact {
  if (/^\s*[[{]/.test(text)) {
    try {
      return { kind: 'json', value: JSON.parse(text) };
    } catch {
      // Text that only begins like JSON.
    }
  }
  return { kind: 'lines', lines: text.split('\n') };
}
