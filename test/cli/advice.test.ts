/** What errors advise is typed in, as it stands: it gets further. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { openScene } from '../support/scene.ts';
import { smallImage } from '../support/store/local.ts';
import { tar } from '../jobs/rig.ts';

const image = smallImage();
const digest = image.descriptor.digest;
const scene = openScene(() => ({ app: image }));
const home = process.cwd();

beforeAll(async () => {
  process.chdir(scene.folder);
  await writeLayout('lay', { v1: image });
  await writeLayout('two', { v1: image, v2: buildImage({ layers: [tar('a=1'), tar('b=2')] }) });
  await scene.run('copy', 'oci:lay:v1', 'docker-archive:x.tar:app:1');
  await scene.run('copy', 'oci:lay:v1', 'oci-archive:o.tar:v1');
  await mkdir('folder');
  await writeFile('rules', 'a/b\n'.repeat(100));
  await writeFile('plan.yaml', `# ${'x'.repeat(5000)}\nversion: 1\nprune: {rules: [a]}\n`);
});
afterAll(() => process.chdir(home));

/** Returns what an advice says to write in the place of a word. */
function adviceIn(stderr: string): string {
  const found =
    /(?:Write|Did you mean|raise the limit:|two dashes:|follows a colon:|Choose one:|one of:) ((?:ocislim )?[^\s,]+(?: (?:app:1|[a-z]+(?=\?)))?)/.exec(
      stderr,
    ) ?? [];
  return (found[1] ?? '').replace(/[.?,]$/, '');
}

const mistakes: readonly (readonly [line: string, word: string])[] = [
  // References.
  ['copy lay:v1 oci:new:a', 'lay:v1'],
  ['copy lay oci:new:a', 'lay'],
  [`copy lay@${digest} oci:new:a`, `lay@${digest}`],
  ['copy ./lay:v1 oci:new:a', './lay:v1'],
  ['copy lay/:v1 oci:new:a', 'lay/:v1'],
  ['copy lay@0 oci:new:a', 'lay@0'],
  ['copy x.tar oci:new:a', 'x.tar'],
  ['copy ./x.tar oci:new:a', './x.tar'],
  ['copy x.tar:app:1 oci:new:a', 'x.tar:app:1'],
  ['copy dockerarchive:x.tar oci:new:a', 'dockerarchive:x.tar'],
  ['copy docker_archive:x.tar:app:1 oci:new:a', 'docker_archive:x.tar:app:1'],
  ['copy docker-archve:x.tar oci:new:a', 'docker-archve:x.tar'],
  ['copy docker-archive://x.tar oci:new:a', 'docker-archive://x.tar'],
  ['copy file:x.tar oci:new:a', 'file:x.tar'],
  ['copy docker:x.tar oci:new:a', 'docker:x.tar'],
  ['copy oci_archive:o.tar oci:new:a', 'oci_archive:o.tar'],
  ['copy OCI:lay:v1 oci:new:a', 'OCI:lay:v1'],
  ['copy oci-layout:lay:v1 oci:new:a', 'oci-layout:lay:v1'],
  ['copy ocidir://lay:v1 oci:new:a', 'ocidir://lay:v1'],
  ['copy docker-archive:x.tar:App:1 oci:new:a', 'docker-archive:x.tar:App:1'],
  ['copy docker-archive:x.tar:App oci:new:a', 'docker-archive:x.tar:App'],
  ['copy oci:lay:v1 docker-archive:new.tar:Team/App:1', 'docker-archive:new.tar:Team/App:1'],
  ['copy oci:x.tar oci:new:a', 'oci:x.tar'],
  ['copy oci-archive:lay oci:new:a', 'oci-archive:lay'],
  ['copy docker-archive:lay oci:new:a', 'docker-archive:lay'],
  ['copy oci:lay:v1 oci:new.tar:v1', 'oci:new.tar:v1'],
  ['copy https://127.0.0.1:9/app:1 oci:new:a', 'https://127.0.0.1:9/app:1'],
  ['copy 127.0.0.1:9/App:1 oci:new:a', '127.0.0.1:9/App:1'],
  ['copy 127.0.0.1:9/app@v1 oci:new:a', '127.0.0.1:9/app@v1'],
  ['copy Docker://127.0.0.1:9/app oci:new:a', 'Docker://127.0.0.1:9/app'],
  ['copy 127.0.0.1:9/app/ oci:new:a', '127.0.0.1:9/app/'],
  ['copy oci:two oci:new:a', 'oci:two'],
  // Options and commands.
  ['squsah oci:lay:v1 --all --dry-run', 'squsah'],
  ['squash oci:lay:v1 --al --dry-run', '--al'],
  ['squash oci:lay:v1 --all --dryRun', '--dryRun'],
  ['squash oci:lay:v1 --all --dry_run', '--dry_run'],
  ['squash oci:lay:v1 --all -dry-run', '-dry-run'],
  ['recompress oci:lay:v1 --dry-run --compression gz', 'gz'],
  ['recompress oci:lay:v1 --dry-run --compression ZSTD', 'ZSTD'],
  ['prune oci:lay:v1 --dry-run --preset doc', 'doc'],
  ['squash oci:lay:v1 --all --dry-run --progress quiet', 'quiet'],
  ['recompress oci:lay:v1 --dry-run --require-savings 10', '10'],
  ['recompress oci:lay:v1 --dry-run --require-savings abc', 'abc'],
  ['recompress oci:lay:v1 --dry-run --require-savings 10MB', '10MB'],
  ['copy oci:lay:v1 docker-archive:named.tar --name Bad:1', 'Bad:1'],
  ['copy oci:lay:v1 docker-archive:named2.tar --name Team/App', 'Team/App'],
  // Limits.
  ['prune oci:lay:v1 --dry-run --rules rules --limit rules=3', 'rules=3'],
  ['prune oci:lay:v1 --dry-run --rules rules --limit rule-bytes=3', 'rule-bytes=3'],
  ['slim oci:lay:v1 --dry-run -f plan.yaml --limit plan-bytes=3', 'plan-bytes=3'],
];

describe('typed in, the advice gets further than', () => {
  test.each(mistakes)('the mistake in %s', async (line, word) => {
    const words = line.split(' ');
    const { status, stderr } = await callCli(words);
    expect([1, 2], stderr).toContain(status);
    const advised = adviceIn(stderr).replace(/^--limit$/, () => /--limit (\S+)/.exec(stderr)?.[1] ?? '');
    expect(advised, stderr).not.toBe('');
    expect(advised).not.toBe(word);
    const again = await callCli([
      ...words.map((each) => (each === word ? advised : each)),
      '--retry-times',
      '0',
    ]);
    const reached = again.status === 0 || /\[(?:NETWORK|GATE|NOT_FOUND)\]/.test(again.stderr);
    expect(reached, `${stderr}\n${advised}\n${again.stderr}`).toBe(true);
  });

  test('a folder that is missing', async () => {
    const line = ['copy', 'oci:lay:v1', 'oci-archive:gone/deep/x.tar'];
    const [, command = ''] = /Make it first: (.+)\n/.exec((await callCli(line)).stderr) ?? [];
    execFileSync('/bin/sh', ['-c', command]);
    expect((await callCli(line)).status).toBe(0);
  });
});

test.each([
  ['Bad Name', /--name "Bad Name": .* has white space/],
  ['app@sha256:abc', /--name "app@sha256:abc": /],
  ['app:', /--name "app:": /],
  ['Ü', /--name "Ü": "Ü" is not a repository name/],
])('--name %j is reported in its own words', async (name, message) => {
  const { status, stderr } = await callCli(['copy', scene.at('app'), 'docker-archive:n.tar', '--name', name]);
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain('docker://');
});
