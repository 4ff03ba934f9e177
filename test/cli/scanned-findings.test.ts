import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Report, ScannedReport } from '../../src/report/report.ts';
import { callCli } from '../support/cli.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { scannedLayer } from '../support/scanned-image.ts';
import { openScene } from '../support/scene.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/findings/${name}`, import.meta.url));

const scene = openScene(() => {
  const image = (architecture: string) =>
    buildImage({ layers: [scannedLayer()], compress: 'gzip', platform: { os: 'linux', architecture } });
  return { app: image('amd64'), both: buildIndex({ images: [image('amd64'), image('arm64')] }) };
});

const pruning = ['usr/bin/curl', 'usr/bin/perl', 'app', 'usr/local/bin/redis-server'].flatMap((rule) => [
  '--rule',
  rule,
]);

async function scanned(files: readonly string[], ...options: readonly string[]): Promise<ScannedReport> {
  const report = await scene.report(
    'prune',
    scene.at('app'),
    scene.at('out', 'out'),
    ...pruning,
    ...options,
    ...files.flatMap((file) => ['--findings', fixture(file)]),
  );
  return scannedOf(report);
}

function scannedOf({ platforms }: Report): ScannedReport {
  const [platform] = platforms;
  if (platform?.scanned === undefined) throw new Error('no findings in the report');
  return platform.scanned;
}

/** Shows the findings in short: "CVE-2026-1001 gone". */
function fates({ findings }: ScannedReport): string[] {
  return findings.map(({ id, fate, listed }) => `${id} ${fate}${listed ? ' listed' : ''}`);
}

describe('prune --findings', () => {
  test('tells of Trivy what went, what went in part, what stays, and what the image does not have', async () => {
    const found = await scanned(['trivy.json']);
    expect(fates(found)).toEqual([
      'CVE-2026-1001 gone listed',
      'CVE-2026-1002 stays listed',
      'CVE-2026-2001 gone',
      'CVE-2026-2001 stays',
      'CVE-2026-1003 partly listed',
      'CVE-2026-1004 stays listed',
      'CVE-2026-1005 unmatched',
    ]);
    const none = { critical: 0, high: 0, medium: 0, low: 0, negligible: 0, unknown: 0 };
    expect(found.before).toEqual({ ...none, critical: 1, high: 3, medium: 1, low: 2 });
    expect(found.after).toEqual({ ...none, high: 2, medium: 1, low: 2 });
    expect(found.files).toEqual([{ file: fixture('trivy.json'), format: 'trivy', findings: 7 }]);
  });

  test('tells of Grype the same, and of files that no package has', async () => {
    expect(fates(await scanned(['grype.json']))).toEqual([
      'CVE-2026-1001 gone listed',
      'GHSA-aaaa-bbbb-cccc gone',
      'CVE-2026-3001 gone',
      'CVE-2026-1004 stays listed',
      'CVE-2026-1002 stays listed',
    ]);
  });

  test.each(['trivy.sarif', 'grype.sarif'])('reads SARIF: %s', async (file) => {
    expect(fates(await scanned([file]))).toContain('CVE-2026-1001 gone listed');
  });

  test('knows with --package-db sync that no database lists a package any more', async () => {
    const found = await scanned(['trivy.json'], '--package-db', 'sync');
    expect(fates(found)).toContain('CVE-2026-1001 gone');
    expect(fates(found)).toContain('CVE-2026-1003 partly listed');
  });

  test('shows it in the summary, in Markdown and on the page', async () => {
    const [md, html] = [scene.path('r.md'), scene.path('r.html')];
    const places = ['prune', scene.at('app'), scene.at('shown', 'out'), '--report', md, '--report', html];
    const { stderr } = await callCli([...places, ...pruning, '--findings', fixture('trivy.json')]);
    expect(stderr).toMatch(/findings +7 +→ +5\s+of scanners; gone: 1 critical, 1 high/);
    expect(stderr).toContain(
      '1 finding of packages without files, which are still listed (--package-db sync)',
    );
    expect(await readFile(md, 'utf8')).toContain('### What scanners had found');
    expect(await readFile(html, 'utf8')).toContain('7 before, 5 after; gone: 1 critical, 1 high');
  });

  test('works in a dry run and with slim', async () => {
    const findings = ['--findings', fixture('trivy.json')];
    const dry = await scene.report('prune', scene.at('app'), '--dry-run', ...pruning, ...findings);
    expect(fates(scannedOf(dry))[0]).toBe('CVE-2026-1001 gone listed');
    const slim = await scene.report(
      'slim',
      scene.at('app'),
      scene.at('slim', 'out'),
      ...pruning,
      ...findings,
    );
    expect(fates(scannedOf(slim))[0]).toBe('CVE-2026-1001 gone listed');
  });

  test('warns where nothing matches', async () => {
    const other = await scene.write(
      'other.json',
      JSON.stringify({
        SchemaVersion: 2,
        Results: [{ Vulnerabilities: [{ VulnerabilityID: 'X', PkgName: 'y' }] }],
      }),
    );
    const args = ['prune', scene.at('app'), scene.at('w', 'out'), ...pruning, '--findings', other];
    expect((await callCli(args)).stderr).toContain('FINDINGS_UNMATCHED');
  });

  test('changes no digest', async () => {
    const digest = async (...options: readonly string[]) =>
      (await scene.succeed('prune', scene.at('app'), scene.at('same', 'out'), ...pruning, ...options)).split(
        '@',
      )[1];
    expect(await digest('--findings', fixture('grype.json'))).toBe(await digest());
  });
});

describe('prune --vex', () => {
  const vexOf = async (tag: string, findings: string, env: Readonly<Record<string, string>> = {}) => {
    const file = scene.path(`${tag}.vex.json`);
    const places = ['prune', scene.at(tag), scene.at(`${tag}-vex`, 'out')];
    const args = [...places, ...pruning, '--vex', file, '--findings', fixture(findings)];
    const { status, stdout, stderr } = await callCli(args, env);
    expect(status, stderr).toBe(0);
    return { document: JSON.parse(await readFile(file, 'utf8')), digest: stdout.trim().split('@')[1] ?? '' };
  };

  test('states of each vulnerability that went that its package is not in the image of the new digest', async () => {
    const { document, digest } = await vexOf('app', 'trivy.json');
    expect(document).toMatchObject({
      '@context': 'https://openvex.dev/ns/v0.2.0',
      author: 'ocislim',
      version: 1,
    });
    const product = `pkg:oci/out@${encodeURIComponent(digest).replace('%3A', ':')}?arch=amd64&tag=app-vex`;
    const curl = 'pkg:deb/debian/curl@2-3?arch=amd64&distro=debian-12&epoch=1';
    expect(document.statements).toEqual([
      {
        vulnerability: { name: 'CVE-2026-1001' },
        products: [
          {
            '@id': product,
            identifiers: { purl: product },
            hashes: { 'sha-256': digest.replace('sha256:', '') },
            subcomponents: [{ '@id': curl, identifiers: { purl: curl } }],
          },
        ],
        status: 'not_affected',
        justification: 'component_not_present',
      },
    ]);
  });

  test('names every platform of an index, and has the same bytes with SOURCE_DATE_EPOCH', async () => {
    const run = () => vexOf('both', 'grype.json', { SOURCE_DATE_EPOCH: '1700000000' });
    const [one, other] = [await run(), await run()];
    expect(one).toEqual(other);
    expect(one.document.timestamp).toBe('2023-11-14T22:13:20Z');
    expect(one.document.statements[0].products).toHaveLength(2);
  });

  test('refuses a file that cannot be written before the source is opened', async () => {
    const report = scene.path('both.json');
    const findings = ['--findings', fixture('trivy.json')];
    const places = [`oci:${scene.path('nothing')}:1`, scene.at('unwritten', 'out')];
    const args = ['prune', ...places, ...pruning, ...findings];
    for (const [options, status, message] of [
      [['--vex', scene.path('none', 'x.json')], 1, '--vex: cannot write'],
      [['--vex='], 2, '--vex is empty: it takes a file'],
      [['--vex', report, '--report', report], 2, 'is the file of --report too'],
    ] as const) {
      const result = await callCli([...args, ...options]);
      expect(result.stderr).toContain(message);
      expect(result.status).toBe(status);
    }
  });

  test('needs findings, and writes no document without a statement', async () => {
    const file = scene.path('none.json');
    const args = ['prune', scene.at('app'), scene.at('none', 'out'), '--vex', file];
    expect(await callCli([...args, '--rule', 'bin/sh'])).toMatchObject({ status: 2 });
    const { stderr } = await callCli([...args, '--shadowed', '--findings', fixture('trivy.json')]);
    expect(stderr).toContain('VEX_EMPTY');
    await expect(access(file)).rejects.toThrow();
  });
});
