import type { Machine } from './measure/machine.ts';
import type { Usage } from './measure/account.ts';
import type { WorkName } from './works/work.ts';

/** The content of bench/results.json, in bytes and seconds. */
export interface Results {
  readonly machine: Machine;
  /** The date that the caller gave. */
  readonly date: string | null;
  /** Versions by rival, ocislim included. */
  readonly versions: Readonly<Record<string, string>>;
  /** Rivals that are not installed, with what is missing. */
  readonly missing: Readonly<Record<string, string>>;
  readonly images: readonly ImageFacts[];
  readonly installs: readonly Install[];
  readonly rows: readonly Row[];
}

export interface ImageFacts {
  readonly name: string;
  readonly layers: number;
  /** The bytes of all layers as they are transferred. */
  readonly size: number;
}

/** What has to be installed to run a program. */
export interface Install {
  readonly name: string;
  readonly bytes: number;
  /** The number of packages that are installed along; null where they are not separate packages. */
  readonly dependencies: number | null;
  readonly what: string;
}

/** The measurements of one contender with one image. */
export interface Row {
  readonly work: WorkName;
  readonly image: string;
  readonly label: string;
  readonly rival: string;
  /** A run for each round, without the warm-up. */
  readonly runs: readonly Usage[];
  /** The layers of the result; null where a work makes none. */
  readonly output: Output | null;
  /** Bytes counted in the warm-up by a proxy before each registry; null for other forms. */
  readonly moved: { readonly downloaded: number; readonly uploaded: number } | null;
  /** What `ocislim verify` says of the result; null where it was not verified. */
  readonly verified: string | null;
  readonly differs: string | null;
  /** Why it was not measured, or not any further. */
  readonly failure: string | null;
}

export interface Output {
  readonly layers: number;
  readonly size: number;
}
