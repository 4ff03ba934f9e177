/**
 * What the HTML report shows, as plain data: `of-report.ts` and others make it, `html.ts` writes it into a file, and the script in that
 * file (`client/`) draws it. All texts are escaped already, and the script puts them in as text, never as markup.
 */

/** One report: its head, and a chapter for each image. */
export interface Page {
  /** `ocislim slim`. */
  readonly command: string;
  /** The image, as the user named it. */
  readonly title: string;
  /** One sentence under the title; null for none. */
  readonly remark: string | null;
  /** What the images are called that the report is about, with their digests. */
  readonly names: readonly PageName[];
  readonly images: readonly PageImage[];
  /** Warnings, each a sentence. */
  readonly warnings: readonly string[];
  /** The program, its version and its encoders. */
  readonly maker: string;
}

export interface PageName {
  readonly role: string;
  readonly reference: string;
  readonly digest: string | null;
}

/** What a report says of one image: of a platform of an index, or of a pair that was compared. */
export interface PageImage {
  /** What it is called among several: `linux/amd64`. */
  readonly name: string;
  readonly figures: readonly Figure[];
  readonly actions: readonly Action[];
  readonly layers: readonly PageLayer[];
  /** Null where the files are not known. */
  readonly files: PageFiles | null;
  readonly gates: readonly Gate[];
  /** How it was recorded and tried; null where it was not. */
  readonly tried: PageTried | null;
  readonly tables: readonly DataTable[];
}

export type Unit = 'bytes' | 'count' | 'seconds' | 'percent';

/** A number of the headline. */
export interface Figure {
  readonly label: string;
  readonly unit: Unit;
  readonly before: number;
  /** Null where there is one number only. */
  readonly after: number | null;
  /** Whether `after` is an estimate. */
  readonly estimated: boolean;
}

/** Something to do. */
export interface Action {
  /** Bytes that it would save; null where it is about something else. */
  readonly bytes: number | null;
  readonly what: string;
  /** Where the bytes lie, the heaviest first. */
  readonly places: readonly string[];
  /** The instruction that made the layer in question; null for none. */
  readonly instruction: string | null;
  /** The line to write in the Dockerfile; null for none. */
  readonly dockerfile: string | null;
  /** The command to copy; null for none. */
  readonly command: string | null;
}

/** A layer before, after, or both. */
export interface PageLayer {
  /** `3`, `2–4`, `new`. */
  readonly label: string;
  /** The numbers of the layers before that went into it; none for a new one. */
  readonly sources: readonly number[];
  readonly instruction: string;
  /** Bytes of the blobs. */
  readonly before: number | null;
  readonly after: number | null;
  /** What was done to it; empty where nothing is told. */
  readonly what: string;
}

/** Groups of fates, which have their colours. */
export type FateGroup = 'kept' | 'hidden' | 'duplicate' | 'removed' | 'changed' | 'added';

/** What became of files. Rows of the table of files have numbers of these. */
export interface Fate {
  readonly group: FateGroup;
  /** In short: `kept`, `preset docs`. */
  readonly name: string;
  /** The reason in words: the rule, and where it was written. */
  readonly why: string;
  /** Whether the image holds such files before, and after. */
  readonly before: boolean;
  readonly after: boolean;
}

/** The files of one image. The table itself (`packed/file-table.ts`) stands in an element of its own. */
export interface PageFiles {
  /** Which files the table has, in a sentence. */
  readonly note: string;
  readonly fates: readonly Fate[];
  /** What the two sides are called; the second is null where there is one side. */
  readonly sides: readonly [before: string, after: string | null];
  /** By number of a layer, from 1: the instructions, for legends. */
  readonly layers: readonly string[];
  /** Whether small sizes are rounded. */
  readonly rounded: boolean;
}

/** A condition that a check has tested. */
export interface Gate {
  readonly name: string;
  readonly result: 'passed' | 'failed' | 'warning';
  readonly text: string;
  /** What to change; null for nothing. */
  readonly fix: string | null;
  /** The command to copy; null for none. */
  readonly command: string | null;
}

/** How an image was recorded, and its pruned form tried. */
export interface PageTried {
  /** Whether the pruned image did what the original did; `untried` where it did not run. */
  readonly result: 'same' | 'different' | 'untried';
  /** The same in a sentence. */
  readonly verdict: string;
  readonly facts: readonly (readonly [label: string, text: string])[];
  /** The probes with their answers, and what repairs put back. */
  readonly tables: readonly DataTable[];
}

/** A plain table. */
export interface DataTable {
  readonly title: string;
  readonly note: string | null;
  readonly columns: readonly { readonly title: string; readonly unit: Unit | 'text' | 'path' }[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}
