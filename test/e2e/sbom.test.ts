/**
 * Bills of materials of real images and of a program that Go builds here: others read them (spdx-tools, and syft where everything is
 * tested), and find the same packages.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ocislim } from '../support/e2e/cli.ts';
import { removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { isWhole, sample } from '../support/extent.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { cycloneDxProblems } from '../support/sbom/cyclonedx-schema.ts';

let work: string;
beforeAll(() => {
  work = workFolder('sbom');
});
afterAll(() => removeFolder(work));

interface Component {
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

/** Writes the bill of an image in both formats, and returns the components of that in CycloneDX. */
async function billOf(image: string, name: string): Promise<readonly Component[]> {
  for (const suffix of ['cdx', 'spdx']) {
    const file = join(work, `${name}.${suffix}.json`);
    const { status, stderr } = await ocislim(['sbom', image, '-o', file, '--files', '--progress', 'none']);
    expect(status, stderr).toBe(0);
  }
  const text = readFileSync(join(work, `${name}.cdx.json`), 'utf8');
  expect(cycloneDxProblems(text)).toEqual([]);
  const { components } = JSON.parse(text) as { readonly components: readonly Component[] };
  return components;
}

/** Lets spdx-tools judge a document. */
function judgeSpdx(file: string) {
  return runToEnd('pyspdxtools', ['--infile', file, '--version', 'SPDX-2.3']);
}

const isOfDebian = ({ purl = '' }: Component): boolean => purl.startsWith('pkg:deb/');
const named = ({ name, version }: Component): string => `${name} ${version}`;

describe.each(sample(['nginx', 'python', 'node'], 3))('the bill of %s', (name) => {
  it('is valid by the word of others, and has the packages that dpkg lists', async () => {
    const image = `oci:${inject('images')}/${name}:v1`;
    const components = await billOf(image, name);
    const { status, stdout, stderr } = await judgeSpdx(join(work, `${name}.spdx.json`));
    expect(status, stdout + stderr).toBe(0);
    const listed = await run('python3', ['-c', listInstalled, join(inject('images'), name)]);
    expect(components.filter(isOfDebian).map(named).toSorted()).toEqual(listed.trim().split('\n').toSorted());
  });

  // A test that is skipped counts as failed, so it is not there where syft is not.
  it.each(isWhole ? ['syft'] : [])('has what %s finds', async () => {
    const image = `oci:${inject('images')}/${name}:v1`;
    const components = await billOf(image, name);
    const env = { SYFT_CHECK_FOR_APP_UPDATE: 'false' };
    const found = await run(
      'syft',
      ['scan', '-q', `oci-dir:${inject('images')}/${name}`, '-o', 'syft-json'],
      { env },
    );
    const { artifacts } = JSON.parse(found) as {
      readonly artifacts: readonly (Component & { readonly type: string })[];
    };
    const debian = artifacts.filter(({ type }) => type === 'deb').map(named);
    expect(components.filter(isOfDebian).map(named).toSorted()).toEqual(debian.toSorted());
    for (const suffix of ['cdx', 'spdx']) {
      const read = await run(
        'syft',
        ['convert', '-q', join(work, `${name}.${suffix}.json`), '-o', 'syft-json'],
        { env },
      );
      const { artifacts: back } = JSON.parse(read) as { readonly artifacts: readonly Component[] };
      // syft encodes colons, which need none.
      expect(back.map(({ purl = '' }) => purl.replaceAll('%3A', ':'))).toEqual(
        expect.arrayContaining(components.filter(isOfDebian).map(({ purl }) => purl)),
      );
    }
  });
});

/** Prints what dpkg says is installed in the topmost status of a layout: name and version. */
const listInstalled = `
import json, sys, tarfile
root = sys.argv[1]
blob = lambda d: root + '/blobs/' + d.replace(':', '/')
index = json.load(open(root + '/index.json'))
manifest = json.load(open(blob(index['manifests'][0]['digest'])))
status = None
for layer in manifest['layers']:
    with tarfile.open(blob(layer['digest'])) as tar:
        try:
            for member in tar:
                if member.name.lstrip('./') == 'var/lib/dpkg/status':
                    status = tar.extractfile(member).read().decode()
        except tarfile.ReadError:
            pass # a layer without end blocks
for stanza in status.strip().split('\\n\\n'):
    fields = dict(line.split(': ', 1) for line in stanza.split('\\n') if ': ' in line and line[0] != ' ')
    if fields['Status'].endswith(' installed'):
        print(fields['Package'], fields['Version'])
`;

describe('a program of Go', () => {
  it('is listed with the modules that "go version -m" shows', async () => {
    const folder = join(work, 'program');
    const files = {
      'go.mod': 'module app.example/tool\n\ngo 1.19\n\nrequire dep.example/lib v1.2.3\n',
      'main.go': 'package main\n\nimport "dep.example/lib"\n\nfunc main() { lib.Say() }\n',
      'vendor/modules.txt': '# dep.example/lib v1.2.3\n## explicit\ndep.example/lib\n',
      'vendor/dep.example/lib/lib.go': 'package lib\n\nfunc Say() { println("x") }\n',
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const env = { GOFLAGS: '-mod=vendor', GOPROXY: 'off', GOCACHE: join(work, 'cache'), CGO_ENABLED: '0' };
    const program = join(folder, 'tool');
    await run('go', ['build', '-C', folder, '-o', program, '.'], { env: { ...env, HOME: work } });
    const lines = (await run('go', ['version', '-m', program]))
      .split('\n')
      .map((line) => line.trim().split('\t'));
    const version = lines[0]?.[0]?.split(': go')[1];
    const body = readFileSync(program);
    await writeLayout(join(work, 'go'), {
      app: buildImage({ layers: [writeTar([{ name: 'bin/tool', body }])] }),
    });
    const components = await billOf(`oci:${join(work, 'go')}:app`, 'go');
    const told = lines.flatMap(([kind, path, stated]) =>
      kind === 'mod' || kind === 'dep' ? [`${path} ${stated === '(devel)' ? undefined : stated}`] : [],
    );
    expect(components.map(named).toSorted()).toEqual([...told, `stdlib ${version}`].toSorted());
    expect((await judgeSpdx(join(work, 'go.spdx.json'))).status).toBe(0);
  });
});

describe('names that act on terminals, markup and grammars', () => {
  it('make no document that spdx-tools refuses', async () => {
    const names = ['\u{202e}a', '<b>', '::error::x', '=cmd()', 'a(b', '\u{1b}[31m', '(', 'a"b'];
    const layer = writeTar(
      names.map((name, i) => ({
        name: Buffer.from(`node_modules/${name}/package.json`).toString('latin1'),
        body: Buffer.from(
          JSON.stringify({ version: `${i}`, license: names[i], author: `${name} (x) <y@z.example>` }),
        ),
      })),
    );
    await writeLayout(join(work, 'hostile'), { app: buildImage({ layers: [layer] }) });
    const components = await billOf(`oci:${join(work, 'hostile')}:app`, 'hostile');
    expect(components.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    const { status, stdout, stderr } = await judgeSpdx(join(work, 'hostile.spdx.json'));
    expect(status, stdout + stderr).toBe(0);
  });

  it('a document that is not SPDX is refused by it', async () => {
    const file = join(work, 'bad.spdx.json');
    writeFileSync(
      file,
      readFileSync(join(work, 'hostile.spdx.json'), 'utf8').replace('SPDXRef-Image', 'Image'),
    );
    expect((await judgeSpdx(file)).status).not.toBe(0);
  });
});
