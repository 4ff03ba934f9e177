/**
 * The judges of the end-to-end tests: skopeo, umoci, pigz, zstd, GNU tar and bubblewrap. Whatever ocislim writes to
 * a registry or layout is read back by these, not by its own code.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run, runToEnd } from './programs.ts';
import { MiB } from '../../../src/units.ts';

/** The members of a manifest that the tests look at, for both families. */
export interface JudgedManifest {
  readonly mediaType?: string;
  readonly config: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[];
}

export interface JudgedConfig {
  readonly rootfs: { readonly diff_ids: readonly string[] };
  readonly history?: readonly {
    readonly empty_layer?: boolean;
    readonly created_by?: string;
    readonly comment?: string;
  }[];
}

const insecure = ['--insecure-policy', 'copy', '--quiet'];

/** `name:password`, where a registry demands one. */
export type Credentials = string | undefined;

/** Copies an image (any transport of skopeo's) into a registry on loopback, its manifest unchanged. */
export async function push(source: string, reference: string, credentials?: Credentials): Promise<void> {
  const creds = credentials === undefined ? [] : ['--dest-creds', credentials];
  await run('skopeo', [...insecure, '--dest-tls-verify=false', ...creds, source, `docker://${reference}`]);
}

/** Copies an image (any transport of skopeo's) into an OCI layout, tag `v1`. skopeo verifies digests and sizes. */
export async function pull(source: string, layout: string, credentials?: Credentials): Promise<void> {
  const creds = credentials === undefined ? [] : ['--src-creds', credentials];
  // skopeo takes the plain layers of a docker save archive for gzip, and would label them so.
  const asTheyAre = source.startsWith('docker-archive:') ? [] : ['--dest-oci-accept-uncompressed-layers'];
  const flags = ['--src-tls-verify=false', ...asTheyAre, ...creds];
  await run('skopeo', [...insecure, ...flags, source, `oci:${layout}:v1`]);
}

/** Returns the manifest as the registry has it. */
export async function inspectRaw(reference: string, credentials?: Credentials): Promise<JudgedManifest> {
  const creds = credentials === undefined ? [] : ['--creds', credentials];
  const flags = ['--insecure-policy', 'inspect', '--raw', '--tls-verify=false', ...creds];
  return JSON.parse(await run('skopeo', [...flags, `docker://${reference}`])) as JudgedManifest;
}

/** An image in a layout: its manifest, its config and the folder of its layers. */
export interface LayoutImage {
  readonly layout: string;
  readonly manifest: JudgedManifest;
  readonly config: JudgedConfig;
}

export async function openLayout(layout: string): Promise<LayoutImage> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
    manifests: { digest: string; annotations?: Record<string, string> }[];
  };
  const named = index.manifests.find(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === 'v1',
  );
  if (named === undefined) throw new Error(`${layout} has no image v1`);
  const manifest = JSON.parse(await readFile(blobPath(layout, named.digest), 'utf8')) as JudgedManifest;
  const config = JSON.parse(await readFile(blobPath(layout, manifest.config.digest), 'utf8')) as JudgedConfig;
  return { layout, manifest, config };
}

function blobPath(layout: string, digest: string): string {
  return join(layout, 'blobs', ...digest.split(':'));
}

/**
 * Writes the image with plain tar layers, decompressed by pigz and zstd, each checked against its DiffID. umoci
 * reads plain layers faster than gzip ones, and umoci 0.4.7 cannot read zstd layers at all.
 */
export async function plainLayout(image: LayoutImage, folder: string): Promise<LayoutImage> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const layers = [];
  for (const [i, layer] of image.manifest.layers.entries()) {
    const tar = join(blobs, 'unpacking');
    const input = blobPath(image.layout, layer.digest);
    if (layer.mediaType.endsWith('gzip')) await run('pigz', ['-dc'], { input, output: tar });
    else if (layer.mediaType.endsWith('zstd'))
      await run('zstd', ['-dcq', '--long=27'], { input, output: tar });
    else await run('cat', [], { input, output: tar });
    const { digest, size } = await hashFile(tar);
    const diffId = image.config.rootfs.diff_ids[i];
    if (digest !== diffId) throw new Error(`layer ${i + 1} unpacks to ${digest}; its config says ${diffId}`);
    await rename(tar, blobPath(folder, digest));
    layers.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size });
  }
  if (image.config.rootfs.diff_ids.length !== layers.length)
    throw new Error('the config has more DiffIDs than there are layers');
  const config = await readFile(blobPath(image.layout, image.manifest.config.digest));
  await writeFile(blobPath(folder, image.manifest.config.digest), config);
  const manifest = { schemaVersion: 2, config: image.manifest.config, layers };
  const bytes = JSON.stringify(manifest);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  await writeFile(blobPath(folder, digest), bytes);
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const annotations = { 'org.opencontainers.image.ref.name': 'v1' };
  const index = { schemaVersion: 2, manifests: [{ mediaType, digest, size: bytes.length, annotations }] };
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return { layout: folder, manifest, config: image.config };
}

async function hashFile(path: string): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(createReadStream(path, { highWaterMark: MiB }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      size += chunk.length;
      hash.update(chunk);
    }
  });
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/** Unpacks the image `v1` of a layout with plain or gzip layers. umoci checks every layer against its DiffID. */
export async function unpack(layout: string, rootfs: string): Promise<void> {
  await run('umoci', ['raw', 'unpack', '--image', `${layout}:v1`, rootfs]);
}

const isolation = [
  ['--unshare-pid', '--unshare-net', '--unshare-ipc', '--die-with-parent', '--cap-add', 'ALL'],
  ['--clearenv', '--setenv', 'PATH', '/usr/sbin:/usr/bin:/sbin:/bin'],
].flat();

/**
 * Runs `/app/run.sh` of a root filesystem, and returns its output. The script may write to the root filesystem.
 * @throws Error when it fails
 */
export async function runApp(rootfs: string): Promise<string> {
  const mounts = ['--bind', rootfs, '/', '--proc', '/proc', '--dev', '/dev'];
  const { status, signal, stdout, stderr } = await runToEnd('bwrap', [
    ...mounts,
    ...isolation,
    '/app/run.sh',
  ]);
  const said = stdout + stderr;
  if (status !== 0) throw new Error(`/app/run.sh ended with ${status ?? signal}\n${said}`);
  return said;
}

/** One entry of a layer, as GNU tar lists it. */
export interface ShownEntry {
  /** The first letter of its `ls -l` line: `-` for a file, `h` for a hard link, `d`, `l`, `c`, `b`, `p`. */
  readonly kind: string;
  /** The name, quoted in tar's `escape` style, without `./` before it and `/` after it. */
  readonly name: string;
  /** Date and time in UTC, with as many digits as they need. */
  readonly mtime: string;
}

/**
 * Lists the entries of each layer of a plain layout, lowest layer first. Layers named in `untidy` (by DiffID) may
 * lack their end blocks, as umoci writes them. @throws Error when tar dislikes another one
 */
export async function layerEntries(
  plain: LayoutImage,
  untidy: ReadonlySet<string> = new Set(),
): Promise<ShownEntry[][]> {
  const layers = [];
  for (const { digest } of plain.manifest.layers) {
    const flags = ['--quoting-style=escape', '--full-time', '--numeric-owner', '-tvf'];
    const tar = blobPath(plain.layout, digest);
    const { status, stdout, stderr } = await runToEnd('tar', [...flags, tar], { env: { TZ: 'UTC' } });
    if (status !== 0 && !untidy.has(digest)) throw new Error(`tar -t of the layer ${digest}: ${stderr}`);
    const entries = [];
    for (const line of stdout.split('\n')) {
      // tar pads times from the first fraction on.
      const match = /^(.)\S* +\S+ +\S+ (\S+ \S+) +(.*)$/.exec(line);
      if (match === null) continue;
      const [, kind = '', mtime = '', shown = ''] = match;
      const name = shown.replace(kind === 'l' ? / -> .*$/ : kind === 'h' ? / link to .*$/ : /$/, '');
      entries.push({ kind, mtime, name: name.replace(/^\.\//, '').replace(/\/$/, '') });
    }
    layers.push(entries);
  }
  return layers;
}

/**
 * Returns the time of each directory by the layers: that of its last entry. The unpacked directories do not tell,
 * because umoci changes the time of a directory when a later layer removes something from it.
 */
export function directoryTimes(layers: readonly (readonly ShownEntry[])[]): ReadonlyMap<string, string> {
  const times = new Map<string, string>();
  for (const entries of layers)
    for (const { kind, name, mtime } of entries) if (kind === 'd') times.set(name, mtime);
  return times;
}
