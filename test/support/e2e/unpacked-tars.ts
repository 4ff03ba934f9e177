import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage } from '../image-builder.ts';
import { runToEnd } from './programs.ts';
import { type Listing, listRootfs } from './rootfs-listing.ts';

/**
 * Unpacks layers, lowest first, with umoci in a new folder below `work`. Returns the root filesystem, or umoci's
 * last lines where it refuses them.
 */
export async function unpackTars(
  tars: readonly Uint8Array[],
  work: string,
): Promise<{ readonly rootfs: Listing } | { readonly refusal: string }> {
  const folder = join(work, 'unpacked');
  await rm(folder, { recursive: true, force: true });
  const { descriptor, blobs } = buildImage({ layers: tars, compress: 'none' });
  const stored = join(folder, 'layout', 'blobs', 'sha256');
  await mkdir(stored, { recursive: true });
  for (const [digest, bytes] of blobs) await writeFile(join(stored, digest.replace('sha256:', '')), bytes);
  const { platform: _, ...named } = descriptor;
  const annotations = { 'org.opencontainers.image.ref.name': 'v1' };
  const index = { schemaVersion: 2, manifests: [{ ...named, annotations }] };
  await writeFile(join(folder, 'layout', 'index.json'), JSON.stringify(index));
  await writeFile(join(folder, 'layout', 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const rootfs = join(folder, 'rootfs');
  const { status, stderr } = await runToEnd('umoci', [
    'raw',
    'unpack',
    '--image',
    `${join(folder, 'layout')}:v1`,
    rootfs,
  ]);
  if (status !== 0) return { refusal: stderr };
  return { rootfs: await listRootfs(rootfs) };
}
