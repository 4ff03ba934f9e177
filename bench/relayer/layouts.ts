/**
 * Layouts of real images: which components are in which layer, with the packed bytes. `bench/relayer-real.ts` reads them from what
 * `ocislim relayer` has written, and compares them with those of other algorithms.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MiB } from '../../src/units.ts';

/** A layer: its blob, its packed bytes, and the contents of its components by name. */
export interface LaidLayer {
  readonly blob: string;
  readonly bytes: number;
  readonly contents: ReadonlyMap<string, string>;
}

/** A component by itself. */
export interface Part {
  readonly name: string;
  readonly bytes: number;
}

/** The layers of one version. */
export class Layout {
  readonly layers: readonly LaidLayer[];
  /** When it was made, in seconds since 1970. */
  readonly time: number;

  constructor(layers: readonly LaidLayer[], time: number) {
    this.layers = layers;
    this.time = time;
  }

  /** Returns the layout with these components in each layer, whose bytes are the sum of those of single components. */
  arranged(names: readonly (readonly string[])[]): Layout {
    const byName = new Map(
      this.layers.flatMap((layer) => [...layer.contents.keys()].map((name) => [name, layer])),
    );
    return new Layout(
      names.map((own) => merged(own.flatMap((name) => byName.get(name) ?? []))),
      this.time,
    );
  }

  /** Joins components that get one name. */
  joined(nameOf: (name: string) => string): Layout {
    const groups = new Map<string, LaidLayer[]>();
    for (const layer of this.layers) {
      const [first = ''] = layer.contents.keys();
      groups.set(nameOf(first), [...(groups.get(nameOf(first)) ?? []), layer]);
    }
    const layers = [...groups].map(([name, own]): LaidLayer => {
      const all = merged(own);
      return { ...all, contents: new Map([[name, contentOf(all)]]) };
    });
    return new Layout(layers, this.time);
  }

  squashed(): Layout {
    return new Layout([merged(this.layers)], this.time);
  }
}

function merged(layers: readonly LaidLayer[]): LaidLayer {
  return {
    blob: layers.map(({ blob }) => blob).join('+'),
    bytes: layers.reduce((sum, { bytes }) => sum + bytes, 0),
    contents: new Map(layers.flatMap(({ contents }) => [...contents])),
  };
}

/** Reads an image from a folder in the OCI layout. */
export function readLayout(folder: string, tag: string): Layout {
  const layout = findLayout(folder, tag);
  if (layout === null) throw new Error(`${folder} has no image ${tag}`);
  return layout;
}

/** Reads an image from a folder in the OCI layout; null where it is not there. */
export function findLayout(folder: string, tag: string): Layout | null {
  if (!existsSync(join(folder, 'index.json'))) return null;
  const read = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8'));
  const blob = ({ digest }: { digest: string }) => read(`blobs/${digest.replace(':', '/')}`);
  const row = read('index.json').manifests.find(
    (each: { annotations?: Record<string, string> }) =>
      each.annotations?.['org.opencontainers.image.ref.name'] === tag,
  );
  if (row === undefined) return null;
  const manifest = blob(row);
  const note = JSON.parse(manifest.annotations?.['io.ocislim.layers'] ?? '{"layers":[],"contents":{}}');
  const layers = manifest.layers.map(
    ({ digest, size }: { digest: string; size: number }, at: number): LaidLayer => ({
      blob: digest,
      bytes: size,
      contents: new Map((note.layers[at] ?? []).map((name: string) => [name, note.contents[name]])),
    }),
  );
  return new Layout(layers, Date.parse(blob(manifest.config).created) / 1000);
}

/** Removes the blobs of layers of a folder in the OCI layout: what is read here is in manifests and configs. */
export function dropLayers(folder: string): void {
  const blobs = join(folder, 'blobs', 'sha256');
  for (const name of readdirSync(blobs))
    if (statSync(join(blobs, name)).size > MiB) rmSync(join(blobs, name));
}

/** Returns the components of a layout that has a layer for each. */
export function splitAll({ layers }: Layout): readonly Part[] {
  return layers.map(({ bytes, contents }) => ({ name: [...contents.keys()].join('+'), bytes }));
}

/** Returns the share of the bytes that a client of one version downloads of the next: the blobs that it does not have. */
export function sentBlobs(before: Layout, after: Layout): number {
  return sent(before, after, ({ blob }) => blob);
}

/** Returns that share where layers count as equal that have the same contents: as if no times of files differed. */
export function sentContents(before: Layout, after: Layout): number {
  return sent(before, after, contentOf);
}

function sent(before: Layout, after: Layout, keyOf: (layer: LaidLayer) => string): number {
  const have = new Set(before.layers.map(keyOf));
  const total = after.layers.reduce((sum, { bytes }) => sum + bytes, 0);
  return after.layers.reduce((sum, layer) => sum + (have.has(keyOf(layer)) ? 0 : layer.bytes), 0) / total;
}

function contentOf({ contents }: LaidLayer): string {
  return [...contents]
    .map(([name, digest]) => `${name}@${digest}`)
    .sort()
    .join('\n');
}
