import type { Machine } from './measure/machine.ts';
import type { Usage } from './measure/account.ts';
import type { WorkName } from './works/work.ts';

/** What bench/results.json holds. Bytes and seconds. */
export interface Results {
  readonly machine: Machine;
  /** As the caller gave it. */
  readonly date: string | null;
  /** By rival; of ocislim itself too. */
  readonly versions: Readonly<Record<string, string>>;
  /** Rivals that were not there, with what they lack. */
  readonly missing: Readonly<Record<string, string>>;
  readonly images: readonly ImageFacts[];
  readonly installs: readonly Install[];
  readonly rows: readonly Row[];
}

export interface ImageFacts {
  readonly name: string;
  readonly layers: number;
  /** Of all layers, as they are transferred. */
  readonly size: number;
}

/** What has to be installed to run one. */
export interface Install {
  readonly name: string;
  readonly bytes: number;
  /** Packages that come along, where they are packages of their own. */
  readonly dependencies: number | null;
  readonly what: string;
}

/** What one contender did with one image. */
export interface Row {
  readonly work: WorkName;
  readonly image: string;
  readonly label: string;
  readonly rival: string;
  /** One for each round; the warm-up is not among them. */
  readonly runs: readonly Usage[];
  /** Of the result's layers. Null where nothing is made. */
  readonly output: Output | null;
  /** Counted in the warm-up, by a proxy before each registry. Null for other forms. */
  readonly moved: { readonly downloaded: number; readonly uploaded: number } | null;
  /** What `ocislim verify` says of the result; null where it was not asked. */
  readonly verified: string | null;
  readonly differs: string | null;
  /** Why it was not measured, or no further. */
  readonly failure: string | null;
}

export interface Output {
  readonly layers: number;
  readonly size: number;
}
