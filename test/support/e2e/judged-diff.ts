/**
 * Judges what `ocislim diff` says of two images: skopeo pulls both, umoci unpacks them, Python lists them, and the listings are
 * compared. The tests of real images call it.
 */
import { join } from 'node:path';
import { expect } from 'vitest';
import { diffSchema } from '../../../src/report/diff/schema.ts';
import { ocislim } from './cli.ts';
import { fetchedBlobs } from './docker-registry.ts';
import { openLayout, plainLayout, pull, unpack } from './judge.ts';
import { removeFolder, workFolder } from './programs.ts';
import type { RealImage } from './real-image.ts';
import { listRootfs, type Listing } from './rootfs-listing.ts';

type Listed = NonNullable<Listing extends ReadonlyMap<string, infer Entry> ? Entry : never>;

/** Lists what programs of others unpack of an image. */
export async function listImage(reference: string): Promise<Listing> {
  const work = workFolder('diff');
  try {
    await pull(`docker://${reference}`, join(work, 'layout'));
    await plainLayout(await openLayout(join(work, 'layout')), join(work, 'plain'));
    await unpack(join(work, 'plain'), join(work, 'rootfs'));
    return await listRootfs(join(work, 'rootfs'));
  } finally {
    removeFolder(work);
  }
}

/** The attributes of a file that a diff lists. The time of a directory depends on what the program that unpacks does in it. */
function attributesOf({ type, mode, uid, gid, size, mtime, device, target, sha256, xattrs }: Listed): string {
  return JSON.stringify([
    type,
    mode,
    uid,
    gid,
    target,
    device,
    xattrs,
    ...(type === 'dir' ? [] : [size, mtime, sha256]),
  ]);
}

/** Asserts that a diff of two images lists exactly what two listings say. */
export async function expectDiff(
  [a, b]: readonly [reference: string, reference: string],
  [before, after]: readonly [Listing, Listing],
): Promise<void> {
  const { status, stdout, stderr } = await ocislim(['diff', a, b, '--format', 'json', '--progress', 'none']);
  expect(status, stderr).toBe(0);
  const files = onlyPlatform(stdout).files ?? [];
  const pathsOf = (...changes: string[]) =>
    files
      .filter(({ change }) => changes.includes(change))
      .map(pathIn)
      .sort();
  expect(pathsOf('removed')).toEqual([...before.keys()].filter((path) => !after.has(path)).sort());
  expect(pathsOf('added')).toEqual([...after.keys()].filter((path) => !before.has(path)).sort());
  const differing = [...before].flatMap(([path, was]) => {
    const is = after.get(path);
    return is === undefined || attributesOf(was) === attributesOf(is) ? [] : [path];
  });
  expect(files.filter(isJudged).map(pathIn).sort()).toEqual(differing.sort());
}

type DiffedPlatform = ReturnType<typeof diffSchema.parse>['platforms'][number];
type DiffedFile = NonNullable<DiffedPlatform['files']>[number];

function onlyPlatform(json: string): DiffedPlatform {
  const { platforms } = diffSchema.parse(JSON.parse(json));
  expect(platforms).toHaveLength(1);
  return platforms[0] as DiffedPlatform;
}

function pathIn({ path, pathBase64 }: DiffedFile): string {
  return pathBase64 === undefined
    ? Buffer.from(path).toString('latin1')
    : Buffer.from(pathBase64, 'base64').toString('latin1');
}

/** Returns whether both images have a path, and it differs in something that the listings show: no names of owners, holes or links. */
function isJudged({ change, a, details }: DiffedFile): boolean {
  if (change !== 'changed' && change !== 'attributes') return false;
  return details.some(({ what, a: was, b: is }) => {
    if (what === 'mtime') return a?.kind !== 'directory';
    if (what === 'owner') return was.split(' ')[0] !== is.split(' ')[0];
    return what !== 'sparse' && what !== 'links';
  });
}

/** Asserts that skopeo, which has the blobs of A in a layout, fetches as many bytes for B as the diff says. */
export async function expectDownload({ registry, source }: RealImage, base: string): Promise<void> {
  const layout = join(workFolder('download'), 'layout');
  try {
    await pull(`docker://${base}`, layout);
    const { requests } = await registry.during(() => pull(`docker://${source}`, layout));
    const fetched = fetchedBlobs(requests);
    const { manifest } = await openLayout(layout);
    const sizes = new Map([manifest.config, ...manifest.layers].map(({ digest, size }) => [digest, size]));
    const bytes = [...fetched].reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0);
    const { stdout } = await ocislim([
      'diff',
      base,
      source,
      '--summary',
      '--format',
      'json',
      '--progress',
      'none',
    ]);
    const { downloads } = onlyPlatform(stdout);
    expect(downloads[0]).toMatchObject({ model: 'blob', transferBytes: bytes });
    expect(bytes).toBeGreaterThan(0);
  } finally {
    removeFolder(join(layout, '..'));
  }
}
