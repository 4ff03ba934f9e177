/**
 * Turns a comparison of two images into the document that is printed as JSON: names as text, long lists item by item. The table of
 * renderers calls it.
 */
import type {
  FileChange,
  ImageDiff,
  LayerEntryChange,
  LayerPair,
  PlatformDiff,
} from '../../analyze/diff/image-diff.ts';
import { pathFields } from '../escape.ts';
import { StreamedList } from '../json.ts';

/** The name of the JSON Schema of comparisons. A new version gets a new one. */
export const diffId = 'urn:ocislim:schema:diff:1';

/** Makes the document of a comparison. `summary` leaves out the lists. Files and entries are made as they are written. */
export function diffDocument(
  diff: ImageDiff,
  tool: { readonly name: string; readonly version: string },
  { summary }: { readonly summary: boolean },
): object {
  const { platforms, index, artifacts, ...rest } = diff;
  return {
    $id: diffId,
    diffVersion: 1,
    tool,
    ...rest,
    platforms: platforms.map((platform) => platformOf(platform, summary)),
    ...(summary ? {} : { index, artifacts }),
  };
}

function platformOf({ files, layers, ...platform }: PlatformDiff, summary: boolean): object {
  const { config, history, manifest, packages, ...facts } = platform;
  if (summary) return facts;
  return {
    ...facts,
    files: new StreamedList(mapped(files, fileOf)),
    config,
    history,
    manifest,
    layers: layers.map(layerOf),
    packages,
  };
}

function fileOf({ path, ...rest }: FileChange): object {
  return { ...pathFields(path), ...rest };
}

function layerOf({ entries, ...pair }: LayerPair): object {
  return { ...pair, ...(entries === null ? {} : { entries: new StreamedList(mapped(entries, entryOf)) }) };
}

function entryOf({ path, ...rest }: LayerEntryChange): object {
  return { ...pathFields(path), ...rest };
}

function* mapped<T>(list: readonly T[], map: (item: T) => object): Generator<object> {
  for (const item of list) yield map(item);
}
