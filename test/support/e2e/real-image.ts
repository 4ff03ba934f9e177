/**
 * A real image in a docker-registry of its own, with what programs of others see in it. The jobs of the real images run
 * from this registry to the same one, and are judged against the original.
 */
import { join } from 'node:path';
import { expect } from 'vitest';
import { removedPaths, rewrite } from './cli.ts';
import {
  DockerRegistry,
  fetchedBlobs,
  type LoggedRequest,
  mountedBlobs,
  uploadedBlobs,
} from './docker-registry.ts';
import { openLayout, push } from './judge.ts';
import { judgeImage, type JudgedImage, untidyLayers } from './judged-image.ts';
import { removeFolder, workFolder } from './programs.ts';
import { differences } from './rootfs-listing.ts';

/** The outcome of a job, as programs of others see it. */
export interface Rewritten extends JudgedImage {
  readonly digest: string;
  readonly reference: string;
  /** Paths that the report says a container no longer sees. */
  readonly removed: ReadonlySet<string>;
  readonly requests: readonly LoggedRequest[];
}

export function layerDigests({ image }: JudgedImage): string[] {
  return image.manifest.layers.map(({ digest }) => digest);
}

export class RealImage {
  readonly registry: DockerRegistry;
  readonly work: string;
  /** The references of the image and of its base. */
  readonly source: string;
  readonly base: string;
  readonly original: JudgedImage;
  /** DiffIDs of layers without end blocks. */
  readonly untidy: ReadonlySet<string>;

  private constructor(
    { registry, work, source, base }: Pick<RealImage, 'registry' | 'work' | 'source' | 'base'>,
    original: JudgedImage,
    untidy: ReadonlySet<string>,
  ) {
    this.registry = registry;
    this.work = work;
    this.source = source;
    this.base = base;
    this.original = original;
    this.untidy = untidy;
  }

  /** Starts a registry, pushes the image and its base from the folder of images, and judges the image. */
  static async open(images: string, name: string): Promise<RealImage> {
    const work = workFolder(name);
    const registry = await DockerRegistry.start();
    const [source, base] = [`${registry.host}/real/${name}:v1`, `${registry.host}/real/${name}-base:v1`];
    await push(`oci:${images}/${name}:v1`, source);
    await push(`oci:${images}/${name}-base:v1`, base);
    const untidy = untidyLayers((await openLayout(join(images, name))).config);
    expect(untidy.size).toBe(1);
    const original = await judgeImage(`docker://${source}`, work, untidy);
    expect(original.said).not.toBe('');
    return new RealImage({ registry, work, source, base }, original, untidy);
  }

  async close(): Promise<void> {
    await this.registry.stop();
    removeFolder(this.work);
  }

  /** Returns a reference in the registry that is for one result. */
  target(name: string): string {
    return `${this.registry.host}/out/${name}:v1`;
  }

  judge(reference: string): Promise<JudgedImage> {
    return judgeImage(`docker://${reference}`, this.work, this.untidy);
  }

  /** Runs a command, and asserts that a container sees no difference but the paths that the report names. */
  async rewrite(name: string, [command = '', ...args]: readonly string[]): Promise<Rewritten> {
    const reference = this.target(name);
    const report = join(this.work, `${name}.json`);
    const { result: digest, requests } = await this.registry.during(() =>
      rewrite([command, this.source, reference, ...args, '--report', report]),
    );
    const removed = await removedPaths(report);
    const judged = await this.judge(reference);
    expect(differences(this.original.listing, judged.listing, removed)).toEqual([]);
    expect(judged.said).toBe(this.original.said);
    return { ...judged, digest, reference, removed, requests };
  }

  /** Asserts that the layers with these numbers were neither read nor sent, but mounted. */
  expectUntouched(requests: readonly LoggedRequest[], isUntouched: (number: number) => boolean): void {
    const { layers } = this.original.image.manifest;
    // An empty layer may be in the image twice.
    const touched = new Set(layers.filter((_, i) => !isUntouched(i + 1)).map(({ digest }) => digest));
    const outside = layers.filter(({ digest }, i) => isUntouched(i + 1) && !touched.has(digest));
    expect(outside.length).toBeGreaterThan(0);
    const [fetched, uploaded] = [fetchedBlobs(requests), uploadedBlobs(requests)];
    const mounted = mountedBlobs(requests);
    for (const { digest } of outside) {
      expect(fetched, `fetched ${digest}`).not.toContain(digest);
      expect(uploaded, `uploaded ${digest}`).not.toContain(digest);
      expect(mounted, `mounted ${digest}`).toContain(digest);
    }
  }
}

/** Asserts that no package archive is left, and that no file is in the image twice, as the `chown` copy was. */
export function expectNoWaste({ layers }: JudgedImage): void {
  const names = layers.flat();
  expect(names.filter(({ name }) => /^var\/cache\/apt\/archives\/.*\.deb$/.test(name))).toEqual([]);
  const files = names.filter(({ kind, name }) => kind === '-' && !isWhiteout(name)).map(({ name }) => name);
  const once = new Set<string>();
  expect(files.filter((name) => once.size === once.add(name).size)).toEqual([]);
  expect(once).toContain('app/run.sh');
}

/** Returns whether a name is a marker. */
export function isWhiteout(name: string): boolean {
  return /(?:^|\/)\.wh\.[^/]*$/.test(name);
}
