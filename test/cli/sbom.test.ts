import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { copy, sbom } from '../../src/commands/index.ts';
import { callCli } from '../support/cli.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { bytesOf } from '../support/model/byte-string.ts';
import { cycloneDxProblems } from '../support/sbom/cyclonedx-schema.ts';
import { openScene } from '../support/scene.ts';

const layer = (files: Readonly<Record<string, string>>): Uint8Array =>
  writeTar(Object.entries(files).map(([name, body]) => ({ name, body: bytesOf(body) })));

const base = layer({
  'etc/os-release': 'ID=debian\nVERSION_ID=12\n',
  'var/lib/dpkg/status':
    'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\nMaintainer: A <a@b.example>\n',
  'var/lib/dpkg/info/bash.list': '/.\n/bin\n/bin/bash\n/bin/rbash\n',
  'bin/bash': 'the shell',
  'bin/rbash': 'another',
});
const site = 'usr/local/lib/python3/site-packages';
const application = layer({
  [`${site}/requests-2.31.dist-info/RECORD`]: 'requests/api.py,,\n',
  [`${site}/requests-2.31.dist-info/METADATA`]: 'Name: requests\nLicense: Apache-2.0\n',
  [`${site}/requests/api.py`]: 'pass',
  'app/node_modules/\xe2\x80\xae<b>/package.json': '{"version":"\\u001b[31m","license":"::error::x"}',
});
const history = [
  { created_by: 'ADD rootfs.tar /' },
  { created_by: 'ENV A=b', empty_layer: true },
  { created_by: 'RUN pip install requests' },
];
const app = buildImage({
  layers: [base, application],
  config: { created: '2024-05-06T07:08:09.123Z', history },
});
const scene = openScene(() => ({
  app,
  several: buildIndex({
    images: ['amd64', 'arm64'].map((architecture) =>
      buildImage({ layers: [base], platform: { os: 'linux', architecture } }),
    ),
  }),
  damaged: buildImage({ layers: [layer({ 'var/lib/rpm/Packages': 'no database' })] }),
}));

interface Component {
  readonly name: string;
  readonly purl?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}
interface Parsed {
  readonly metadata: { readonly timestamp: string; readonly component: Component };
  readonly components: readonly Component[];
}
const parse = (text: string): Parsed => JSON.parse(text) as Parsed;
const property = ({ properties = [] }: Component, name: string): string | undefined =>
  properties.find((each) => each.name === `ocislim:${name}`)?.value;

describe('sbom', () => {
  it('lists packages with the layer and instruction that brought them', async () => {
    const text = await scene.succeed('sbom', scene.at('app'));
    expect(cycloneDxProblems(text)).toEqual([]);
    const { metadata, components } = parse(text);
    expect(metadata.timestamp).toBe('2024-05-06T07:08:09.000Z');
    expect(metadata.component.purl).toContain(`pkg:oci/layout@${app.descriptor.digest}`);
    expect(components.map(({ purl }) => purl)).toEqual([
      undefined,
      'pkg:npm/%E2%80%AE%3Cb%3E@%1B%5B31m',
      'pkg:pypi/requests@2.31',
      'pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-12',
    ]);
    const [, , requests, bash] = components as [Component, Component, Component, Component];
    expect(property(bash, 'layer')).toBe('1');
    expect(property(bash, 'instruction')).toBe('ADD rootfs.tar /');
    expect(property(bash, 'layer-digest')).toBe(app.layers[0]?.digest);
    expect(property(bash, 'partially-removed')).toBeUndefined();
    expect(property(requests, 'layer')).toBe('2');
    expect(property(requests, 'instruction')).toBe('RUN pip install requests');
    expect(property(requests, 'bytes')).toBe('4');
  });

  it('prints names of an image so that no terminal and no CI service acts on them', async () => {
    for (const format of ['cyclonedx', 'spdx']) {
      const text = await scene.succeed('sbom', scene.at('app'), '--format', format);
      // oxlint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]|^::/m);
      expect(text).toContain('\\u202e');
    }
  });

  it('marks what pruning has left of a package', async () => {
    await scene.succeed('prune', scene.at('app'), scene.at('pruned'), '--rule', 'bin/rbash');
    const { components } = parse(await scene.succeed('sbom', scene.at('pruned')));
    const bash = components.find(({ name }) => name === 'bash') as Component;
    expect(property(bash, 'partially-removed')).toBe('true');
    expect(property(bash, 'missing-files')).toBe('1');
    expect(property(bash, 'files')).toBe('1');
  });

  it('chooses the format by the name of the file, and writes the same bytes each time', async () => {
    const [one, two] = [scene.path('a.spdx.json'), scene.path('b.cdx.json')];
    await scene.succeed('sbom', scene.at('app'), '-o', one);
    await scene.succeed('sbom', scene.at('app'), '-o', two);
    expect(JSON.parse(await readFile(one, 'utf8'))).toMatchObject({ spdxVersion: 'SPDX-2.3' });
    expect(await readFile(two, 'utf8')).toBe(`${await scene.succeed('sbom', scene.at('app'))}\n`);
  });

  it('has the time of SOURCE_DATE_EPOCH before that of the image', async () => {
    const { stdout } = await callCli(['sbom', scene.at('app')], { SOURCE_DATE_EPOCH: '86400' });
    expect(parse(stdout).metadata.timestamp).toBe('1970-01-02T00:00:00.000Z');
  });

  it('is of one image: of several it lists the platforms to choose from', async () => {
    const { status, stderr } = await callCli(['sbom', scene.at('several')]);
    expect(status).toBe(2);
    expect(stderr).toContain('linux/arm64');
    const text = await scene.succeed('sbom', scene.at('several'), '--platform', 'linux/arm64');
    expect(parse(text).metadata.component.purl).toContain('arch=arm64');
    const both = ['--platform', 'linux/amd64,linux/arm64'];
    expect((await callCli(['sbom', scene.at('several'), ...both])).status).toBe(2);
  });

  it('warns of a database that cannot be read, and says so in the bill', async () => {
    const { status, stdout, stderr } = await callCli(['sbom', scene.at('damaged')]);
    expect(status).toBe(0);
    expect(stderr).toContain('var/lib/rpm/Packages');
    expect(JSON.parse(stdout)).toHaveProperty('compositions');
  });

  it('gives programs the bill as data', async () => {
    const { bill, format, document } = await sbom(scene.at('app'), { format: 'spdx' });
    expect(format).toBe('spdx');
    expect(bill.components.map(({ name }) => name)).toContain('requests');
    expect(JSON.parse(JSON.stringify(bill))).toEqual(bill);
    expect(document.join('')).toBe(`${await scene.succeed('sbom', scene.at('app'), '--format', 'spdx')}\n`);
  });
});

describe('--sbom', () => {
  it.each([
    ['squash', ['--all']],
    ['prune', ['--rule', 'bin/rbash']],
    ['recompress', ['--compression', 'zstd']],
    ['slim', []],
    ['copy', []],
  ])('of %s is the bill of what it wrote', async (command, options) => {
    const [one, two] = [scene.path(`${command}.cdx.json`), scene.path(`${command}.spdx.json`)];
    const to = scene.at(`${command}-billed`);
    await scene.succeed(command, scene.at('app'), to, ...options, '--sbom', one, '--sbom', two);
    expect(await readFile(one, 'utf8')).toBe(`${await scene.succeed('sbom', to)}\n`);
    expect(await readFile(two, 'utf8')).toBe(`${await scene.succeed('sbom', to, '--format', 'spdx')}\n`);
  });

  it('reads archives back, and what restore wrote', async () => {
    const [archive, file] = [scene.path('app.tar'), scene.path('restored.cdx.json')];
    await scene.succeed('copy', scene.at('app'), `docker-archive:${archive}:app:1`, '--sbom', file);
    expect(parse(await readFile(file, 'utf8')).metadata.component).toMatchObject({ name: 'app' });
    await scene.succeed('prune', scene.at('app'), scene.at('less'), '--rule', 'bin/rbash');
    await scene.succeed('restore', scene.at('less'), scene.at('back'), '--sbom', file);
    expect(await readFile(file, 'utf8')).not.toContain('partially-removed');
  });

  it('of several platforms has a file for each', async () => {
    await scene.succeed(
      'recompress',
      scene.at('several'),
      scene.at('both'),
      '--compression',
      'gzip',
      '--sbom',
      scene.path('both.cdx.json'),
    );
    for (const architecture of ['amd64', 'arm64']) {
      const { metadata } = parse(await readFile(scene.path(`both.linux-${architecture}.cdx.json`), 'utf8'));
      expect(metadata.component.purl).toContain(`arch=${architecture}`);
    }
    await expect(readFile(scene.path('both.cdx.json'))).rejects.toThrow('ENOENT');
  });

  it('writes nothing in a dry run, and is refused where the result cannot be read back', async () => {
    const file = scene.path('dry.cdx.json');
    await scene.succeed('squash', scene.at('app'), '--all', '--dry-run', '--sbom', file);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
    const piped = await callCli(['copy', scene.at('app'), 'docker-archive:-', '--sbom', file]);
    expect(piped.status).toBe(2);
    expect(piped.stderr).toContain('cannot be read back');
    const missing = await callCli([
      'copy',
      scene.at('app'),
      scene.at('x'),
      '--sbom',
      scene.path('no/such/folder.json'),
    ]);
    expect(missing.status).not.toBe(0);
    expect(missing.stderr).toContain('--sbom');
  });

  it('gives programs the bills as data', async () => {
    const { bills } = await copy(scene.at('several'), scene.at('data'), { sbom: ['x.json'] });
    expect(bills.map(({ image }) => image.architecture)).toEqual(['amd64', 'arm64']);
    expect((await copy(scene.at('several'), scene.at('data'))).bills).toEqual([]);
  });
});
