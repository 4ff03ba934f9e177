/**
 * What is done to each real image. One file for each image calls `judgeRealImage`, so that they run side by side. CI does
 * each job to one of the images, another one each day; `npm run test:all` does every job to every image.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ocislim, rewrite } from '../../support/e2e/cli.ts';
import { uploadedBlobs } from '../../support/e2e/docker-registry.ts';
import { directoryTimes } from '../../support/e2e/judge.ts';
import { expectDiff, expectDownload, listImage } from '../../support/e2e/judged-diff.ts';
import { type JudgedImage, judgePacked } from '../../support/e2e/judged-image.ts';
import { expectNoWaste, isWhiteout, layerDigests, RealImage } from '../../support/e2e/real-image.ts';
import { removeFolder } from '../../support/e2e/programs.ts';
import { differences, type Listing, listRootfs } from '../../support/e2e/rootfs-listing.ts';
import { isWhole, paired, sample } from '../../support/extent.ts';

const names = ['nginx', 'node', 'python'] as const;

type Job = (image: RealImage) => Promise<void>;

const jobs: Readonly<Record<string, Job>> = {
  'squash --last 3': async (image) => {
    const { original } = image;
    const count = original.image.manifest.layers.length;
    const squashed = await image.rewrite('squash-last', ['squash', '--last', '3']);
    expect(layerDigests(squashed).slice(0, -1)).toEqual(layerDigests(original).slice(0, -3));
    image.expectUntouched(squashed.requests, (number) => number <= count - 3);
    expect(directoryTimes(squashed.layers)).toEqual(directoryTimes(original.layers));
  },

  'squash --layers 2..5, twice': async (image) => {
    const squashed = await image.rewrite('squash-layers', ['squash', '--layers', '2..5']);
    const before = layerDigests(image.original);
    expect(layerDigests(squashed)).toEqual([before[0], expect.any(String), ...before.slice(5)]);
    image.expectUntouched(squashed.requests, (number) => number < 2 || number > 5);
    const again = await rewrite(['squash', image.source, image.target('again'), '--layers', '2..5']);
    expect(again).toBe(squashed.digest);
  },

  'squash --all': async (image) => {
    const squashed = await image.rewrite('squash-all', ['squash', '--all']);
    expect(squashed.layers).toHaveLength(1);
    expectNoWaste(squashed);
  },

  'squash --base': async (image) => {
    const squashed = await image.rewrite('squash-base', ['squash', '--base', image.base]);
    expect(layerDigests(squashed)).toEqual([layerDigests(image.original)[0], expect.any(String)]);
    image.expectUntouched(squashed.requests, (number) => number === 1);
  },

  'prune --shadowed': async (image) => {
    const pruned = await image.rewrite('prune-shadowed', ['prune', '--shadowed']);
    expect(pruned.removed).toEqual(new Set());
    expect(pruned.layers).toHaveLength(image.original.layers.length);
    expectNoWaste(pruned);
  },

  'prune --preset apt-lists,apt-cache,docs,logs': async (image) => {
    const presets = ['--preset', 'apt-lists,apt-cache,docs,logs'];
    const pruned = await image.rewrite('prune-presets', ['prune', ...presets]);
    const gone = [...image.original.listing.keys()].filter((path) => !pruned.listing.has(path));
    expect(gone.length).toBeGreaterThan(0);
    const left = pruned.layers.flat().filter(({ kind, name }) => kind === '-' && !isWhiteout(name));
    expect(
      left.filter(({ name }) => /^var\/lib\/apt\/lists\/|^var\/cache\/apt\/.*\.deb$/.test(name)),
    ).toEqual([]);
    const copied = await ocislim(['copy', pruned.reference, image.target('copied')]);
    expect(copied.stdout).toContain(pruned.digest);
  },

  'prune --debug-tag and restore': async (image) => {
    const [slim, pruned] = await pruneToRestore(image);
    const whole = image.target('restored');
    const { requests } = await image.registry.during(() => rewrite(['restore', slim, whole]));
    for (const reference of [whole, slim.replace(':v1', ':debug')]) {
      const restored = await image.judge(reference);
      expect(differences(image.original.listing, restored.listing)).toEqual([]);
      expect(restored.said).toBe(image.original.said);
      expect(layerDigests(restored).slice(0, -1)).toEqual(layerDigests(pruned));
      expect((await ocislim(['verify', image.source, reference])).stdout).toContain('the same');
    }
    const uploaded = uploadedBlobs(requests);
    expect(layerDigests(pruned).filter((digest) => uploaded.has(digest))).toEqual([]);
  },

  'restore --path': async (image) => {
    const [slim, pruned] = await pruneToRestore(image);
    const gone = [...image.original.listing.keys()].filter((path) => !pruned.listing.has(path));
    const [wanted = ''] = gone.filter((path) => /^[\w/.-]+$/.test(path)).slice(-1);
    const part = image.target('partly');
    await rewrite(['restore', slim, part, '--path', wanted]);
    const back = await image.judge(part);
    const restored = gone.filter((path) => back.listing.has(path));
    expect(restored).toContain(wanted);
    expect(restored.length).toBeLessThan(gone.length);
  },

  slim: async (image) => {
    const slimmed = await image.rewrite('slim', ['slim']);
    expect(slimmed.digest).not.toBe('');
    const sizeOf = (judged: JudgedImage): number =>
      judged.image.manifest.layers.reduce((sum, { size }) => sum + size, 0);
    expect(sizeOf(slimmed)).toBeLessThan(sizeOf(image.original) * 0.8);
  },

  diff: async (image) => {
    const { source, base, original } = image;
    await expectDiff([base, source], [await listImage(base), original.listing]);
    const pruned = image.target('prune-to-diff');
    await rewrite(['prune', source, pruned, '--shadowed', '--preset', 'docs,setuid']);
    await expectDiff([source, pruned], [original.listing, await listImage(pruned)]);
    await expectDownload(image, base);
  },

  'extract / as root': async ({ source, work, original }) => {
    const folder = join(work, 'extracted');
    const all = ['--owners', '--setuid', '--devices', '--xattrs'];
    const { status, stderr } = await ocislim(['extract', source, '/', folder, ...all]);
    expect(status, stderr).toBe(0);
    const extracted = await listRootfs(folder);
    removeFolder(folder);
    // umoci changes the times of directories, and Node sets times to less than a microsecond.
    const comparable = (listing: Listing): Listing =>
      new Map(
        [...listing].map(([path, entry]) => {
          const mtime = entry.type === 'dir' ? '' : String(Math.round(Number(entry.mtime) / 1e6));
          return [path, { ...entry, mtime }];
        }),
      );
    expect(differences(comparable(original.listing), comparable(extracted))).toEqual([]);
    const times = [...directoryTimes(original.layers)].flatMap(([path, time]) => {
      const made = extracted.get(path);
      if (made?.type !== 'dir') return [];
      return [[path, Date.parse(`${time.replace(' ', 'T')}Z`) / 1000, Number(made.mtime) / 1e9] as const];
    });
    expect(times.filter(([, told, made]) => Math.floor(told) !== Math.floor(made))).toEqual([]);
    expect(times.length).toBeGreaterThan(100);
  },

  'recompress to zstd 3': (image) => recompress(image, 'zstd', '3'),
  'recompress to gzip 6': (image) => recompress(image, 'gzip', '6'),
  'recompress to none': (image) => recompress(image, 'none'),
};

/** Levels that take minutes, each tried on one image where everything is tested: what is judged is the way through, not the level. */
const slowJobs: readonly (readonly [image: (typeof names)[number], title: string, job: Job])[] = [
  ['nginx', 'recompress to zstd 19', (image) => recompress(image, 'zstd', '19')],
  ['node', 'recompress to zstd 12', (image) => recompress(image, 'zstd', '12')],
  ['python', 'recompress to gzip 10', (image) => recompress(image, 'gzip', '10')],
];

/** Milliseconds for a job at such a level. It only ends what hangs: beside other work, zstd 19 takes over ten minutes. */
const slowLimit = 3_600_000;

/** Prunes the image, with a debug image. Returns the reference of the slim image, and what it is to a container. */
async function pruneToRestore(image: RealImage): Promise<readonly [string, JudgedImage]> {
  const slim = image.target('to-restore');
  const presets = ['--preset', 'apt-lists,apt-cache,docs,logs,setuid', '--debug-tag', 'debug'];
  await rewrite(['prune', image.source, slim, ...presets]);
  const pruned = await image.judge(slim);
  expect(differences(image.original.listing, pruned.listing)).not.toEqual([]);
  return [slim, pruned];
}

const mediaTypes = { zstd: /^application\/vnd\.oci\..*\+zstd$/, gzip: /\+gzip$/, none: /\.tar$/ };

async function recompress(
  image: RealImage,
  compression: keyof typeof mediaTypes,
  level?: string,
): Promise<void> {
  const { source, original, work } = image;
  const reference = image.target(`recompress-${compression}-${level ?? 'plain'}`);
  const levels = level === undefined ? [] : ['--level', level];
  await rewrite(['recompress', '--compression', compression, ...levels, source, reference]);
  const packed = await judgePacked(`docker://${reference}`, work);
  expect(packed.image.config.rootfs.diff_ids).toEqual(original.image.config.rootfs.diff_ids);
  expect(differences(original.listing, packed.listing)).toEqual([]);
  expect(packed.said).toBe(original.said);
  const big = packed.image.manifest.layers.filter(({ size }) => size > 1_000_000);
  for (const { mediaType } of big) expect(mediaType).toMatch(mediaTypes[compression]);
  expect(big.length).toBeGreaterThan(1);
}

/** Runs the jobs of today on a real image, from docker-registry to docker-registry, judged by programs of others. */
export function judgeRealImage(name: (typeof names)[number]): void {
  let image: RealImage;

  beforeAll(async () => {
    image = await RealImage.open(inject('images'), name);
  });

  afterAll(() => image?.close());

  it('was built with waste', () => {
    const { layers, image: built } = image.original;
    const files = layers.flat().filter(({ kind }) => kind === '-');
    expect(files.some(({ name }) => /^var\/cache\/apt\/archives\/.*\.deb$/.test(name))).toBe(true);
    expect(files.filter(({ name }) => name === 'app/run.sh').length).toBeGreaterThan(1);
    expect(built.manifest.layers.length).toBeGreaterThanOrEqual(11);
  });

  // Half of those that meet this image today: within six days each has met it.
  const chosen = sample(paired(Object.entries(jobs), names.indexOf(name), names.length), 2);
  it.each(chosen)('%s gives an image that the judges approve', (_, job) => job(image));

  const slow = isWhole ? slowJobs.flatMap(([on, ...row]) => (on === name ? [row] : [])) : [];
  it.each(slow)('%s gives an image that the judges approve', (_, job) => job(image), slowLimit);
}
