/** What lies in the folder decides what a text without a form is: no registry is asked for what the caller sees there. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { readSource } from '../../src/jobs/read-reference.ts';
import { formatReference, parseReference } from '../../src/oci/reference.ts';
import { callCli } from '../support/cli.ts';
import { writeLayout } from '../support/image-builder.ts';
import { openScene } from '../support/scene.ts';
import { smallImage } from '../support/store/local.ts';

const image = smallImage();
const digest = image.descriptor.digest;
const scene = openScene(() => ({ app: image }));
const home = process.cwd();

beforeAll(async () => {
  process.chdir(scene.folder);
  for (const layout of ['lay', 'Lay', 'sub/lay', 'build.out/lay', 'registry.example/app', '1.0', 'my lay'])
    await writeLayout(layout, { v1: image });
  await mkdir('folder');
  await mkdir('web');
  await writeFile('web/index.json', '{}');
  await writeFile('file', 'text');

  for (const archive of ['saved', 'x.tar', 'build.out/x.tar']) {
    await scene.run('copy', 'oci:lay:v1', `docker-archive:new.tar:app:1`);
    await rename('new.tar', archive);
  }
  await writeFile('packed.img', gzipSync(await readFile('saved')));
});
afterAll(() => process.chdir(home));

async function refusalOf(text: string): Promise<OcislimError> {
  const error: unknown = await readSource(text).then(
    (reference) => formatReference(reference),
    (reason: unknown) => reason,
  );
  if (error instanceof OcislimError && error.code === 'REFERENCE_INVALID') return error;
  throw new Error(`not refused: ${String(error)}`);
}

/** Returns the references that an advice says to write, which have to be references. */
function writtenIn({ advice = '' }: OcislimError): readonly string[] {
  const found = [
    ...advice.matchAll(/(?:Write|,|or) ((?:oci|oci-archive|docker-archive|docker):\S+?)(?=[,.]? |[,.]?$)/g),
  ];
  const texts = found.map(([, text = '']) => text);
  for (const text of texts) parseReference(text);
  return texts;
}

describe('what is here, without a form before it, is not asked of a registry:', () => {
  test.each([
    ['lay', 'oci:lay', 'docker://lay'],
    ['lay:v1', 'oci:lay:v1', 'docker://lay:v1'],
    [`lay@${digest}`, `oci:lay@${digest}`, `docker://lay@${digest}`],
    [`lay:v1@${digest}`, `oci:lay:v1@${digest}`, `docker://lay:v1@${digest}`],
    ['lay@0', 'oci:lay@0'],
    ['lay/', 'oci:lay/'],
    ['lay/:v1', 'oci:lay/:v1'],
    ['./lay', 'oci:./lay'],
    ['./lay:v1', 'oci:./lay:v1'],
    [`./lay@${digest}`, `oci:./lay@${digest}`],
    ['folder/../lay:v1', 'oci:folder/../lay:v1'],
    ['Lay:v1', 'oci:Lay:v1'],
    ['sub/lay:v1', 'oci:sub/lay:v1', 'docker://sub/lay:v1'],
    ['build.out/lay:v1', 'oci:build.out/lay:v1', 'docker://build.out/lay:v1'],
    ['1.0', 'oci:1.0', 'docker://1.0'],
    ['lay:', 'oci:lay'],
    ['lay@', 'oci:lay', 'docker://lay@'],
    ['packed.img', 'docker-archive:packed.img', 'docker://packed.img'],
    ['lay:name/with:colons', 'oci:lay:name/with:colons'],
    ['saved', 'docker-archive:saved', 'docker://saved'],
    ['saved:app:1', 'docker-archive:saved:app:1'],
    ['saved:app', 'docker-archive:saved:app', 'docker://saved:app'],
    ['saved:App', 'oci-archive:saved:App', 'docker://saved:App'],
    ['./saved', 'docker-archive:./saved'],
    ['saved@0', 'docker-archive:saved@0'],
    ['x.tar', 'docker-archive:x.tar'],
    ['build.out/x.tar:v1', 'docker-archive:build.out/x.tar:v1', 'docker://build.out/x.tar:v1'],
  ])('%s is answered with %s', async (text, ...written) => {
    const error = await refusalOf(text);
    expect(error.message).toContain(JSON.stringify(text));
    const told = writtenIn(error).filter(
      (each) => !each.startsWith('oci-archive:') || written.includes(each),
    );
    expect(told).toEqual(written);
    // It gets further when it is typed.
    const [first = ''] = written;
    if (
      !first.endsWith(':App') &&
      !first.includes('colons') &&
      !first.endsWith(':v1') &&
      first !== 'docker-archive:saved:app'
    )
      expect(await callCli(['copy', first, '--dry-run', '-q'])).toMatchObject({ status: 0, stderr: '' });
  });

  test('a name with a space is quoted for the shell', async () => {
    expect((await refusalOf('my lay:v1')).advice).toBe("Write 'oci:my lay:v1' for the folder.");
  });

  test.each(['lay:v1', './lay:v1', `lay@${digest}`, 'saved'])(
    '%s is refused by every command and on either side',
    async (text) => {
      for (const line of [
        ['copy', text, 'oci:new:v1'],
        ['copy', text, '--dry-run'],
        ['slim', text, 'oci:new:v1'],
        ['restore', text, 'oci:new:v1'],
        ['export', text, 'new.tar'],
        ['verify', text, 'oci:lay:v1'],
        ['verify', 'oci:lay:v1', text],
        ['squash', 'oci:lay:v1', 'oci:new:v1', '--base', text],
        ['copy', 'oci:lay:v1', text.replace(/@.*/, '')],
        ['copy', 'oci:lay:v1', '-t', text.replace(/@.*/, '')],
      ]) {
        const { status, stderr } = await callCli(line);
        expect({ line, status, stderr }).toEqual({
          line,
          status: 2,
          stderr: expect.stringContaining('[REFERENCE_INVALID]') as string,
        });
      }
    },
  );

  test.each([
    'other:v1',
    'folder:v1',
    'folder',
    'web:v1',
    'folder:x.y',
    'nginx:lay',
    'docker://lay:v1',
    `docker://lay@${digest}`,
    'localhost:5000/lay:v1',
    // A host that is known by its look: the folder may be a copy of it.
    'registry.example/app:v1',
    `registry.example/app@${digest}`,
    'oci:lay:v1',
    'oci:nothing',
    'docker-archive:saved',
  ])('%s is taken as it is written', async (text) => {
    expect(await readSource(text)).toEqual(parseReference(text));
  });
});
