import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, rewrite } from '../support/e2e/cli.ts';
import { removeFolder, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { isWhole, sample } from '../support/extent.ts';
import { buildImage, readImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { hold } from '../support/registry/held-image.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { noise } from '../support/registry/setup.ts';
import { cachedBlobs, partialIn } from '../support/store/cache.ts';

// strace kills ocislim at the entry of each system call that changes a file system. One thread does all work on
// files, so that the calls come in one order.

const image = buildImage({
  layers: [1, 2, 3].map((seed) =>
    writeTar([`dir${seed}/`, { name: `dir${seed}/file`, body: noise(700_000, seed) }, 'same=1'].map(specOf)),
  ),
});
const old = buildImage({ layers: [writeTar([specOf('old=1')])] });
const changes = 'mkdir,rename,link,unlink,rmdir,fdatasync,fsync,fchmod,pwrite64,pwritev,ftruncate';

let work: string;
let registry: FakeRegistry;
beforeAll(async () => {
  work = workFolder('kill-files');
  registry = await FakeRegistry.start();
  hold(registry.repository('app'), image, '1');
  await writeLayout(join(work, 'old'), { app: old });
  await rewrite(['copy', `oci:${join(work, 'old')}:app`, `oci-archive:${join(work, 'old.tar')}:app`]);
});
afterAll(async () => {
  await registry?.close();
  removeFolder(work);
});

type Kind = 'layout' | 'archive';

/** A destination that holds the old image, with a TMPDIR and a cache of its own. */
class Scene {
  readonly folder: string;
  readonly kind: Kind;

  private constructor(folder: string, kind: Kind) {
    this.folder = folder;
    this.kind = kind;
  }

  static async make(name: string, kind: Kind): Promise<Scene> {
    const scene = new Scene(join(work, name), kind);
    for (const each of ['tmp', 'destination']) mkdirSync(join(scene.folder, each), { recursive: true });
    if (kind === 'layout') await writeLayout(scene.destination, { app: old });
    else copyFileSync(join(work, 'old.tar'), join(scene.destination, 'a.tar'));
    return scene;
  }

  get target(): string {
    return this.kind === 'layout'
      ? `oci:${this.destination}:app`
      : `oci-archive:${this.destination}/a.tar:app`;
  }

  get destination(): string {
    return join(this.folder, 'destination');
  }

  get env(): Record<string, string> {
    return { TMPDIR: join(this.folder, 'tmp'), UV_THREADPOOL_SIZE: '1' };
  }

  /** Returns the digest that the name has. In a layout every blob is checked against its digest. */
  async tagged(): Promise<string> {
    if (this.kind === 'layout') return (await readImage(this.destination, { tag: 'app' })).descriptor.digest;
    const bytes = readFileSync(join(this.destination, 'a.tar'), 'latin1');
    return /"manifests":\[\{[^\]]*?"digest":"(sha256:[0-9a-f]{64})"/.exec(bytes)?.[1] ?? '';
  }

  /** Returns files that should not be there: in TMPDIR, beside the destination, in the cache. */
  left(): string[] {
    const files = [join(this.folder, 'tmp'), this.destination].flatMap(
      (folder) => readdirSync(folder, { recursive: true }) as string[],
    );
    const cache = join(this.folder, 'cache');
    const odd = files.filter((name) => /partial|lock|ocislim/.test(name));
    return existsSync(cache) ? [...odd, ...partialIn(cache)] : odd;
  }

  end(): void {
    removeFolder(this.folder);
  }
}

/** Runs the command below strace. With `kill`, it is killed at the call of this name and number. */
async function runBelow(
  scene: Scene,
  args: readonly string[],
  kill: { call: string; number: number } | null,
) {
  const log = join(scene.folder, 'strace');
  const inject = kill === null ? [] : ['-e', `inject=${kill.call}:signal=KILL:when=${kill.number}`];
  const ended = await runToEnd(
    'strace',
    [
      '-f',
      '-o',
      log,
      '-e',
      `trace=${changes}`,
      ...inject,
      '--',
      process.execPath,
      bin,
      ...args,
      '--progress',
      'none',
    ],
    { env: { HOME: '/nonexistent', ...scene.env } },
  );
  const calls = readFileSync(log, 'latin1')
    .split('\n')
    .flatMap((line) => /^\d+ +(\w+)\(/.exec(line)?.[1] ?? []);
  return {
    killed: ended.signal === 'SIGKILL' || ended.status === 137,
    status: ended.status,
    calls,
    stderr: ended.stderr,
  };
}

/** Returns the calls at which a run is killed: the first and the last of each name, and one in the middle if told. */
function pointsOf(calls: readonly string[], hasMiddle: boolean): { call: string; number: number }[] {
  const counts = Map.groupBy(calls, (call) => call);
  return [...counts].flatMap(([call, { length }]) => {
    const middle = hasMiddle ? [Math.ceil(length / 2)] : [];
    return [...new Set([1, ...middle, length])].map((number) => ({ call, number }));
  });
}

const jobs: readonly (readonly [string, Kind, boolean, readonly string[]])[] = [
  ['squash', 'layout', false, ['--all']],
  ['prune', 'layout', true, ['--rule', 'same']],
  ['recompress', 'archive', false, ['--compression', 'zstd']],
];
let points = 0;

describe.each(jobs)(
  'T19: %s into an %s (with a cache: %s), killed wherever it changes a file',
  (command, kind, cached, options) => {
    it('leaves the old image or the new one, and the next run leaves nothing', async () => {
      const argsFor = (scene: Scene) => [
        command,
        `${registry.host}/app:1`,
        scene.target,
        ...options,
        ...(cached ? ['--cache-dir', join(scene.folder, 'cache')] : []),
      ];
      const reference = await Scene.make(`${command}-reference`, kind);
      const before = await reference.tagged();
      const { calls, status, stderr } = await runBelow(reference, argsFor(reference), null);
      expect(status, stderr).toBe(0);
      const wanted = await reference.tagged();
      expect(reference.left()).toEqual([]);
      reference.end();
      const tried = sample(pointsOf(calls, command === 'squash'), 3);
      let kills = 0;
      for (const { call, number } of tried) {
        const at = `${call} ${number}`;
        const scene = await Scene.make(`${command}-${call}-${number}`, kind);
        const { killed } = await runBelow(scene, argsFor(scene), { call, number });
        if (killed) kills++;
        expect([before, wanted], at).toContain(await scene.tagged());
        expect(readdirSync(join(scene.folder, 'tmp')), at).toEqual([]);
        expect(await rewrite(argsFor(scene), scene.env), at).toBe(wanted);
        expect(await scene.tagged(), at).toBe(wanted);
        expect(scene.left(), at).toEqual([]);
        if (kind === 'archive')
          expect(await rewrite(['copy', scene.target, `oci:${scene.folder}/read:app`]), at).toBe(wanted);
        if (cached) cachedBlobs(join(scene.folder, 'cache'));
        scene.end();
      }
      expect(kills).toBeGreaterThanOrEqual(tried.length / 2);
      points += kills;
    });
  },
);

it('T19: these were five points and more, or twenty where all of them are tested', () => {
  expect(points).toBeGreaterThan(isWhole ? 20 : 5);
});
