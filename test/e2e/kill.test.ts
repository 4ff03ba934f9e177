import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ocislim, rewrite, startOcislim } from '../support/e2e/cli.ts';
import { type Count, fetched, Front, type Moment, type Passed, uploaded } from '../support/e2e/front.ts';
import { hold, missing } from '../support/registry/held-image.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';
import { isWhole, sample } from '../support/extent.ts';
import { buildImage } from '../support/image-builder.ts';
import type { RepositoryContent } from '../support/registry/content.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { specOf } from '../support/model/shorthand.ts';
import { cachedBlobs, partialIn } from '../support/store/cache.ts';

// ocislim is killed at every request that it makes, in front of a registry that is not told. The two images differ
// in the size of the new layer: one is sent in chunks before its digest is known, the other is not.

let work: string;
let source: FakeRegistry;

function noise(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(length >> 2);
  let state = seed;
  for (let i = 0; i < words.length; i++) words[i] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const bytes = new Uint8Array(words.buffer);
  // The lower bits of such numbers repeat after a short period.
  for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) ^ ((i * 2654435761) >>> 24);
  return bytes;
}

function image(large: number) {
  const layer = (...entries: Parameters<typeof specOf>[0][]) => writeTar(entries.map(specOf));
  return buildImage({
    layers: [
      layer('etc/', { name: 'etc/base', body: noise(400_000, 1) }),
      layer({ name: 'runtime', body: noise(300_000, 2) }),
      layer({ name: 'app', body: noise(large, 3) }, 'etc/cache=1'),
      layer({ name: 'config', body: noise(150_000, 4) }, 'etc/.wh.cache'),
    ],
  });
}

const images = { large: image(9_000_000), small: image(500_000) };
const old = buildImage({ layers: [writeTar([specOf('old=1')])] });

beforeAll(async () => {
  work = workFolder('kill');
  source = await FakeRegistry.start();
  for (const [name, tree] of Object.entries(images)) hold(source.repository(name), tree, '1');
});

afterAll(async () => {
  await source?.close();
  removeFolder(work);
});

/** A target of its own for each try, with an old image under the tag, and fronts before both registries. */
class Scene {
  readonly folder: string;
  readonly #image: keyof typeof images;
  readonly #target: FakeRegistry;
  readonly #count: Count = { requests: 0, strike: null };
  #fronts: { source: Front; target: Front } | null = null;

  private constructor(image: keyof typeof images, target: FakeRegistry, name: string) {
    this.#image = image;
    this.#target = target;
    this.folder = join(work, name);
    mkdirSync(join(this.folder, 'tmp'), { recursive: true });
  }

  static async start(image: keyof typeof images, name: string): Promise<Scene> {
    const target = await FakeRegistry.start();
    hold(target.repository('app'), old, '1');
    return new Scene(image, target, name);
  }

  get content(): RepositoryContent {
    return this.#target.repository('app');
  }

  get tagged(): string | undefined {
    return this.content.tags.get('1');
  }

  get cache(): string {
    return join(this.folder, 'cache');
  }

  /**
   * Runs `work` with the arguments of the command and with new fronts. Returns its result and the requests that
   * came through.
   */
  async run<T>(
    cached: boolean,
    strike: Count['strike'],
    work: (args: string[], env: Record<string, string>) => Promise<T>,
  ) {
    Object.assign(this.#count, { requests: 0, strike });
    const fronts = {
      source: await Front.start(source.host, this.#count),
      target: await Front.start(this.#target.host, this.#count),
    };
    this.#fronts = fronts;
    const references = [`${fronts.source.host}/${this.#image}:1`, `${fronts.target.host}/app:1`];
    const args = ['squash', ...references, '--last', '2', ...(cached ? ['--cache-dir', this.cache] : [])];
    const result = await work(args, { TMPDIR: join(this.folder, 'tmp') });
    await fronts.source.settle();
    await fronts.target.settle();
    const passed = { source: [...fronts.source.requests], target: [...fronts.target.requests] };
    return { result, ...passed, count: this.#count.requests };
  }

  /** Closes the connections; a killed process's may still be open. */
  async rest(): Promise<void> {
    await this.#fronts?.source.stop();
    await this.#fronts?.target.stop();
    this.#fronts = null;
  }

  async end(): Promise<void> {
    await this.rest();
    await this.#target.close();
    removeFolder(this.folder);
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** Runs the command, and kills it at one moment of one of its requests. */
async function runAndKill(scene: Scene, cached: boolean, number: number, moment: Moment) {
  let child: ChildProcess | null = null;
  const act = () => kill(child as ChildProcess);
  const passed = await scene.run(cached, { number, moment, act }, async (args, env) => {
    const started = (child = startOcislim([...args, '--progress', 'none'], env));
    return new Promise<NodeJS.Signals | null>((resolve) =>
      started.once('exit', (_, signal) => resolve(signal)),
    );
  });
  await scene.rest();
  return passed;
}

function isTagging({ method, path }: Passed): boolean {
  return method === 'PUT' && path.endsWith('/manifests/1');
}

type Point = readonly [moment: Moment, number: number];

/** Returns the points at which a run of so many requests is killed. */
function pointsOf(moments: readonly Moment[], count: number): Point[] {
  return moments.flatMap((moment) => {
    // Requests come in another order each time, so that every second one is enough here.
    const step = moment === 'half-way' ? 2 : 1;
    return Array.from({ length: Math.ceil(count / step) }, (_, i): Point => [moment, 1 + i * step]);
  });
}

/** What had been done when a run was killed. */
interface Killed {
  readonly isKilled: boolean;
  readonly isTagged: boolean;
  /** The blobs that the cache holds. */
  readonly held: ReadonlySet<string>;
  /** The blobs that the registry has got. */
  readonly arrived: ReadonlySet<string>;
}

const arms: readonly (readonly [string, keyof typeof images, boolean, readonly Moment[]])[] = [
  ['with a cache and a layer sent in chunks', 'large', true, ['arrives', 'half-way']],
  ['without a cache', 'small', false, ['answered']],
];

let allKills = 0;

describe.each(arms)('killed at any request, %s', (_, name, cached, moments) => {
  const { layers } = images[name];
  /** What a run gives that is not killed: its digest, the blobs that it sends, and the number of its requests. */
  let wanted: string;
  let made: readonly string[];
  let count: number;

  beforeAll(async () => {
    const scene = await Scene.start(name, `${name}-reference`);
    const whole = await scene.run(cached, null, (args, env) => rewrite(args, env));
    [wanted, made, count] = [whole.result, [...uploaded(whole.target)], whole.count];
    expect(missing(scene.content)).toEqual([]);
    await scene.end();
    expect(count).toBeGreaterThan(15);
  });

  /** Kills a run: the old image or the new one is there and whole, and no file is in TMPDIR. */
  async function killAt(scene: Scene, [moment, number]: Point): Promise<Killed> {
    const first = await runAndKill(scene, cached, number, moment);
    const isKilled = first.result === 'SIGKILL';
    // With other timing a run may take a request less.
    if (!isKilled) expect(number).toBeGreaterThan(count - 3);
    const isTagged = first.target.some((request) => isTagging(request) && request.status === 201);
    expect(readdirSync(join(scene.folder, 'tmp'))).toEqual([]);
    expect(scene.tagged).toBe(isTagged ? wanted : old.descriptor.digest);
    expect(missing(scene.content)).toEqual([]);
    const held = cached ? cachedBlobs(scene.cache) : new Set<string>();
    if (first.target.some(({ method }) => method === 'PATCH'))
      for (const { digest } of layers.slice(2)) expect(held.has(digest)).toBe(true);
    const arrived = uploaded(first.target.filter(({ status }) => status === 201));
    return { isKilled, isTagged, held, arrived };
  }

  /** Runs the command again: it does what is missing, and nothing else. */
  async function finish(scene: Scene, { held, arrived }: Killed): Promise<void> {
    const { result, source, target } = await scene.run(cached, null, (args, env) => rewrite(args, env));
    expect(result).toBe(wanted);
    expect(scene.tagged).toBe(wanted);
    expect(missing(scene.content)).toEqual([]);
    const sent = uploaded(target);
    expect([...sent].filter((digest) => arrived.has(digest))).toEqual([]);
    expect([...sent, ...arrived].sort()).toEqual([...made].sort());
    expect([...fetched(source)].filter((digest) => held.has(digest))).toEqual([]);
    if (!cached) return;
    expect(partialIn(scene.cache)).toEqual([]);
    // The one layer that goes up in chunks is not sent again to find out that it exists.
    const large = made.find((digest) => !layers.some((layer) => layer.digest === digest) && held.has(digest));
    if (large !== undefined && arrived.has(large))
      expect(target.filter(({ method }) => method === 'PATCH')).toEqual([]);
  }

  it('T19: leaves the old image whole and no files in TMPDIR, and the next run does what is missing and no more', async () => {
    const points = sample(pointsOf(moments, count), 4);
    const all: Killed[] = [];
    for (const point of points) {
      const scene = await Scene.start(name, `${name}-${point.join('-')}`);
      try {
        const killed = await killAt(scene, point);
        await finish(scene, killed);
        all.push(killed);
      } catch (error) {
        throw new Error(`killed at ${point.join(' ')}`, { cause: error });
      }
      await scene.end();
    }
    const kills = all.filter(({ isKilled }) => isKilled).length;
    allKills += kills;
    expect(kills).toBeGreaterThanOrEqual(points.length / 2);
    // The points are spread over the work: some come after each kind of it.
    if (cached) expect(all.filter(({ held }) => held.size > 0).length).toBeGreaterThan(points.length / 5);
    expect(all.filter(({ arrived }) => arrived.size > 0).length).toBeGreaterThan(points.length / 10);
    const tagged = all.filter(({ isTagged }) => isTagged).length;
    expect(tagged).toBeLessThan(10);
    if (isWhole) expect(tagged).toBeGreaterThan(0);
  });
});

it('these were ten points and more, or sixty where all of them are tested', () => {
  expect(allKills).toBeGreaterThanOrEqual(isWhole ? 60 : 10);
});

it('two runs onto one tag at once leave one valid image', async () => {
  for (let round = 0; round < 5; round++) {
    const scene = await Scene.start('small', `both-${round}`);
    const { result } = await scene.run(true, null, async (args, env) => {
      const [, from = '', to = '', , , ...rest] = args;
      return Promise.all([
        ocislim([...args, '--progress', 'none'], env),
        ocislim(['recompress', from, to, '--compression', 'zstd', ...rest, '--progress', 'none'], env),
      ]);
    });
    const digests = result.flatMap(({ stdout }) => /@(sha256:[0-9a-f]{64})\n$/.exec(stdout)?.[1] ?? []);
    // A run that finds the other's image under the tag says so.
    for (const { status, stderr } of result)
      if (status !== 0) expect(stderr).toContain('Another client may have pushed');
    expect(digests).toContain(scene.tagged);
    expect(missing(scene.content)).toEqual([]);
    cachedBlobs(scene.cache);
    expect(partialIn(scene.cache)).toEqual([]);
    await scene.end();
  }
});
