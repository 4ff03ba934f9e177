import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { callCli } from '../support/cli.ts';
import { buildImage, digestOf } from '../support/image-builder.ts';
import { bytesOf } from '../support/model/byte-string.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';

const stanza = (name: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\n\n`;
const status = ['curl', 'dash'].map(stanza).join('');
const base = writeTar(
  [
    'etc/os-release=ID=debian\nVERSION_ID=12\n',
    'bin/sh=1',
    'usr/bin/curl=2',
    `var/lib/dpkg/status=${status}`,
    'var/lib/dpkg/info/curl.list=/.\n/usr/bin/curl\n',
    'var/lib/dpkg/info/dash.list=/.\n/bin/sh\n',
  ].map(specOf),
);
const app = writeTar(['app=1'].map(specOf));
const rpm = writeTar(['var/lib/rpm/Packages=damaged', 'a=1'].map(specOf));

const scene = openScene(() => ({
  app: buildImage({ layers: [base, app], compress: 'gzip' }),
  rpm: buildImage({ layers: [rpm] }),
}));

const pruning = ['--rule', 'usr/bin/curl', '--package-db', 'sync'];

/** Prunes the image, and returns its report with the file that holds it. */
async function pruned(
  name: string,
  ...options: readonly string[]
): Promise<{ report: Report; file: string }> {
  const report = await scene.report('prune', scene.at('app'), scene.at(name, 'out'), ...pruning, ...options);
  return { report, file: await scene.write(`${name}.json`, JSON.stringify(report)) };
}

describe('prune --package-db sync', () => {
  test('reports the edited file with both digests, and the packages that are no longer listed', async () => {
    const { report } = await pruned(
      'told',
      '--report',
      scene.path('told.md'),
      '--report',
      scene.path('told.html'),
    );
    const curl = {
      kind: 'dpkg',
      name: 'curl',
      version: '1:2-3',
      purl: 'pkg:deb/debian/curl@1:2-3?arch=amd64&distro=debian-12',
    };
    const after = bytesOf(stanza('dash'));
    expect(report.platforms[0]?.slimming?.edited).toEqual([
      {
        path: 'var/lib/dpkg/status',
        layer: 1,
        reason: 'package-db',
        before: { size: status.length, digest: digestOf(bytesOf(status)) },
        after: { size: after.length, digest: digestOf(after) },
        packages: ['curl'],
      },
    ]);
    expect(report.platforms[0]?.packageDb).toEqual({ takenOut: [curl], stillListed: [] });
    expect(await readFile(scene.path('told.md'), 'utf8')).toContain(
      '1 package without files no longer listed',
    );
    expect(await readFile(scene.path('told.html'), 'utf8')).toContain('Packages that are no longer listed');
    expect(await scene.succeed('cat', scene.at('told', 'out'), '/var/lib/dpkg/status')).toBe(
      stanza('dash').trim(),
    );
  });

  test('verify accepts the edit that the report names, and no other', async () => {
    const { file } = await pruned('proved');
    const verify = async (report: string) =>
      (await callCli(['verify', scene.at('app'), scene.at('proved', 'out'), '--removed-by', report])).status;
    expect(await verify(file)).toBe(0);
    const text = await readFile(file, 'utf8');
    for (const [what, digest] of [
      ['before', digestOf(bytesOf(status))],
      ['after', digestOf(bytesOf(stanza('dash')))],
    ] as const) {
      const forged = scene.path(`${what}.json`);
      await writeFile(forged, text.replaceAll(digest, `sha256:${'0'.repeat(64)}`));
      expect(await verify(forged), what).toBe(3);
    }
  });

  test('restore puts the original database back, alone by --path', async () => {
    await pruned('slim');
    const slim = scene.at('slim', 'out');
    await scene.succeed('restore', slim, scene.at('back', 'out'), '--original', scene.at('app'));
    await scene.expectSame(scene.at('app'), scene.at('back', 'out'));
    const [one, path] = [scene.at('one', 'out'), 'var/lib/dpkg/status'];
    await scene.succeed('restore', slim, one, '--original', scene.at('app'), '--path', path);
    expect(await scene.succeed('cat', one, path)).toBe(status.trim());
    expect((await callCli(['cat', one, 'usr/bin/curl'])).status).toBe(1);
  });

  test('the digest depends neither on the number of jobs nor on the cache', async () => {
    const { report } = await pruned('jobs', '--jobs', '1');
    const cached = ['--cache-dir', scene.path('cache')];
    for (const options of [['--jobs', '4'], cached, cached]) {
      const again = await pruned('jobs', ...options);
      expect(again.report.destination?.digest).toBe(report.destination?.digest);
    }
  });

  test('slim and a plan do the same, and a dry run says what would be edited', async () => {
    const plan = await scene.write(
      'plan.yaml',
      'version: 1\nprune:\n  rules: [usr/bin/curl]\n  packageDb: sync\n',
    );
    for (const args of [['--file', plan], pruning]) {
      const report = await scene.report('slim', scene.at('app'), scene.at('slimmed', 'out'), ...args);
      expect(report.platforms[0]?.packageDb?.takenOut).toMatchObject([{ name: 'curl' }]);
    }
    const dry = await scene.report('prune', scene.at('app'), '--dry-run', ...pruning);
    expect(dry.platforms[0]?.slimming?.edited).toMatchObject([{ path: 'var/lib/dpkg/status' }]);
  });

  test('alone takes out what instructions had deleted, and names the original', async () => {
    const gone = writeTar(['usr/bin/.wh.curl'].map(specOf));
    await scene.writeLayout({ gone: buildImage({ layers: [base, gone] }) }, 'deleted');
    const source = scene.at('gone', 'deleted');
    await scene.succeed('prune', source, scene.at('gone', 'out'), '--package-db', 'sync');
    expect(await scene.succeed('cat', scene.at('gone', 'out'), 'var/lib/dpkg/status')).toBe(
      stanza('dash').trim(),
    );
    await scene.succeed('restore', scene.at('gone', 'out'), scene.at('whole', 'out'), '--original', source);
    await scene.expectSame(source, scene.at('whole', 'out'));
  });

  test('a database in an unselected layer stays, with a warning', async () => {
    const upper = ['--layers', '2', '--rule', 'app', '--package-db', 'sync'];
    const { status: code, stderr } = await callCli([
      'prune',
      scene.at('app'),
      scene.at('upper', 'out'),
      ...upper,
    ]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.not.stringContaining('PACKAGES_LISTED') as string,
    });
    const gone = writeTar(['usr/bin/.wh.curl', 'z=1'].map(specOf));
    await scene.writeLayout({ gone: buildImage({ layers: [base, gone] }) }, 'deleted');
    const places = [scene.at('gone', 'deleted'), scene.at('left', 'out')];
    const left = await callCli(['prune', ...places, '--layers', '2', '--package-db', 'sync']);
    expect(left.stderr).toContain(
      'var/lib/dpkg/status" still lists 1 package without files: it is in layer 1, which was not selected',
    );
  });

  /** Builds an image of these files, in which curl is to lose its only one. */
  const odd = async (...files: readonly string[]) => {
    const layer = writeTar(['bin/sh=1', 'usr/bin/curl=2', ...files].map(specOf));
    await scene.writeLayout({ odd: buildImage({ layers: [layer] }) }, 'odd');
    const file = scene.path('odd.json');
    const { stderr } = await scene.run(
      'prune',
      scene.at('odd', 'odd'),
      scene.at('pruned', 'odd'),
      ...pruning,
      '--report',
      file,
    );
    const report = JSON.parse(await readFile(file, 'utf8')) as Report;
    return { stderr, packageDb: report.platforms[0]?.packageDb };
  };
  const dos = (text: string) => text.replaceAll('\n', '\r\n');
  const ofApk = (name: string, directory: string, file: string) =>
    `P:${name}\nV:1-r0\nF:${directory}\nR:${file}\n\n`;

  test.each([
    [
      'of dpkg',
      'var/lib/dpkg/status',
      dos(status),
      dos(stanza('dash')),
      [
        `var/lib/dpkg/info/curl.list=${dos('/.\n/usr/bin/curl\n')}`,
        `var/lib/dpkg/info/dash.list=${dos('/.\n/bin/sh\n')}`,
      ],
    ],
    [
      'of apk',
      'lib/apk/db/installed',
      dos(ofApk('curl', 'usr/bin', 'curl') + ofApk('dash', 'bin', 'sh')),
      dos(ofApk('dash', 'bin', 'sh')),
      [],
    ],
  ])(
    'a database %s whose lines end as on Windows is edited, and keeps them',
    async (_, path, before, after, others) => {
      const { packageDb } = await odd(`${path}=${before}`, ...others);
      expect(packageDb?.takenOut.map(({ name }) => name)).toEqual(['curl']);
      const { stdout } = await scene.run('cat', scene.at('pruned', 'odd'), path);
      expect(stdout).toBe(after);
    },
  );

  test('what distroless images have for a package goes, with such lines, too', async () => {
    const fragment = 'var/lib/dpkg/status.d/curl';
    const { packageDb } = await odd(
      `${fragment}=${dos(stanza('curl'))}`,
      `${fragment}.md5sums=${dos('d41d8cd98f00b204e9800998ecf8427e  usr/bin/curl\n')}`,
    );
    expect(packageDb?.takenOut.map(({ name }) => name)).toEqual(['curl']);
    expect((await callCli(['ls', scene.at('pruned', 'odd'), fragment])).status).toBe(1);
  });

  test.each([
    ['var/lib/dpkg/status', ['opt/status=X', 'var/lib/dpkg/status~>/opt/status']],
    ['var/lib/dpkg', ['opt/status=X', 'var/lib/dpkg~>/opt']],
    ['var/lib/dpkg/status.d/curl', ['opt/curl=X', 'var/lib/dpkg/status.d/curl~>/opt/curl']],
    ['lib/apk/db/installed', ['opt/db=X', 'lib/apk/db/installed~>/opt/db']],
  ])('a database behind the symbolic link %s stays, with a warning', async (link, files) => {
    const { stderr, packageDb } = await odd(...files.map((file) => file.replace('X', status)));
    expect(stderr).toContain(
      `the package database "${link}" cannot be read (it is a symbolic link, to "opt/`,
    );
    expect(stderr).toContain('(PACKAGES_LISTED)');
    expect(packageDb?.takenOut).toEqual([]);
    expect(packageDb?.stillListed).toHaveLength(1);
  });

  test('a database of rpm is refused with the reason, and nothing is written', async () => {
    const result = await callCli(['prune', scene.at('rpm'), scene.at('rpm', 'out'), '--package-db', 'sync']);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toContain('only rpm can take a package out of it');
  });
});
