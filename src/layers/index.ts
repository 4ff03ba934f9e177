/**
 * The room `layers`: reads the layers of a source, edits their tars as they stream, and writes new layers to a target. It knows
 * nothing of manifests, of what a plan is for, or of reports; this file is what rooms above `jobs` may use.
 */
export {
  actionOf,
  blobOf,
  compressionOf,
  type KeptLayer,
  type LayerAction,
  type SealedLayer,
  tarBytesOf,
  type UnchangedLayer,
} from './write/sealed-layer.ts';
