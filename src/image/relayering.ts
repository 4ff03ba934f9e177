/**
 * How layers are relayered, as plain data, and the note in an image that says which component is in which layer. Plans hold the
 * one; the job writes the other, and reads it in the image of an earlier version.
 */
import { isJsonObject, type JsonObject } from '../oci/json.ts';
import { readRuntime } from '../oci/runtime.ts';
import type { Image, LayerRange } from './image.ts';

/** What becomes a layer of its own: packages, directories, or what is large. */
export const relayerBases = ['package', 'path', 'size'] as const;
export type RelayerBasis = (typeof relayerBases)[number];

/** What becomes of what every build makes different, times above all. `adopt`: where nothing else differs, entries are those of the previous version. */
export const noiseModes = ['keep', 'adopt'] as const;
export type NoiseMode = (typeof noiseModes)[number];

/** Files that are kept together in one layer, by the name of their group. */
export interface RelayerGroup {
  readonly name: string;
  /** Globs, as those of `keep`. */
  readonly globs: readonly string[];
}

/** Digests of what the components of an image hold, by their names: equal where a rebuild changed nothing but times. */
export type ContentDigests = Readonly<Record<string, string>>;

/** Which components are in which layer, by their names; the lowest layer first. Annotations and labels hold it as JSON. */
export interface LayerAssignment {
  readonly layers: readonly (readonly string[])[];
  /** Absent: not known. */
  readonly digests?: ContentDigests;
}

/** How a range of layers is relayered, as layers of which an update changes few. */
export interface Relayering {
  /** The source layers, numbered from 1. */
  readonly layers: LayerRange;
  readonly by: RelayerBasis;
  /** The most layers of the new image, those below the range included. */
  readonly maxLayers: number;
  /** The bytes that the tar of a new layer should not exceed. Null for no limit. */
  readonly maxLayer: number | null;
  readonly groups: readonly RelayerGroup[];
  readonly noise: NoiseMode;
  /** The assignments of earlier versions. As much as possible of the first stays; all tell how often components change. */
  readonly previous: readonly LayerAssignment[];
  /** What the components of further earlier versions held, in any order: they tell how often components change. */
  readonly history: readonly ContentDigests[];
}

/** The annotation of a manifest, and the label of a config, that hold the assignment: some programs keep only one of them. */
export const assignmentName = 'io.ocislim.layers';

/** Writes an assignment as a note holds it. */
export function noteOfAssignment({ layers, digests = {} }: LayerAssignment): string {
  return JSON.stringify({ layers, contents: digests });
}

/** Returns the assignment that an image states in its annotation or its label; null for none, and for one that cannot be read. */
export function assignmentOf({ manifest, config }: Image): LayerAssignment | null {
  const annotations = (manifest.json['annotations'] ?? {}) as JsonObject;
  const noted = annotations[assignmentName];
  const text = typeof noted === 'string' ? noted : readRuntime(config).labels.get(assignmentName);
  return text === undefined ? null : readAssignment(text);
}

function readAssignment(text: string): LayerAssignment | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isJsonObject(json)) return null;
  // Notes of an older form have digests under another name, in which times count: nothing is equal to them.
  const { layers, contents } = json;
  if (!Array.isArray(layers) || !layers.every(isNames)) return null;
  return isTexts(contents) ? { layers, digests: contents } : { layers };
}

function isTexts(value: unknown): value is Record<string, string> {
  return isJsonObject(value) && Object.values(value).every((text) => typeof text === 'string');
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}
