/**
 * This room decides which files of an image go into one layer, so that an update sends little: components, how often they change, and
 * the plan of layers. It reads no layers and writes none; the job that relays an image out calls it.
 */

/** What goes into layers as one piece: a package, a tree, a large file. */
export interface Component {
  /** Unique in its image and equal in its next version: "dpkg:openssl", "python:torch", "tree:/app". */
  readonly name: string;
  /** The bytes of its entries in a tar, with heads and padding. */
  readonly bytes: number;
  /** Whether every build changes it: it goes to the top. */
  readonly volatile: boolean;
  /** The probability that one update changes it, from 0 to 1. */
  readonly change: number;
  /**
   * Whether its content is not that of the previous version, so that its layer must be sent in any case. Default: no, which keeps the
   * layer as it is.
   */
  readonly changed?: boolean;
}

/** The names of the components of each layer, sorted; the lowest layer first. */
export interface Arrangement {
  readonly layers: readonly (readonly string[])[];
}

/** The limits of an arrangement. */
export interface LayerLimits {
  /** The most layers, at least 1. It is always kept. */
  readonly maxLayers: number;
  /**
   * The most bytes of a layer. Null: any number. A component that is larger has a layer of its own, and `maxLayers` may leave no choice
   * but larger layers.
   */
  readonly maxLayer: number | null;
}
