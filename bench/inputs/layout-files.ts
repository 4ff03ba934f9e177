import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerFile } from '../works/work.ts';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The members of a manifest that the benchmark looks at. */
export interface ManifestFile {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

function blobFile(layout: string, digest: string): string {
  return join(layout, 'blobs', ...digest.split(':'));
}

export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/**
 * Reads the manifest of the tag v1 of a layout, or of its only image. @throws Error for a layout without such an
 * image
 */
export function readManifest(layout: string): ManifestFile {
  const { manifests } = readJson(join(layout, 'index.json')) as {
    readonly manifests: readonly Descriptor[];
  };
  const tagged = manifests.find(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === 'v1',
  );
  const descriptor = tagged ?? (manifests.length === 1 ? manifests[0] : undefined);
  if (descriptor === undefined) throw new Error(`${layout} has no image v1`);
  const manifest = readJson(blobFile(layout, descriptor.digest)) as Partial<ManifestFile>;
  if (manifest.layers === undefined || manifest.config === undefined)
    throw new Error(`${layout}: v1 is not the manifest of one image`);
  return { config: manifest.config, layers: manifest.layers };
}

/** Returns the layers of an image as files, the lowest first. @throws Error where a blob is missing */
export function readLayers(layout: string): readonly LayerFile[] {
  return readManifest(layout).layers.map(({ digest, size, mediaType }) => {
    const file = blobFile(layout, digest);
    if (!existsSync(file)) throw new Error(`${layout} lacks ${digest}`);
    const compression = mediaType.endsWith('zstd') ? 'zstd' : mediaType.endsWith('gzip') ? 'gzip' : 'none';
    return { file, size, compression };
  });
}
