import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ocislim, removedPaths, rewrite } from '../../support/e2e/cli.ts';
import {
  DockerRegistry,
  fetchedBlobs,
  mountedBlobs,
  uploadedBlobs,
  type LoggedRequest,
} from '../../support/e2e/docker-registry.ts';
import { directoryTimes, openLayout, push } from '../../support/e2e/judge.ts';
import { judgeImage, judgePacked, untidyLayers, type JudgedImage } from '../../support/e2e/judged-image.ts';
import { removeFolder, workFolder } from '../../support/e2e/programs.ts';
import { differences } from '../../support/e2e/rootfs-listing.ts';

const isWhiteout = (name: string): boolean => /(?:^|\/)\.wh\.[^/]*$/.test(name);

/** Each compression on two images, and the levels that take minutes on one: what is judged is the way through, not the level. */
const packings = {
  nginx: ['zstd 3', 'zstd 19', 'gzip 6'],
  node: ['zstd 3', 'gzip 6', 'none'],
  python: ['zstd 12', 'gzip 10', 'none'],
};

/**
 * Everything that is done to each real image, from docker-registry to docker-registry, judged by programs of other people.
 * One file for each image calls this, so that they run side by side.
 */
export function judgeRealImage(name: keyof typeof packings): void {
  const images = inject('images');
  let work: string;
  let registry: DockerRegistry;
  let source: string;
  let base: string;
  let original: JudgedImage;
  let untidy: ReadonlySet<string>;

  beforeAll(async () => {
    work = workFolder(name);
    registry = await DockerRegistry.start();
    source = `${registry.host}/real/${name}:v1`;
    base = `${registry.host}/real/${name}-base:v1`;
    await push(`oci:${images}/${name}:v1`, source);
    await push(`oci:${images}/${name}-base:v1`, base);
    untidy = untidyLayers((await openLayout(join(images, name))).config);
    expect(untidy.size).toBe(1);
    original = await judgeImage(`docker://${source}`, work, untidy);
    expect(original.said).not.toBe('');
  });

  afterAll(async () => {
    await registry?.stop();
    removeFolder(work);
  });

  interface Rewritten extends JudgedImage {
    readonly digest: string;
    readonly reference: string;
    readonly removed: ReadonlySet<string>;
    readonly requests: readonly LoggedRequest[];
  }

  /** Does one job from the registry to the same registry, and holds the result against the original in everything. */
  async function shown(job: string, [command = '', ...args]: readonly string[]): Promise<Rewritten> {
    const reference = `${registry.host}/out/${job}:v1`;
    const report = join(work, `${job}.json`);
    const { result: digest, requests } = await registry.during(() =>
      rewrite([command, source, reference, ...args, '--report', report]),
    );
    const removed = await removedPaths(report);
    const judged = await judgeImage(`docker://${reference}`, work, untidy);
    expect(differences(original.listing, judged.listing, removed)).toEqual([]);
    expect(judged.said).toBe(original.said);
    return { ...judged, digest, reference, removed, requests };
  }

  /** The layers numbered so were neither read nor sent: at most mounted. */
  function expectUntouched(requests: readonly LoggedRequest[], numbers: (number: number) => boolean): void {
    const { layers } = original.image.manifest;
    // An empty layer may be in the image twice.
    const touched = new Set(layers.filter((_, i) => !numbers(i + 1)).map(({ digest }) => digest));
    const outside = layers.filter(({ digest }, i) => numbers(i + 1) && !touched.has(digest));
    expect(outside.length).toBeGreaterThan(0);
    const [fetched, uploaded, mounted] = [
      fetchedBlobs(requests),
      uploadedBlobs(requests),
      mountedBlobs(requests),
    ];
    for (const { digest } of outside) {
      expect(fetched, `fetched ${digest}`).not.toContain(digest);
      expect(uploaded, `uploaded ${digest}`).not.toContain(digest);
      expect(mounted, `mounted ${digest}`).toContain(digest);
    }
  }

  const layerDigests = ({ image }: JudgedImage): string[] =>
    image.manifest.layers.map(({ digest }) => digest);

  /** No installed package file is left, and no file is in the image twice (as the `chown` copy was). */
  function expectNoWaste({ layers }: JudgedImage): void {
    const names = layers.flat();
    expect(names.filter(({ name }) => /^var\/cache\/apt\/archives\/.*\.deb$/.test(name))).toEqual([]);
    const seen = new Set<string>();
    const twice = [];
    for (const entries of layers) {
      for (const { kind, name } of entries) {
        if (kind !== '-' || isWhiteout(name)) continue;
        if (seen.has(name)) twice.push(name);
        seen.add(name);
      }
    }
    expect(twice).toEqual([]);
    expect(seen.has('app/run.sh')).toBe(true);
  }

  it('was built with waste', () => {
    const files = original.layers.flat().filter(({ kind }) => kind === '-');
    expect(files.some(({ name }) => /^var\/cache\/apt\/archives\/.*\.deb$/.test(name))).toBe(true);
    expect(files.filter(({ name }) => name === 'app/run.sh').length).toBeGreaterThan(1);
    expect(original.image.manifest.layers.length).toBeGreaterThanOrEqual(11);
  });

  it('squash --last 3', async () => {
    const count = original.image.manifest.layers.length;
    const squashed = await shown('squash-last', ['squash', '--last', '3']);
    expect(layerDigests(squashed).slice(0, -1)).toEqual(layerDigests(original).slice(0, -3));
    expectUntouched(squashed.requests, (number) => number <= count - 3);
    expect(directoryTimes(squashed.layers)).toEqual(directoryTimes(original.layers));
  });

  it('squash --layers 2..5, twice', async () => {
    const squashed = await shown('squash-layers', ['squash', '--layers', '2..5']);
    const before = layerDigests(original);
    expect(layerDigests(squashed)).toEqual([before[0], expect.any(String), ...before.slice(5)]);
    expectUntouched(squashed.requests, (number) => number < 2 || number > 5);
    const again = await rewrite(['squash', source, `${registry.host}/out/again:v1`, '--layers', '2..5']);
    expect(again).toBe(squashed.digest);
  });

  it('squash --all', async () => {
    const squashed = await shown('squash-all', ['squash', '--all']);
    expect(squashed.layers).toHaveLength(1);
    expectNoWaste(squashed);
  });

  it('squash --base', async () => {
    const squashed = await shown('squash-base', ['squash', '--base', base]);
    expect(layerDigests(squashed)).toEqual([layerDigests(original)[0], expect.any(String)]);
    expectUntouched(squashed.requests, (number) => number === 1);
  });

  it('prune --shadowed', async () => {
    const pruned = await shown('prune-shadowed', ['prune', '--shadowed']);
    expect(pruned.removed).toEqual(new Set());
    expect(pruned.layers).toHaveLength(original.layers.length);
    expectNoWaste(pruned);
  });

  it('prune --preset apt-lists,apt-cache,docs,logs', async () => {
    const presets = ['--preset', 'apt-lists,apt-cache,docs,logs'];
    const pruned = await shown('prune-presets', ['prune', ...presets]);
    const gone = [...original.listing.keys()].filter((path) => !pruned.listing.has(path));
    expect(gone.length).toBeGreaterThan(0);
    const left = pruned.layers.flat().filter(({ kind, name }) => kind === '-' && !isWhiteout(name));
    expect(
      left.filter(({ name }) => /^var\/lib\/apt\/lists\/|^var\/cache\/apt\/.*\.deb$/.test(name)),
    ).toEqual([]);
    const verified = await ocislim(['copy', pruned.reference, `${registry.host}/out/copied:v1`]);
    expect(verified.stdout).toContain(pruned.digest);
  });

  it('prune --debug-tag, restore and restore --path', async () => {
    const slim = `${registry.host}/out/to-restore:v1`;
    const presets = ['--preset', 'apt-lists,apt-cache,docs,logs,setuid', '--debug-tag', 'debug'];
    await rewrite(['prune', source, slim, ...presets]);
    const pruned = await judgeImage(`docker://${slim}`, work, untidy);
    expect(differences(original.listing, pruned.listing)).not.toEqual([]);

    const whole = `${registry.host}/out/restored:v1`;
    const { requests } = await registry.during(() => rewrite(['restore', slim, whole]));
    for (const reference of [whole, slim.replace(':v1', ':debug')]) {
      const restored = await judgeImage(`docker://${reference}`, work, untidy);
      expect(differences(original.listing, restored.listing)).toEqual([]);
      expect(restored.said).toBe(original.said);
      expect(layerDigests(restored).slice(0, -1)).toEqual(layerDigests(pruned));
      expect((await ocislim(['verify', source, reference])).stdout).toContain('the same');
    }
    const uploaded = uploadedBlobs(requests);
    expect(layerDigests(pruned).filter((digest) => uploaded.has(digest))).toEqual([]);

    const gone = [...original.listing.keys()].filter((path) => !pruned.listing.has(path));
    const [wanted = ''] = gone.filter((path) => /^[\w/.-]+$/.test(path)).slice(-1);
    const part = `${registry.host}/out/partly:v1`;
    await rewrite(['restore', slim, part, '--path', wanted]);
    const judged = await judgeImage(`docker://${part}`, work, untidy);
    const back = gone.filter((path) => judged.listing.has(path));
    expect(back).toContain(wanted);
    expect(back.length).toBeLessThan(gone.length);
  });

  it.each(packings[name])('recompress to %s', async (packing) => {
    const [compression = '', level] = packing.split(' ');
    const levels = level === undefined ? [] : ['--level', level];
    const args = ['recompress', '--compression', compression, ...levels];
    const reference = `${registry.host}/out/recompress-${compression}-${level ?? 'plain'}:v1`;
    await rewrite([...args, source, reference]);
    const packed = await judgePacked(`docker://${reference}`, work);
    expect(packed.image.config.rootfs.diff_ids).toEqual(original.image.config.rootfs.diff_ids);
    expect(differences(original.listing, packed.listing)).toEqual([]);
    expect(packed.said).toBe(original.said);
    const types = { zstd: /^application\/vnd\.oci\..*\+zstd$/, gzip: /\+gzip$/, none: /\.tar$/ };
    const big = packed.image.manifest.layers.filter(({ size }) => size > 1_000_000);
    for (const { mediaType } of big) expect(mediaType).toMatch(types[compression as keyof typeof types]);
    expect(big.length).toBeGreaterThan(1);
  });

  it('slim', async () => {
    const slimmed = await shown('slim', ['slim']);
    expect(slimmed.digest).not.toBe('');
    const sizes = ({ image }: JudgedImage): number =>
      image.manifest.layers.reduce((sum, { size }) => sum + size, 0);
    expect(sizes(slimmed)).toBeLessThan(sizes(original) * 0.8);
  });
}
