import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { writeElf } from '../rootfs/facts/elf-bytes.ts';
import { callCli } from '../support/cli.ts';
import { type BuiltImage, buildImage, buildIndex, type ImageRecipe } from '../support/image-builder.ts';
import { openLayout, validateTree } from '../support/image-reader.ts';
import { applyLayers } from '../support/model/filesystem.ts';
import { specOf } from '../support/model/shorthand.ts';
import { type EntrySpec, writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';

const arm = { os: 'linux', architecture: 'arm64', variant: 'v8' };
const tar = (...entries: (string | EntrySpec)[]) => writeTar(entries.map(specOf));
const program = (name: string, facts: Parameters<typeof writeElf>[0] = {}): EntrySpec => ({
  name,
  mode: 0o755,
  body: writeElf(facts),
});

const loader = program('lib/ld.so');
const libc = (...versions: readonly string[]) => program('lib/libc.so.6', { soname: 'libc.so.6', versions });
const server = program('app/server', {
  interpreter: '/lib/ld.so',
  needed: ['libc.so.6'],
  versionNeeds: [{ library: 'libc.so.6', versions: ['GLIBC_2.38'] }],
});

const oldBase = [
  tar('etc/', 'etc/passwd=root:x:0:0\napp:x:7:7\n', 'lib/', loader, libc('GLIBC_2.36', 'GLIBC_2.38')),
  tar('etc/base=1'),
];
const newBase = [
  tar(
    'etc/',
    'etc/passwd=root:x:0:0\napp:x:7:7\nnew:x:8:8\n',
    'lib/',
    loader,
    libc('GLIBC_2.38', 'GLIBC_2.39'),
  ),
  tar('etc/base=2'),
  tar('opt/='),
];
const older = [tar('etc/', 'etc/passwd=root:x:0:0\n', 'lib/', loader, libc('GLIBC_2.31', 'GLIBC_2.9'))];
const application = [tar('app/', server), tar('app/data=1')];

const image = (layers: readonly Uint8Array[], more: Partial<ImageRecipe> = {}): BuiltImage =>
  buildImage({ layers, ...more });
const config = (own: object) => ({ config: { config: own } });
const baseConfig = config({ Env: ['PATH=/bin', 'VERSION=1'], Cmd: ['/bin/sh'] });
const newConfig = config({ Env: ['PATH=/bin:/sbin', 'VERSION=2'], Cmd: ['/bin/bash'] });
const appConfig = config({
  Env: ['PATH=/app:/bin', 'VERSION=1', 'APP=1'],
  Entrypoint: ['/app/server'],
  User: 'app',
});

const scene = openScene(() => {
  const both = (layers: readonly Uint8Array[], more: Partial<ImageRecipe>) =>
    buildIndex({
      images: [image(layers, more), image(layers, { ...more, platform: arm })],
      attestations: true,
    });
  return {
    'base-1': image(oldBase, baseConfig),
    // The same base, packed otherwise.
    'base-1-zstd': image(oldBase, { ...baseConfig, compress: 'zstd' }),
    'base-2': image(newBase, newConfig),
    older: image(older, baseConfig),
    app: image([...oldBase, ...application], appConfig),
    edited: image(
      [...oldBase, ...application, tar('etc/passwd=root:x:0:0\napp:x:7:7\nmine:x:9:9\n')],
      appConfig,
    ),
    'bases-1': both(oldBase, baseConfig),
    'bases-2': both(newBase, newConfig),
    apps: both([...oldBase, ...application], appConfig),
  };
});

const onto = (base: string, old = 'base-1') => ['--old-base', scene.at(old), '--new-base', scene.at(base)];

async function filesOf(tag: string, platform?: string) {
  expect(validateTree(await openLayout(scene.path('layout'), tag))).toEqual([]);
  return applyLayers((await scene.read(tag, 'layout', platform)).layers);
}

describe('rebase', () => {
  test('puts the layers of an application on another base, byte for byte, with the config of both', async () => {
    await scene.succeed('rebase', scene.at('app'), scene.at('done'), ...onto('base-2'));
    expect(await filesOf('done')).toEqual(
      applyLayers([...(await scene.read('base-2')).layers, ...(await scene.read('app')).layers.slice(2)]),
    );
    const [done, app, base] = [await scene.read('done'), await scene.read('app'), await scene.read('base-2')];
    expect(done.manifest.layers).toEqual([...base.manifest.layers, ...app.manifest.layers.slice(2)]);
    expect(done.config.config).toEqual({
      Env: ['PATH=/app:/bin:/sbin', 'VERSION=2', 'APP=1'],
      Entrypoint: ['/app/server'],
      User: 'app',
    });
    expect(done.manifest.annotations).toEqual({
      'org.opencontainers.image.base.digest': base.descriptor.digest,
    });
    expect(done.config.history).toHaveLength(5);
  });

  test('finds the old base below an image that packs it otherwise, and leaves an image on its own base as it is', async () => {
    await scene.succeed('rebase', scene.at('app'), scene.at('other'), ...onto('base-2', 'base-1-zstd'));
    expect((await scene.read('other')).manifest.layers).toEqual((await scene.read('done')).manifest.layers);
    const report = await scene.report('rebase', scene.at('app'), scene.at('same'), ...onto('base-1'));
    expect(report).toMatchObject({ unchanged: true });
    expect(report.platforms[0]).not.toHaveProperty('rebasing');
    await scene.succeed('rebase', scene.at('done'), scene.at('back'), ...onto('base-1', 'base-2'));
    expect((await scene.read('back')).manifest.config).toEqual((await scene.read('app')).manifest.config);
  });

  test('names what the new base lacks, writes nothing, and exits with 3; --force warns', async () => {
    const args = ['rebase', scene.at('app'), scene.at('bad'), ...onto('older')];
    const refused = await callCli(args);
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('linux/amd64 would not work on oci:');
    expect(refused.stderr).toContain(
      '"libc.so.6" has no version "GLIBC_2.38": its newest is "GLIBC_2.31"; needed by "app/server"',
    );
    expect(refused.stderr).toContain('the config’s user "app" is not in etc/passwd');
    expect(refused.stderr).toContain('[BASE_UNFIT]');
    await expect(scene.read('bad')).rejects.toThrow();
    const forced = await callCli([...args, '--force']);
    expect(forced.status).toBe(0);
    expect(forced.stderr).toContain('may not run on oci:');
    expect(await filesOf('bad')).toBeDefined();
  });

  test('tells the same in a dry run, with a report of every file', async () => {
    const file = scene.path('dry.json');
    const dry = await callCli(['rebase', scene.at('app'), ...onto('older'), '--dry-run', '--report', file]);
    expect([dry.status, dry.stderr]).toEqual([3, expect.stringContaining('2 things are missing there')]);
    const { platforms } = JSON.parse(await readFile(file, 'utf8')) as { platforms: { rebasing: object }[] };
    expect(platforms[0]?.rebasing).toMatchObject({
      oldBase: { layers: 2 },
      newBase: { layers: 1, name: null },
      applicationLayers: 2,
      missing: [
        {
          kind: 'symbol-version',
          what: 'libc.so.6 (GLIBC_2.38)',
          neededBy: [{ path: 'app/server' }],
          neededByCount: 1,
        },
        { kind: 'user', what: 'app', neededBy: [] },
      ],
      hidden: [],
    });
    expect(
      (await callCli(['rebase', scene.at('app'), ...onto('older'), '--dry-run', '--force'])).status,
    ).toBe(0);
    const markdown = scene.path('dry.md');
    await callCli(['rebase', scene.at('app'), ...onto('older'), '--dry-run', '--report', markdown]);
    expect(await readFile(markdown, 'utf8')).toContain('| `libc.so.6 (GLIBC_2.38)` |');
  });

  test('looks at the result with the options for its config', async () => {
    const args = ['rebase', scene.at('app'), scene.at('numbered'), ...onto('older'), '--user', '7:7'];
    const { status, stderr } = await callCli(args);
    expect(status).toBe(3);
    expect(stderr).not.toContain('etc/passwd');
  });

  test('warns of files that keep the new base’s from being seen', async () => {
    const { stderr } = await scene.run('rebase', scene.at('edited'), scene.at('hiding'), ...onto('base-2'));
    expect(stderr).toContain(
      'hide a file of the new base: "etc/passwd" (made from that of the old base) (BASE_HIDDEN)',
    );
    const report = await scene.report('rebase', scene.at('edited'), scene.at('hiding'), ...onto('base-2'));
    expect(report.platforms[0]?.rebasing?.hidden).toEqual([{ path: 'etc/passwd', how: 'outdated' }]);
  });

  describe('of a base that is gone, --old-base-layers', () => {
    const blind = (count: number, ...more: readonly string[]) =>
      callCli([
        'rebase',
        scene.at('app'),
        scene.at('blind'),
        '--new-base',
        scene.at('base-2'),
        '--old-base-layers',
        String(count),
        ...more,
      ]);

    test('says which layers are its, and the values of the image stay', async () => {
      const file = scene.path('blind.json');
      const { status, stderr } = await blind(2, '--report', file);
      expect(status, stderr).toBe(0);
      await scene.succeed('rebase', scene.at('app'), scene.at('seen'), ...onto('base-2'));
      expect(await filesOf('blind')).toEqual(await filesOf('seen'));
      const read = await scene.read('blind');
      expect(read.config.config).toMatchObject({
        Env: ['PATH=/app:/bin', 'VERSION=1', 'APP=1'],
        Entrypoint: ['/app/server'],
        User: 'app',
      });
      const report = JSON.parse(await readFile(file, 'utf8')) as {
        platforms: readonly { rebasing: unknown }[];
      };
      expect(report.platforms[0]?.rebasing).toMatchObject({
        oldBase: { digest: null, name: null, layers: 2 },
        applicationLayers: 2,
      });
    });

    test('is refused where a base that is there says otherwise, and beyond the layers of the image', async () => {
      for (const [count, more, message] of [
        [1, ['--old-base', scene.at('base-1')], 'which has 2 layers [BASE_MISMATCH]'],
        [5, [], 'has 4 layers only [BASE_MISMATCH]'],
      ] as const) {
        const { status, stderr } = await blind(count, ...more);
        expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
      }
      expect((await blind(2, '--old-base', scene.at('base-1'))).status).toBe(0);
      expect((await blind(0)).status).toBe(2);
    });
  });

  test('says at which layer an image parts from what is not its base', async () => {
    const { status, stderr } = await callCli([
      'rebase',
      scene.at('app'),
      scene.at('x'),
      ...onto('base-2', 'older'),
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /is not built on oci:\S+: at layer 1 of 1 the base has sha256:\S+, and the image has sha256:\S+ \[BASE_MISMATCH\]/,
    );
    const taller = await callCli(['rebase', scene.at('base-1'), scene.at('x'), ...onto('base-2', 'app')]);
    expect(taller.stderr).toContain('at layer 3 of 4 the base has');
    expect(taller.stderr).toContain('the image has 2 layers only');
  });

  test('needs to know both bases', async () => {
    const nameless = await callCli(['rebase', scene.at('app'), scene.at('x')]);
    expect([nameless.status, nameless.stderr]).toEqual([2, expect.stringContaining('--new-base REF')]);
    const unknown = await callCli([
      'rebase',
      scene.at('app'),
      scene.at('x'),
      '--new-base',
      scene.at('base-2'),
    ]);
    expect([unknown.status, unknown.stderr]).toEqual([
      1,
      expect.stringContaining('does not say what it was built on'),
    ]);
    expect(unknown.stderr).toContain('--old-base REF');
  });
});

describe('an index', () => {
  test('goes on the same platforms of the new base, without attestations of the old images', async () => {
    const { stderr } = await scene.run(
      'rebase',
      scene.at('apps'),
      scene.at('all'),
      ...onto('bases-2', 'bases-1'),
    );
    expect(stderr).toContain('ATTESTATION_DROPPED');
    for (const platform of ['linux/amd64', 'linux/arm64']) {
      const base = await scene.read('bases-2', 'layout', platform);
      const done = await scene.read('all', 'layout', platform);
      expect(done.manifest.layers.slice(0, 3)).toEqual(base.manifest.layers);
      expect(done.manifest.annotations).toMatchObject({
        'org.opencontainers.image.base.digest': base.descriptor.digest,
      });
    }
    expect(await filesOf('all', 'linux/arm64')).toEqual(await filesOf('done'));
  });

  test('with a platform that the new base lacks is refused by its name, and --platform chooses', async () => {
    const args = ['rebase', scene.at('apps'), scene.at('one'), ...onto('base-2', 'bases-1')];
    const { status, stderr } = await callCli(args);
    expect([status, stderr]).toEqual([1, expect.stringContaining('has no image for linux/arm64/v8')]);
    expect(stderr).toContain('--platform');
    await scene.succeed(...args, '--platform', 'linux/amd64');
    expect(await filesOf('one')).toEqual(await filesOf('done'));
  });
});

test('provenance names both bases, and no equivalence is claimed', async () => {
  const file = scene.path('rebase.jsonl');
  await scene.succeed(
    'rebase',
    scene.at('app'),
    scene.at('stated'),
    ...onto('base-2'),
    `--provenance=${file}`,
  );
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  expect(lines).toHaveLength(1);
  const { predicate } = JSON.parse(lines[0] as string) as {
    predicate: {
      buildDefinition: { resolvedDependencies: { annotations: { role: string }; digest: object }[] };
    };
  };
  const roles = predicate.buildDefinition.resolvedDependencies.map(({ annotations, digest }) => [
    annotations.role,
    Object.values(digest)[0],
  ]);
  const digestOf = async (tag: string) => (await scene.read(tag)).descriptor.digest.slice(7);
  expect(roles).toContainEqual(['old-base', await digestOf('base-1')]);
  expect(roles).toContainEqual(['new-base', await digestOf('base-2')]);
});
