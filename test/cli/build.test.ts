import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { openLayout, validateTree } from '../support/image-reader.ts';
import { applyLayers } from '../support/model/filesystem.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';

const arm = { os: 'linux', architecture: 'arm64', variant: 'v8' };
const baseFor = (platform = { os: 'linux', architecture: 'amd64' }) =>
  buildImage({
    platform,
    layers: [
      ['usr/', 'usr/lib/', 'lib~>usr/lib', 'srv/', 'srv/site/', 'tmp/'],
      ['etc/', 'etc/app.conf=old', 'srv/site/old=x'],
    ].map((entries) => writeTar(entries.map(specOf))),
  });

const scene = openScene(() => {
  const [one, two] = [baseFor(), baseFor(arm)];
  const merged = buildImage({
    layers: [
      ['usr/', 'usr/bin/', 'usr/bin/sh=sh', 'usr/lib/', 'bin~>usr/bin', 'lib~>/usr/lib'],
      ['var/', 'run/', 'var/run~>../run', 'srv/', 'srv/public/', 'srv/www~>public'],
    ].map((entries) => writeTar(entries.map(specOf))),
  });
  return { base: one, both: buildIndex({ images: [one, two], attestations: true }), merged };
});

beforeAll(() => {
  mkdirSync(scene.path('site'));
  writeFileSync(scene.path('site', 'index.html'), '<p>', { mode: 0o600 });
  mkdirSync(scene.path('site', 'sub'));
  symlinkSync('index.html', scene.path('site', 'sub', 'l'));
  writeFileSync(scene.path('site', 'secret'), 's');
  writeFileSync(scene.path('site', '.dockerignore'), 'secret\n.dockerignore\n');
  writeFileSync(scene.path('app.conf'), 'new');
  writeFileSync(scene.path('f.tar'), writeTar(['t/', 't/x=1', '.wh.tmp='].map(specOf)));
});

const site = (wishes = ':/srv/site') => `${scene.path('site')}${wishes}`;

/** Returns the digests of the unpacked layers that the config of an image states. */
async function diffIds(tag: string): Promise<readonly string[]> {
  const { config } = await scene.read(tag);
  return (config as { rootfs: { diff_ids: readonly string[] } }).rootfs.diff_ids;
}

/** Returns what an image has, and finds no fault in its documents. */
async function files(tag: string, platform?: string): Promise<readonly string[]> {
  expect(validateTree(await openLayout(scene.path('layout'), tag))).toEqual([]);
  const { layers } = await scene.read(tag, 'layout', platform);
  return [...applyLayers(layers)].flatMap(([path, { kind, target }]) =>
    path === '' ? [] : [`${path} ${kind}${target === '' ? '' : ` ${target}`}`],
  );
}

const ofBase = [
  'etc dir',
  'etc/app.conf file',
  'lib symlink usr/lib',
  'srv dir',
  'srv/site dir',
  'srv/site/old file',
  'tmp dir',
  'usr dir',
  'usr/lib dir',
];
const ofSite = ['index.html file', 'sub dir', 'sub/l symlink index.html'];
const sorted = (list: readonly string[]) => list.toSorted();

describe('append', () => {
  test('puts what is in a directory into one that the image has, and leaves out what .dockerignore names', async () => {
    const report = await scene.report('append', scene.at('base'), scene.at('a'), '--layer', site());
    expect(sorted(await files('a'))).toEqual(
      sorted([...ofBase, ...ofSite.map((each) => `srv/site/${each}`)]),
    );
    expect(report.platforms[0]?.layers.map(({ action }) => action)).toEqual(['kept', 'kept', 'added']);
    const { layers } = await scene.read('a');
    // The directories of the image keep their attributes: they have no entry.
    expect(layers[2]?.map(({ name }) => name)).toEqual([
      'srv/site/index.html',
      'srv/site/sub/',
      'srv/site/sub/l',
    ]);
  });

  test('leaves the layers of the image as they are, and adds a row to the history for each new one', async () => {
    await scene.run(
      'append',
      scene.at('base'),
      scene.at('b'),
      '--layer',
      site(),
      '--layer',
      scene.path('f.tar'),
    );
    const [before, after] = [await scene.read('base'), await scene.read('b')];
    expect(after.manifest.layers.slice(0, 2)).toEqual(before.manifest.layers);
    const rows = after.config.history?.map((row) => row.created_by) ?? [];
    expect(rows.slice(-2)).toEqual(['ocislim: files at /srv/site', 'ocislim: files at /']);
    expect(await files('b')).not.toContain('tmp dir');
  });

  test.each([
    ['/etc/', 'etc/app.conf file'],
    ['/etc', 'etc/app.conf file'],
    ['/etc/other', 'etc/other file'],
    ['/lib/', 'usr/lib/app.conf file'],
    ['/lib/x/y.conf', 'usr/lib/x/y.conf file'],
    ['/opt/a/b.conf', 'opt/a/b.conf file'],
  ])('puts a file at %s', async (place, wanted) => {
    await scene.run(
      'append',
      scene.at('base'),
      scene.at('c'),
      '--layer',
      `${scene.path('app.conf')}:${place}`,
    );
    const found = await files('c');
    expect(found).toContain(wanted);
    expect(found).toContain('lib symlink usr/lib');
    expect(found.length).toBe(new Set([...ofBase, ...found]).size);
  });

  describe('where a directory has the name of a symlink of the image, which leads to a directory', () => {
    const ofMerged = [
      'bin symlink usr/bin',
      'lib symlink /usr/lib',
      'usr/bin/sh file',
      'var/run symlink ../run',
    ];

    beforeAll(() => {
      for (const [folder, paths] of Object.entries({
        overlay: ['bin/tool', 'lib/sub/x', 'var/run/pid', 'etc/conf'],
        pages: ['www/index.html'],
        twice: ['bin/tool', 'usr/bin/tool'],
      }))
        for (const path of paths) {
          mkdirSync(scene.path(folder, dirname(path)), { recursive: true });
          writeFileSync(scene.path(folder, path), path);
        }
    });

    test.each([
      ['at the root', 'overlay:/', ['usr/bin/tool', 'usr/lib/sub/x', 'run/pid', 'etc/conf']],
      ['without a path', 'overlay', ['usr/bin/tool', 'usr/lib/sub/x', 'run/pid', 'etc/conf']],
      ['below a path', 'pages:/srv', ['srv/public/index.html']],
    ])('what is in it goes there: %s', async (_, layer, wanted) => {
      await scene.run('append', scene.at('merged'), scene.at('kept'), '--layer', scene.path(layer));
      const found = await files('kept');
      expect(found).toEqual(expect.arrayContaining([...ofMerged, ...wanted.map((path) => `${path} file`)]));
      const { layers } = await scene.read('kept');
      for (const { name } of layers.at(-1) ?? [])
        expect(name).not.toMatch(/^(?:bin|lib|var\/run|srv\/www)\/?$/);
    });

    test('two files that become one are refused', async () => {
      const { status, stderr } = await callCli([
        'append',
        scene.at('merged'),
        scene.at('no'),
        '--layer',
        scene.path('twice'),
      ]);
      expect([status, stderr]).toEqual([1, expect.stringContaining('two files become "usr/bin/tool"')]);
    });

    test('a tar at the root stays as it is', async () => {
      writeFileSync(scene.path('bin.tar'), writeTar(['bin/', 'bin/only=1'].map(specOf)));
      await scene.run('append', scene.at('merged'), scene.at('tar'), '--layer', scene.path('bin.tar'));
      expect(await files('tar')).toEqual(expect.arrayContaining(['bin dir', 'bin/only file']));
    });
  });

  test('refuses a path below a file of the image', async () => {
    const { status, stderr } = await callCli([
      'append',
      scene.at('base'),
      scene.at('d'),
      '--layer',
      site(':/etc/app.conf/x'),
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain(
      'nothing can be put at "etc/app.conf/x": in linux/amd64, "etc/app.conf" is a file',
    );
  });

  test('refuses a directory in the place of a file of the image', async () => {
    for (const layer of [site(':/etc/app.conf'), site('/index.html:/etc/app.conf/')]) {
      const { status, stderr } = await callCli(['append', scene.at('base'), scene.at('d'), '--layer', layer]);
      expect(status, stderr).toBe(1);
      expect(stderr).toContain('no directory can be put at "etc/app.conf": in linux/amd64, it is a file');
    }
  });

  test('adds to every image of an index, or to the one that is selected', async () => {
    const { stderr } = await scene.run('append', scene.at('both'), scene.at('e'), '--layer', site(':/new'));
    expect(stderr).toContain('attestation');
    for (const platform of ['linux/amd64', 'linux/arm64'])
      expect(await files('e', platform)).toContain('new/sub dir');
    await scene.run(
      'append',
      scene.at('both'),
      scene.at('f'),
      '--layer',
      site(':/new'),
      '--platform',
      'linux/arm64',
    );
    const platforms = (await scene.report('copy', scene.at('f'), scene.at('g'))).platforms.map(
      ({ platform }) => platform,
    );
    expect(platforms).toEqual(['linux/arm64/v8']);
  });

  test('claims no equivalence with the source', async () => {
    const file = scene.path('statements.json');
    const layer = ['--layer', site(':/new'), `--provenance=${file}`];
    await scene.run('append', scene.at('base'), scene.at('stated'), ...layer);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('slsa.dev/provenance');
    expect(text).not.toContain('equivalence');
  });

  test('needs a layer', async () => {
    const { status, stderr } = await callCli(['append', scene.at('base'), scene.at('x')]);
    expect([status, stderr]).toEqual([2, expect.stringContaining('append needs to know what to add')]);
  });
});

describe('build', () => {
  test('makes an image from nothing, with its config', async () => {
    await scene.run(
      'build',
      scene.at('s'),
      '--layer',
      site(':/srv/www,chown=5'),
      '--platform',
      'linux/arm64/v8',
      '--entrypoint',
      '["/srv/www/index.html"]',
      '--env',
      'A=b',
    );
    expect(sorted(await files('s'))).toEqual(
      sorted(['srv dir', 'srv/www dir', ...ofSite.map((each) => `srv/www/${each}`)]),
    );
    const { config, layers } = await scene.read('s');
    expect(config).toMatchObject({
      architecture: 'arm64',
      variant: 'v8',
      created: '1970-01-01T00:00:00Z',
      config: { Entrypoint: ['/srv/www/index.html'], Env: ['A=b'] },
    });
    const { history } = config as { history: readonly { created?: string }[] };
    expect(new Set(history.map(({ created }) => created))).toEqual(new Set(['1970-01-01T00:00:00Z']));
    expect(layers[0]?.map(({ name, uid, mtime }) => [name, uid, mtime])[0]).toEqual(['srv/', 5, '0']);
  });

  test('names no source in the provenance of what is made from nothing, and the base of what is not', async () => {
    const parts = async (...args: readonly string[]) => {
      const file = scene.path('built.statements');
      await scene.run('build', ...args, '--layer', site(':/srv'), `--provenance=${file}`);
      const { buildDefinition } = JSON.parse(
        readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '',
      ).predicate;
      return { ...buildDefinition.externalParameters, read: buildDefinition.resolvedDependencies };
    };
    const both = ['--platform', 'linux/amd64', '--platform', 'linux/arm64'];
    for (const platforms of [both.slice(2), both]) {
      const made = await parts(scene.at('nothing'), ...platforms);
      expect(made).not.toHaveProperty('source');
      expect(made).toMatchObject({ command: 'build' });
      // What was added is named by the tar that was made of it, one for each platform.
      expect(made.read).toEqual(
        platforms
          .filter((each) => each !== '--platform')
          .map((platform) => ({
            name: 'layer 1',
            digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
            annotations: { role: 'added', platform },
          })),
      );
    }
    const based = await parts(scene.at('base'), scene.at('based'));
    expect(based.source.annotations).toEqual({ role: 'source' });
    expect(based.read).toEqual([
      based.source,
      {
        name: `layer ${(await scene.read('based')).layers.length}`,
        digest: { sha256: (await diffIds('based')).at(-1)?.slice('sha256:'.length) },
        annotations: { role: 'added', platform: 'linux/amd64' },
      },
    ]);
  });

  test('makes no layer for Windows, whose layers have another form', async () => {
    const words = ['--platform', 'windows/amd64', '--layer', site(':/srv')];
    const { status, stderr } = await callCli(['build', scene.at('w'), ...words]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('layers of Windows have a form of their own'),
    ]);
  });

  test('makes an index, each platform with its own layer on top of the common ones', async () => {
    mkdirSync(scene.path('arm'));
    writeFileSync(scene.path('arm', 'program'), 'arm');
    await scene.run(
      'build',
      scene.at('m'),
      '--layer',
      site(':/srv'),
      '--platform',
      `linux/arm64=${scene.path('arm')}:/bin`,
      '--platform',
      'linux/amd64',
    );
    expect(await files('m', 'linux/arm64')).toContain('bin/program file');
    expect(await files('m', 'linux/amd64')).not.toContain('bin dir');
    const [one, other] = [
      await scene.read('m', 'layout', 'linux/amd64'),
      await scene.read('m', 'layout', 'linux/arm64'),
    ];
    expect(other.manifest.layers.slice(0, 1)).toEqual(one.manifest.layers);
  });

  test('builds on a base, whose platforms may have layers of their own', async () => {
    await scene.run(
      'build',
      scene.at('both'),
      scene.at('n'),
      '--platform',
      `linux/arm64=${scene.path('site')}:/x`,
      '--platform',
      'linux/amd64',
    );
    expect(await files('n', 'linux/arm64')).toContain('x/sub dir');
    expect(await files('n', 'linux/amd64')).not.toContain('x dir');
  });

  test('gives the same digest again, with --tag, to an archive, with a cache, and in parts', async () => {
    const options = ['--layer', site(':/srv'), '--layer', scene.path('f.tar'), '--platform', 'linux/amd64'];
    const digestOf = async (...args: string[]) =>
      (await scene.succeed('build', ...args, ...options)).split('@').at(-1);
    const first = await digestOf(scene.at('p'));
    const cache = ['--cache-dir', scene.path('cache')];
    expect(await digestOf('-t', scene.at('q'))).toBe(first);
    expect(await digestOf(`oci-archive:${scene.path('p.tar')}:1`)).toBe(first);
    expect(await digestOf(scene.at('r'), ...cache)).toBe(first);
    expect(await digestOf(scene.at('s1', 'other'), ...cache, '--jobs', '1')).toBe(first);
  });

  test('takes from the cache what has been made before', async () => {
    const cache = ['--cache-dir', scene.path('cache2')];
    const run = (tag: string, layout: string) =>
      scene.report('build', scene.at(tag, layout), '--layer', site(':/c'), ...cache);
    await run('1', 'c1');
    const { transfer } = await run('1', 'c2');
    expect(transfer.cachedBytes).toBeGreaterThan(0);
  });

  test('says what would happen, and writes nothing', async () => {
    const report = await scene.report('build', scene.at('t', 'dry'), '--layer', site(':/c'), '--dry-run');
    expect(report.platforms[0]?.layers).toMatchObject([{ action: 'planned', before: [], after: null }]);
    await expect(scene.read('t', 'dry')).rejects.toThrow();
  });

  test('packs new layers as is wanted, and plain ones for docker load', async () => {
    await scene.run('build', scene.at('z'), '--layer', site(), '--compression', 'zstd', '--level', '5');
    expect((await scene.read('z')).manifest.layers[0]?.mediaType).toBe(
      'application/vnd.oci.image.layer.v1.tar+zstd',
    );
    await scene.run('build', `docker-archive:${scene.path('d.tar')}:app:1`, '--layer', site());
    await scene.run('copy', `docker-archive:${scene.path('d.tar')}:app:1`, scene.at('back'));
    expect(await files('back')).toContain('srv/site/sub dir');
  });

  test('from nothing shows no source, in no report', async () => {
    const [markdown, page, json] = ['md', 'html', 'json'].map((type) => scene.path(`nothing.${type}`)) as [
      string,
      string,
      string,
    ];
    const reports = [markdown, page, json].flatMap((file) => ['--report', file]);
    const { stderr } = await scene.run('build', scene.at('n'), '--layer', site(), ...reports);
    expect(stderr).toContain('build from nothing, for linux/');
    expect(stderr).not.toMatch(/^ +old |downloaded|scratch:/m);
    const text = readFileSync(markdown, 'utf8');
    expect(text).toContain('build: from nothing, for linux/');
    expect(text).not.toMatch(/\| old \||downloaded|scratch:/);
    expect(readFileSync(page, 'utf8')).not.toMatch(/"role":"Source"/);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ transfer: { downloadedBytes: 0 } });
    const dry = await scene.run('build', scene.at('n'), '--layer', site(), '--dry-run');
    expect(dry.stderr).toMatch(/would grow from 0 B to about \d+ B \(±\d+ B\)/);
  });

  test.each(['chown=5', 'chmod=644', 'mtime=keep'])(
    'refuses a wish behind a tar, which keeps its own: %s',
    async (wish) => {
      const layer = `${scene.path('f.tar')}:/opt,${wish}`;
      const { status, stderr } = await callCli(['build', scene.at('bad'), '--layer', layer]);
      const [name = ''] = wish.split('=');
      expect([status, stderr]).toEqual([
        2,
        expect.stringContaining(`,${name} behind the tar "${scene.path('f.tar')}" has no effect`),
      ]);
    },
  );

  test('warns of options that change no file of what is added, and of none that does', async () => {
    const options = ['--chown', '5', '--mtime', '7', '--exclude', 'x', '-q'];
    const tarOnly = await scene.run('build', scene.at('t'), '--layer', scene.path('f.tar'), ...options);
    for (const name of ['--chown', '--mtime', '--exclude'])
      expect(tarOnly.stderr).toMatch(new RegExp(`^warning: ${name} .*\\(SETTING_IGNORED\\)$`, 'm'));
    const beside = ['--layer', scene.path('f.tar'), '--layer', site()];
    const { stderr } = await scene.run('build', scene.at('t'), ...beside, ...options);
    expect(stderr).not.toContain('SETTING_IGNORED');
  });

  test.each([
    ['xz', 's.tar.xz', 'fd377a585a000000', 'xz'],
    ['bzip2', 's.tbz2', '425a683931415926', 'bzip2'],
  ])('refuses a tar in %s with the command that unpacks it', async (name, file, magic, program) => {
    writeFileSync(scene.path(file), Buffer.from(magic, 'hex'));
    for (const [text, more] of [
      [scene.path(file), '\n'],
      [`tar:${scene.path(file)}`, '\n'],
      [`${scene.path(file)}:/opt`, `, or add it as a file: file:${scene.path(file)}:/opt\n`],
    ] as const) {
      const { status, stderr } = await callCli(['build', scene.at('bad'), '--layer', text]);
      expect(status).toBe(2);
      expect(stderr).toContain(`it is packed with ${name}, which ocislim does not read`);
      expect(stderr).toContain(`Unpack it first: ${program} -dk ${scene.path(file)}${more}`);
    }
    await scene.run('build', scene.at('packed'), '--layer', `file:${scene.path(file)}:/opt/`);
    expect(await files('packed')).toContain(`opt/${file} file`);
  });

  test.each([
    [['--layer', 'nowhere:/x'], 2, 'cannot add "nowhere": it does not exist'],
    [['--layer', '/dev/null:/x'], 2, 'cannot add "/dev/null": it is neither a directory nor a file'],
    [['--platform', 'linux/'], 2, 'not a platform'],
    [[], 2, 'build needs to know what to put into the image'],
  ])('refuses %j', async (options, wanted, message) => {
    const { status, stderr } = await callCli(['build', scene.at('bad'), ...options]);
    expect([status, stderr]).toEqual([wanted, expect.stringContaining(message)]);
  });
});
