/**
 * Package databases after --package-db sync, by the word of others: dpkg itself reads them, a library of OpenVEX reads what is
 * stated of the package that went, and where everything is tested, verify and restore know the edit, syft lists what is left, and a recording
 * synchronises too.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ocislim } from '../support/e2e/cli.ts';
import { removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { isWhole } from '../support/extent.ts';

let work: string;
let source: string;
let slim: string;
/** The package that goes. */
const gone = 'tar';

/** Runs ocislim, which must succeed. */
async function ok(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await ocislim([...args, '--progress', 'none']);
  expect(status, stderr).toBe(0);
  return stdout;
}

beforeAll(async () => {
  work = workFolder('package-db');
  source = `oci:${inject('images')}/nginx:v1`;
  slim = `oci:${work}/slim:v1`;
  const names = (await ok('cat', source, `/var/lib/dpkg/info/${gone}.list`))
    .split('\n')
    .filter((name) => name !== '/.');
  const paths = names.filter((name) => name !== '' && !names.some((other) => other.startsWith(`${name}/`)));
  // Since /usr was merged, some files lie elsewhere than the list says.
  const rules = paths.flatMap((name) => [name, `/usr${name}`]).map((name) => name.slice(1));
  writeFileSync(join(work, 'rules'), `${rules.join('\n')}\n`);
  const status = await ok('cat', source, '/var/lib/dpkg/status');
  const [, version = ''] = new RegExp(`^Package: ${gone}$[^]*?^Version: (.*)$`, 'm').exec(status) ?? [];
  writeFileSync(join(work, 'trivy.json'), JSON.stringify(scanOf(version)));
  const files = ['--report', join(work, 'report.json'), '--vex', join(work, 'vex.json')];
  const options = ['--package-db', 'sync', '--findings', join(work, 'trivy.json'), ...files];
  await ok('prune', source, slim, '--rules', join(work, 'rules'), ...options);
});
afterAll(() => removeFolder(work));

/** Makes the JSON of Trivy about a package of an image. */
function scanOf(version: string): object {
  const found = {
    VulnerabilityID: 'CVE-2026-1',
    PkgName: gone,
    InstalledVersion: version,
    Severity: 'HIGH',
    PkgIdentifier: { PURL: `pkg:deb/debian/${gone}@${version}?arch=amd64&distro=debian-12` },
  };
  return {
    SchemaVersion: 2,
    Results: [{ Target: 'app', Class: 'os-pkgs', Type: 'debian', Vulnerabilities: [found] }],
  };
}

/** Reads OpenVEX documents with vexipy, and prints what each states, or that it is refused. */
const judgeVex = `
import sys
from vexipy import Document
for text in [open(sys.argv[1]).read(), open(sys.argv[1]).read().replace('component_not_present', 'gone')]:
    try:
        for statement in Document.from_json(text).statements:
            print(statement.vulnerability.name, statement.status.value, statement.justification.value, len(statement.products))
    except ValueError:
        print('refused')
`;

/** Lists what dpkg finds installed in the database of an image. */
async function installedIn(image: string, name: string): Promise<{ names: string[]; admin: string }> {
  const folder = join(work, name);
  mkdirSync(folder);
  await ok('extract', image, '/var/lib/dpkg', folder);
  const admin = join(folder, 'dpkg');
  const form = '-f=${Package} ${Status}\\n';
  const listed = await run('dpkg-query', [`--admindir=${admin}`, '-W', form]);
  const lines = listed.trim().split('\n');
  return { names: lines.map((line) => line.replace(/ install ok installed$/, '')), admin };
}

it('dpkg lists every package but the one without files, and finds nothing wrong', async () => {
  const [before, after] = [await installedIn(source, 'before'), await installedIn(slim, 'after')];
  expect(after.names).toEqual(before.names.filter((name) => name !== gone));
  expect(before.names).toContain(gone);
  const audit = await runToEnd('dpkg', [`--admindir=${after.admin}`, '--audit']);
  expect(audit).toMatchObject({ status: 0, stdout: '' });
});

it('vexipy reads what the OpenVEX document states of the package that went', async () => {
  const printed = await run('/opt/ocislim-judges/bin/python', ['-c', judgeVex, join(work, 'vex.json')]);
  expect(printed).toBe('CVE-2026-1 not_affected component_not_present 1\nrefused\n');
});

// A test that is skipped counts as failed, so those that take long are not there.
it.each(isWhole ? ['verify', 'restore'] : [])('%s knows the edit', async (command) => {
  const report = join(work, 'report.json');
  const { platforms } = JSON.parse(readFileSync(report, 'utf8'));
  expect(platforms[0].slimming.edited).toMatchObject([{ path: 'var/lib/dpkg/status', packages: [gone] }]);
  if (command === 'verify') {
    await ok('verify', source, slim, '--removed-by', report);
    expect((await ocislim(['verify', source, slim, '--except', '**'])).status).toBe(3);
    return;
  }
  const back = `oci:${work}/back:v1`;
  await ok('restore', slim, back);
  await ok('verify', source, back);
});

it.each(isWhole ? ['syft'] : [])('%s no longer lists what went', async () => {
  const list = async (folder: string) => {
    const found = await run('syft', ['scan', '-q', `oci-dir:${folder}`, '-o', 'syft-json']);
    const { artifacts } = JSON.parse(found) as { artifacts: readonly { name: string; type: string }[] };
    return artifacts.flatMap(({ name, type }) => (type === 'deb' ? [name] : []));
  };
  const [before, after] = [await list(join(inject('images'), 'nginx')), await list(join(work, 'slim'))];
  expect(before).toContain(gone);
  expect(after.toSorted()).toEqual(before.filter((name) => name !== gone).toSorted());
});

it.each(isWhole ? ['nginx'] : [])(
  '%s, recorded and tried, lists the packages that are left alone',
  async (name) => {
    const [folder, server, tried] = [join(work, 'layer'), `oci:${work}/server:v1`, `oci:${work}/tried:v1`];
    cpSync(fileURLToPath(new URL(`../../fixtures/servers/${name}`, import.meta.url)), folder, {
      recursive: true,
    });
    mkdirSync(join(folder, 'var/log/nginx'), { recursive: true });
    for (const [log, stream] of ['access.log stdout', 'error.log stderr'].map((pair) => pair.split(' ')))
      symlinkSync(`/dev/${stream}`, join(folder, 'var/log/nginx', log ?? ''));
    const start = ['--entrypoint', '["/docker-entrypoint.sh"]', '--cmd', '["nginx","-g","daemon off;"]'];
    const config = [
      ...start,
      '--user',
      '',
      '--env',
      'PORT=8080',
      '--expose',
      '8080/tcp',
      '--stop-signal',
      'SIGQUIT',
    ];
    await ok('append', source, server, '--layer', `${folder}:/`, '--chmod', 'u=rwX,go=rX', ...config);
    const report = join(work, 'tried.json');
    const asked = ['--http-probe', '/ =>200', '--http-probe', '/nothing =>404'];
    await ok('slim', server, tried, '--record', ...asked, '--package-db', 'sync', '--report', report);
    await ok('verify', server, tried, '--removed-by', report);
    const { names, admin } = await installedIn(tried, 'recorded');
    const { platforms } = JSON.parse(readFileSync(report, 'utf8'));
    const takenOut = platforms[0].packageDb.takenOut as readonly { readonly name: string }[];
    expect(takenOut.length).toBeGreaterThan(50);
    expect(takenOut.filter((each) => names.includes(each.name))).toEqual([]);
    expect(names).toContain('nginx-common');
    expect(await runToEnd('dpkg', [`--admindir=${admin}`, '--audit'])).toMatchObject({
      status: 0,
      stdout: '',
    });
  },
);
