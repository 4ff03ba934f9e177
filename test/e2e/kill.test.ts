import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ocislim, rewrite, startOcislim } from '../support/e2e/cli.ts';
import { type Count, fetched, Front, type Moment, type Passed, uploaded } from '../support/e2e/front.ts';
import { hold, missing } from '../support/registry/held-image.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';
import { buildImage } from '../support/image-builder.ts';
import type { RepositoryContent } from '../support/registry/content.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { specOf } from '../support/model/shorthand.ts';
import { cachedBlobs, partialIn } from '../support/store/cache.ts';

// ocislim is killed outright at every request that it makes, in front of a registry that was never told. The two images
// differ in the size of the new layer: one that is sent in chunks before its digest is known, and one that is not.

let work: string;
let source: FakeRegistry;

function noise(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(length >> 2);
  let state = seed;
  for (let i = 0; i < words.length; i++) words[i] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const bytes = new Uint8Array(words.buffer);
  // The lower bits of such numbers repeat soon.
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

  /** Runs with new fronts; `work` gets the arguments of the command. What came through. */
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

  /** Lets go of the connections; a killed process's may still be open. */
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

const arms: readonly (readonly [string, keyof typeof images, boolean, readonly Moment[]])[] = [
  ['with a cache and a layer sent in chunks', 'large', true, ['arrives', 'half-way']],
  ['without a cache', 'small', false, ['answered']],
];

let allKills = 0;

describe.each(arms)('killed at any request, %s', (_, name, cached, moments) => {
  it('T19: leaves the old image whole and no files in TMPDIR, and the next run does what is missing and no more', async () => {
    const reference = await Scene.start(name, `${name}-reference`);
    const whole = await reference.run(cached, null, (args, env) => rewrite(args, env));
    const wanted = whole.result;
    expect(missing(reference.content)).toEqual([]);
    await reference.end();
    expect(whole.count).toBeGreaterThan(15);
    const { layers } = images[name];
    const made = [...uploaded(whole.target)];
    let kills = 0;
    let after = { download: 0, upload: 0, tag: 0 };
    for (const moment of moments) {
      // Runs take their requests in another order each time, so that every second one will do here.
      const step = moment === 'half-way' ? 2 : 1;
      for (let number = 1; number <= whole.count; number += step) {
        const at = `${moment} ${number}`;
        const scene = await Scene.start(name, `${name}-${moment}-${number}`);
        const first = await runAndKill(scene, cached, number, moment);
        // With other timing a run may take a request less.
        if (first.result !== 'SIGKILL') expect(number, at).toBeGreaterThan(whole.count - 3);
        else kills += 1;

        const wasTagged = first.target.some((request) => isTagging(request) && request.status === 201);
        expect(readdirSync(join(scene.folder, 'tmp')), at).toEqual([]);
        expect(scene.tagged, at).toBe(wasTagged ? wanted : old.descriptor.digest);
        expect(missing(scene.content), at).toEqual([]);
        const held = cached ? cachedBlobs(scene.cache) : new Set<string>();
        const arrived = uploaded(first.target.filter(({ status }) => status === 201));
        if (first.target.some(({ method }) => method === 'PATCH'))
          for (const { digest } of layers.slice(2)) expect(held.has(digest), at).toBe(true);

        const second = await scene.run(cached, null, (args, env) => rewrite(args, env));
        expect(second.result, at).toBe(wanted);
        expect(scene.tagged, at).toBe(wanted);
        expect(missing(scene.content), at).toEqual([]);
        const sent = uploaded(second.target);
        expect(
          [...sent].filter((digest) => arrived.has(digest)),
          at,
        ).toEqual([]);
        expect([...sent, ...arrived].sort(), at).toEqual([...made].sort());
        expect(
          [...fetched(second.source)].filter((digest) => held.has(digest)),
          at,
        ).toEqual([]);
        if (cached) {
          expect(partialIn(scene.cache), at).toEqual([]);
          // The one layer that goes up in chunks is not sent to find out that it is there.
          const large = made.find(
            (digest) => !layers.some((layer) => layer.digest === digest) && held.has(digest),
          );
          if (large !== undefined && arrived.has(large))
            expect(
              second.target.filter(({ method }) => method === 'PATCH'),
              at,
            ).toEqual([]);
        }
        after = {
          download: after.download + (held.size > 0 ? 1 : 0),
          upload: after.upload + (arrived.size > 0 ? 1 : 0),
          tag: after.tag + (wasTagged ? 1 : 0),
        };
        await scene.end();
      }
    }
    expect(kills).toBeGreaterThanOrEqual(20);
    allKills += kills;
    // The points were what they were to be: some after each kind of work.
    if (cached) expect(after.download).toBeGreaterThan(10);
    expect(after.upload).toBeGreaterThan(5);
    expect(after.tag).toBeGreaterThan(0);
    expect(after.tag).toBeLessThan(10);
  });
});

it('these were sixty points and more', () => {
  expect(allKills).toBeGreaterThanOrEqual(60);
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
    // One that finds the other's image under the tag says so.
    for (const { status, stderr } of result)
      if (status !== 0) expect(stderr).toContain('Somebody else may have pushed');
    expect(digests).toContain(scene.tagged);
    expect(missing(scene.content)).toEqual([]);
    cachedBlobs(scene.cache);
    expect(partialIn(scene.cache)).toEqual([]);
    await scene.end();
  }
});
