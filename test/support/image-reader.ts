/**
 * Reads images out of layouts and memory, and validates them, without a line of the code that is tested. What `npm
 * test` writes is judged here; the end-to-end tests have programs of others as judges.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import type { BlobDescriptor, BlobMap } from './image-builder.ts';
import { type ModelEntry, readTar, readWholeTar } from './model/tar-reader.ts';

/** An image taken apart: its parsed documents, and its layers, decompressed and read. */
export type ReadImage = {
  readonly descriptor: BlobDescriptor;
  readonly manifest: ManifestDocument;
  readonly config: ConfigDocument;
  /** The decompressed layers, lowest first. */
  readonly tars: readonly Uint8Array[];
  /** The layers as entries, which `applyLayers` takes. */
  readonly layers: readonly (readonly ModelEntry[])[];
};

export type ManifestDocument = {
  readonly schemaVersion: number;
  readonly mediaType?: string;
  readonly config: BlobDescriptor;
  readonly layers: readonly BlobDescriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: BlobDescriptor;
};

export type ConfigDocument = {
  readonly os: string;
  readonly architecture: string;
  readonly created?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly rootfs: { readonly type: string; readonly diff_ids: readonly string[] };
  readonly history?: readonly {
    readonly empty_layer?: boolean;
    readonly created_by?: string;
    readonly created?: string;
    readonly comment?: string;
  }[];
};

type IndexDocument = {
  readonly schemaVersion: number;
  readonly mediaType?: string;
  readonly manifests: readonly BlobDescriptor[];
};

/** Blobs and the root to begin with: an OCI layout read into memory, or what `buildImage` returns. */
export type ImageSource = { readonly blobs: BlobMap; readonly descriptor: BlobDescriptor };

export type Selection = {
  /** The name in `index.json`; required where that has several. */
  readonly tag?: string;
  /** `os/architecture`; required where an index has several images. */
  readonly platform?: string;
};

/**
 * Reads an OCI layout into memory. Its root is the tag's manifest or index. @throws Error for a folder that is not
 * a layout, or has no such tag
 */
export async function openLayout(directory: string, tag?: string): Promise<ImageSource> {
  const layout = JSON.parse(await readFile(join(directory, 'oci-layout'), 'utf8')) as {
    imageLayoutVersion?: string;
  };
  if (layout.imageLayoutVersion !== '1.0.0') throw new Error('an unknown version of the OCI layout');
  const index = JSON.parse(await readFile(join(directory, 'index.json'), 'utf8')) as IndexDocument;
  const named = index.manifests.filter(
    ({ annotations }) => tag === undefined || annotations?.['org.opencontainers.image.ref.name'] === tag,
  );
  const [descriptor] = named;
  if (descriptor === undefined || named.length > 1)
    throw new Error(`${named.length} manifests for ${tag ?? 'no tag'}`);
  const blobs = new Map<string, Uint8Array>();
  for (const algorithm of await readdir(join(directory, 'blobs'))) {
    for (const encoded of await readdir(join(directory, 'blobs', algorithm))) {
      blobs.set(
        `${algorithm}:${encoded}`,
        new Uint8Array(await readFile(join(directory, 'blobs', algorithm, encoded))),
      );
    }
  }
  return { blobs, descriptor };
}

/** Reads one image of an OCI layout. @throws Error with the problems that `validateImage` finds */
export async function readImage(directory: string, selection: Selection = {}): Promise<ReadImage> {
  const source = await openLayout(directory, selection.tag);
  return readImageFrom(source, selection.platform);
}

/** Reads one image of what is in memory. @throws Error with the problems that `validateImage` finds */
export function readImageFrom(source: ImageSource, platform?: string): ReadImage {
  const descriptor = chooseImage(source, platform);
  const problems = validateImage({ ...source, descriptor });
  if (problems.length > 0) throw new Error(`no valid image:\n${problems.join('\n')}`);
  const manifest = documentOf(source.blobs, descriptor) as ManifestDocument;
  const tars = manifest.layers.map((layer) => decompressed(blobOf(source.blobs, layer)).tar);
  return {
    descriptor,
    manifest,
    config: documentOf(source.blobs, manifest.config) as ConfigDocument,
    tars,
    layers: tars.map(readTar),
  };
}

function chooseImage({ blobs, descriptor }: ImageSource, platform: string | undefined): BlobDescriptor {
  if (!isIndex(descriptor.mediaType)) return descriptor;
  const candidates = (documentOf(blobs, descriptor) as IndexDocument).manifests.filter((child) => {
    if (child.annotations?.['vnd.docker.reference.type'] !== undefined) return false;
    return platform === undefined || `${child.platform?.os}/${child.platform?.architecture}` === platform;
  });
  const [child] = candidates;
  if (child === undefined || candidates.length > 1) {
    throw new Error(`${candidates.length} images for ${platform ?? 'no platform'}`);
  }
  return chooseImage({ blobs, descriptor: child }, platform);
}

function blobOf(blobs: BlobMap, descriptor: BlobDescriptor): Uint8Array {
  const bytes = blobs.get(descriptor.digest);
  if (bytes === undefined) throw new Error(`no blob ${descriptor.digest}`);
  return bytes;
}

function documentOf(blobs: BlobMap, descriptor: BlobDescriptor): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(blobOf(blobs, descriptor)));
}

type Decompressed = {
  readonly tar: Uint8Array;
  readonly by: 'none' | 'gzip' | 'zstd';
  readonly left: number;
};

/** Decompresses a layer blob by its own magic. `left` counts the bytes after the end of the compressed stream. */
function decompressed(blob: Uint8Array): Decompressed {
  if (blob[0] === 0x1f && blob[1] === 0x8b) {
    // With `info`, Node also returns the engine, which knows how much of the input was gzip.
    const { buffer, engine } = gunzipSync(blob, { info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return { tar: new Uint8Array(buffer), by: 'gzip', left: blob.length - engine.bytesWritten };
  }
  const magic = blob.length < 4 ? 0 : new DataView(blob.buffer, blob.byteOffset, 4).getUint32(0, true);
  if (magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
    return { tar: unzstd(blob), by: 'zstd', left: 0 };
  }
  return { tar: blob, by: 'none', left: 0 };
}

export type ValidateOptions = {
  /**
   * Whether every tar must be complete: two zero blocks at the end, a multiple of 512 bytes, nothing after it.
   * Default: no.
   */
  readonly completeTars?: boolean;
};

const MANIFESTS: Readonly<Record<string, 'oci' | 'docker'>> = {
  'application/vnd.oci.image.manifest.v1+json': 'oci',
  'application/vnd.docker.distribution.manifest.v2+json': 'docker',
};
const INDEXES: Readonly<Record<string, 'oci' | 'docker'>> = {
  'application/vnd.oci.image.index.v1+json': 'oci',
  'application/vnd.docker.distribution.manifest.list.v2+json': 'docker',
};
const CONFIGS: Readonly<Record<string, 'oci' | 'docker'>> = {
  'application/vnd.oci.image.config.v1+json': 'oci',
  'application/vnd.docker.container.image.v1+json': 'docker',
};
const LAYERS: Readonly<Record<string, readonly ['oci' | 'docker', 'none' | 'gzip' | 'zstd']>> = {
  'application/vnd.oci.image.layer.v1.tar': ['oci', 'none'],
  'application/vnd.oci.image.layer.v1.tar+gzip': ['oci', 'gzip'],
  'application/vnd.oci.image.layer.v1.tar+zstd': ['oci', 'zstd'],
  'application/vnd.oci.image.layer.nondistributable.v1.tar': ['oci', 'none'],
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip': ['oci', 'gzip'],
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd': ['oci', 'zstd'],
  'application/vnd.docker.image.rootfs.diff.tar': ['docker', 'none'],
  'application/vnd.docker.image.rootfs.diff.tar.gzip': ['docker', 'gzip'],
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': ['docker', 'gzip'],
};

function isIndex(mediaType: string): boolean {
  return INDEXES[mediaType] !== undefined;
}

/**
 * Returns everything wrong with one image, a line each: digests, sizes, media types of different families,
 * compression that is not the media type's, DiffIDs, the number of history rows, tars that do not read.
 */
export function validateImage(source: ImageSource, options: ValidateOptions = {}): string[] {
  const problems: string[] = [];
  const { blobs, descriptor } = source;
  const bytes = checkBlob(blobs, descriptor, 'manifest', problems);
  const manifest = bytes && (parsed(bytes, 'manifest', problems) as ManifestDocument | undefined);
  if (manifest === undefined) return problems;

  const family = MANIFESTS[descriptor.mediaType];
  if (family === undefined) problems.push(`manifest: ${descriptor.mediaType} is no manifest`);
  if (manifest.schemaVersion !== 2) problems.push(`manifest: schemaVersion ${manifest.schemaVersion}`);
  if (!Array.isArray(manifest.layers)) return [...problems, 'manifest: has no layers'];
  if (
    manifest.mediaType !== descriptor.mediaType &&
    !(family === 'oci' && manifest.mediaType === undefined)
  ) {
    problems.push(`manifest: calls itself ${manifest.mediaType}, its descriptor ${descriptor.mediaType}`);
  }
  if ('manifests' in manifest) problems.push('manifest: has manifests, as an index');
  if (CONFIGS[manifest.config?.mediaType] !== family) {
    problems.push(`config: ${manifest.config?.mediaType} in a manifest of family ${family}`);
  }
  const configBytes = checkBlob(blobs, manifest.config, 'config', problems);
  const config = configBytes && (parsed(configBytes, 'config', problems) as ConfigDocument | undefined);
  const diffIds = config?.rootfs?.diff_ids ?? [];
  if (config !== undefined) checkConfig(config, manifest, descriptor, problems);

  for (const [i, layer] of manifest.layers.entries()) {
    const where = `layer ${i + 1}`;
    const blob = checkBlob(blobs, layer, where, problems);
    const type = LAYERS[layer.mediaType];
    if (type?.[0] !== family) problems.push(`${where}: ${layer.mediaType} in a manifest of family ${family}`);
    if (blob !== undefined) checkLayer(blob, type?.[1], diffIds[i], where, options, problems);
  }
  return problems;
}

function checkConfig(
  config: ConfigDocument,
  manifest: ManifestDocument,
  descriptor: BlobDescriptor,
  problems: string[],
): void {
  if (config.rootfs?.type !== 'layers') problems.push(`config: rootfs.type is ${config.rootfs?.type}`);
  const count = config.rootfs?.diff_ids?.length;
  if (count !== manifest.layers.length)
    problems.push(`config: ${count} DiffIDs for ${manifest.layers.length} layers`);
  if (!config.os || !config.architecture) problems.push('config: no os or no architecture');
  const { platform } = descriptor;
  if (
    platform !== undefined &&
    (platform.os !== config.os || platform.architecture !== config.architecture)
  ) {
    problems.push(`config: not for ${platform.os}/${platform.architecture}, as its descriptor says`);
  }
  if (config.history !== undefined) {
    const rows = config.history.filter((row) => row.empty_layer !== true).length;
    if (rows !== manifest.layers.length) {
      problems.push(`config: ${rows} history rows with a layer for ${manifest.layers.length} layers`);
    }
  }
}

function checkLayer(
  blob: Uint8Array,
  compression: 'none' | 'gzip' | 'zstd' | undefined,
  diffId: string | undefined,
  where: string,
  options: ValidateOptions,
  problems: string[],
): void {
  try {
    const { tar, by, left } = decompressed(blob);
    if (by !== compression) problems.push(`${where}: is ${by}, its media type says ${compression}`);
    if (left > 0) problems.push(`${where}: ${left} bytes after the end of the gzip stream`);
    const actual = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
    if (actual !== diffId) problems.push(`${where}: DiffID ${actual}, the config says ${diffId}`);
    const reading = readWholeTar(tar);
    if (options.completeTars === true && !reading.complete)
      problems.push(`${where}: its tar has no proper end`);
    if (options.completeTars === true && reading.trailing.length > 0) {
      problems.push(`${where}: bytes after the end of its tar`);
    }
  } catch (error) {
    problems.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Returns everything wrong with an image, or with an index and all below it. Attestations must name an image of
 * their index, and are not read as images.
 */
export function validateTree(source: ImageSource, options: ValidateOptions = {}): string[] {
  if (!isIndex(source.descriptor.mediaType)) return validateImage(source, options);
  const problems: string[] = [];
  const { blobs, descriptor } = source;
  const bytes = checkBlob(blobs, descriptor, 'index', problems);
  const index = bytes && (parsed(bytes, 'index', problems) as IndexDocument | undefined);
  if (index === undefined) return problems;
  const family = INDEXES[descriptor.mediaType];
  if (index.schemaVersion !== 2) problems.push(`index: schemaVersion ${index.schemaVersion}`);
  if (index.mediaType !== descriptor.mediaType && !(family === 'oci' && index.mediaType === undefined)) {
    problems.push(`index: calls itself ${index.mediaType}, its descriptor ${descriptor.mediaType}`);
  }
  for (const key of ['config', 'layers']) if (key in index) problems.push(`index: has ${key}, as a manifest`);
  for (const [i, child] of index.manifests.entries()) {
    const where = `child ${i + 1}`;
    const subject = child.annotations?.['vnd.docker.reference.digest'];
    if (child.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest') {
      if (!index.manifests.some((other) => other.digest === subject)) {
        problems.push(`${where}: attests ${subject}, which the index does not have`);
      }
      for (const problem of validateAttestation({ blobs, descriptor: child }))
        problems.push(`${where}: ${problem}`);
      continue;
    }
    if (
      isIndex(child.mediaType) ? INDEXES[child.mediaType] !== family : MANIFESTS[child.mediaType] !== family
    ) {
      problems.push(`${where}: ${child.mediaType} in an index of family ${family}`);
    }
    for (const problem of validateTree({ blobs, descriptor: child }, options))
      problems.push(`${where}: ${problem}`);
  }
  return problems;
}

function validateAttestation({ blobs, descriptor }: ImageSource): string[] {
  const problems: string[] = [];
  const bytes = checkBlob(blobs, descriptor, 'attestation', problems);
  const manifest = bytes && (parsed(bytes, 'attestation', problems) as ManifestDocument | undefined);
  for (const blob of manifest === undefined ? [] : [manifest.config, ...manifest.layers]) {
    checkBlob(blobs, blob, 'attestation blob', problems);
  }
  return problems;
}

function checkBlob(
  blobs: BlobMap,
  descriptor: BlobDescriptor | undefined,
  where: string,
  problems: string[],
): Uint8Array | undefined {
  if (descriptor === undefined) {
    problems.push(`${where}: no descriptor`);
    return undefined;
  }
  const bytes = blobs.get(descriptor.digest);
  if (bytes === undefined) {
    problems.push(`${where}: no blob ${descriptor.digest}`);
    return undefined;
  }
  if (bytes.length !== descriptor.size)
    problems.push(`${where}: ${bytes.length} bytes, said to be ${descriptor.size}`);
  const [algorithm = '', encoded] = descriptor.digest.split(':');
  if (algorithm !== 'sha256' && algorithm !== 'sha512') {
    problems.push(`${where}: an unknown digest ${descriptor.digest}`);
    return bytes;
  }
  if (createHash(algorithm).update(bytes).digest('hex') !== encoded) {
    problems.push(`${where}: the bytes are not those of ${descriptor.digest}`);
  }
  return bytes;
}

function parsed(bytes: Uint8Array, where: string, problems: string[]): object | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    problems.push(`${where}: no JSON object`);
  } catch (error) {
    problems.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return undefined;
}
