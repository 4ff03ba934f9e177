import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { listFiles, newFolder } from '../support/store/local.ts';

const image = buildImage({
  layers: ['a=1', 'b=2'].map((entry) => writeTar([specOf(entry)])),
  compress: 'none',
});
const signature = buildImage({ layers: [writeTar([specOf('sig=1')])] });

/** Makes a layout with the image `app` and what cosign puts beside it. */
async function signed(): Promise<string> {
  const folder = await newFolder();
  const tag = image.descriptor.digest.replace(':', '-');
  await writeLayout(join(folder, 'in'), { app: image, [`${tag}.sig`]: signature, [`${tag}.att`]: signature });
  return folder;
}

const left = /\[?REFERRERS_LEFT|artifact refers to the source|artifacts refer to the source/;

test.each([
  ['squash', ['--all']],
  ['recompress', ['--compression', 'gzip']],
  ['prune', ['--rule', 'a']],
  ['slim', ['--rule', 'a']],
])(
  'T20: %s of a signed image says that signatures stay behind; with --strict it fails before anything is published',
  async (command, options) => {
    const folder = await signed();
    const args = [command, `oci:${folder}/in:app`, `oci:${folder}/out:app`, ...options];
    const strict = await callCli([...args, '--strict']);
    expect({ status: strict.status, stdout: strict.stdout }).toEqual({ status: 1, stdout: '' });
    expect(strict.stderr).toMatch(left);
    expect(strict.stderr).toContain('[STRICT]');
    expect((await listFiles(folder)).filter((name) => name.startsWith('out'))).toEqual([]);
    const { status, stderr } = await callCli([...args, '--report', join(folder, 'report.json')]);
    expect(status).toBe(0);
    expect(stderr).toMatch(left);
    const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as {
      warnings: { code: string }[];
    };
    expect(report.warnings.map(({ code }) => code)).toContain('REFERRERS_LEFT');
  },
);

test('T20: a copy keeps the digest, but not what refers to it; within a layout nothing stays behind', async () => {
  const folder = await signed();
  const away = await callCli(['copy', `oci:${folder}/in:app`, `oci:${folder}/out:app`]);
  expect(away.status).toBe(0);
  expect(away.stderr).toMatch(/they are not copied with it, and stay behind/);
  const within = await callCli(['copy', `oci:${folder}/in:app`, `oci:${folder}/in:again`, '--strict']);
  expect(within.status).toBe(0);
  expect(within.stderr).not.toMatch(left);
});
