import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { callCli, runCli } from '../support/cli.ts';
import { buildImage, digestOf, writeLayout } from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';

const refName = 'org.opencontainers.image.ref.name';
const imageName = 'io.containerd.image.name';
const image = buildImage({ layers: [tar('a=1'), tar('b=2')] });
const other = buildImage({ layers: [tar('c=3'), tar('d=4')] });
const scene = openScene();

type Row = { readonly digest: string; readonly annotations?: Readonly<Record<string, string>> };

/** Writes a layout of `image` under these annotations, and `other` as "other" before and after it. */
async function layoutOf(name: string, ...annotations: readonly (Readonly<Record<string, string>> | null)[]) {
  await writeLayout(scene.path(name), { image, other });
  const row = { ...image.descriptor, data: 'eA==', platform: { os: 'linux', architecture: 'amd64' } };
  const rows = annotations.map((each) => (each === null ? row : { ...row, annotations: each }));
  const beside = { ...other.descriptor, annotations: { [refName]: 'other' } };
  const manifests = [beside, ...rows, beside];
  await writeFile(scene.path(name, 'index.json'), JSON.stringify({ schemaVersion: 2, extra: 1, manifests }));
}

async function rowsOf(name: string): Promise<readonly Row[]> {
  const index = JSON.parse(await readFile(scene.path(name, 'index.json'), 'utf8')) as { manifests: Row[] };
  expect(index).toMatchObject({ schemaVersion: 2, extra: 1 });
  return index.manifests;
}

describe('--in-place replaces the row that was read, with its annotations, where it stands', () => {
  const cases: readonly (readonly [string, string, Readonly<Record<string, string>> | null])[] = [
    ['by its name', ':v1', { [refName]: 'v1', 'com.example.note': 'kept' }],
    ['by the end of its name', ':stable', { [refName]: 'localhost/app:stable' }],
    [
      'by its tag, with a full name beside it',
      ':1',
      { [refName]: '1', [imageName]: 'docker.io/library/app:1' },
    ],
    [
      'by its full name',
      ':docker.io/library/app:1',
      { [refName]: '1', [imageName]: 'docker.io/library/app:1' },
    ],
    ['by its short name', ':app:1', { [imageName]: 'docker.io/library/app:1' }],
    ['by its position', '@1', { [refName]: 'v1' }],
    ['by its position, without a name', '@1', null],
    ['by its digest', `@${image.descriptor.digest}`, { [refName]: 'v1', [imageName]: 'x/y:1' }],
    ['by its name and digest', `:v1@${image.descriptor.digest}`, { [refName]: 'v1' }],
  ];

  test.each(cases)('found %s', async (title, which, annotations) => {
    const layout = `in-place-${digestOf(Buffer.from(title)).slice(7, 15)}`;
    await layoutOf(layout, annotations);
    const before = await rowsOf(layout);
    const printed = await scene.succeed('squash', `oci:${scene.path(layout)}${which}`, '--in-place', '--all');
    const after = await rowsOf(layout);
    expect(after.map((row) => row.annotations)).toEqual(before.map((row) => row.annotations));
    expect(after.map(({ digest }) => digest)).toEqual([
      other.descriptor.digest,
      expect.not.stringContaining(image.descriptor.digest),
      other.descriptor.digest,
    ]);
    expect(after[1]).not.toHaveProperty('data');
    expect(after[1]).toHaveProperty('platform');
    // What was printed is the new image, and so is what found the old one.
    await scene.expectSame(`oci:${scene.path(layout)}@${image.descriptor.digest}`, printed);
    const again = which.includes('sha256:') ? '@1' : which;
    const place = `oci:${scene.path(layout)}`;
    expect(
      (await scene.succeed('copy', `${place}${again}`, `oci:${scene.path('out')}:x`)).split('@')[1],
    ).toBe(after[1]?.digest);
  });

  test('of the only image, which has no name or two', async () => {
    for (const [name, annotations] of [
      ['nameless', [null]],
      ['twice', [{ [refName]: 'v1' }, { [refName]: 'latest' }]],
    ] as const) {
      await layoutOf(name, ...annotations);
      const kept = (await rowsOf(name)).filter(({ digest }) => digest === image.descriptor.digest);
      await writeFile(
        scene.path(name, 'index.json'),
        JSON.stringify({ schemaVersion: 2, extra: 1, manifests: kept }),
      );
      await scene.succeed('squash', `oci:${scene.path(name)}`, '--in-place', '--all');
      const rows = await rowsOf(name);
      expect(rows.map((row) => row.annotations)).toEqual(kept.map((row) => row.annotations));
      expect(new Set(rows.map(({ digest }) => digest)).size).toBe(1);
      expect(rows[0]?.digest).not.toBe(image.descriptor.digest);
    }
  });

  test('and refuses what no row names, or several images', async () => {
    await layoutOf('refused', { [refName]: 'v1' });
    const layout = `oci:${scene.path('refused')}`;
    for (const which of ['', ':none', '@7']) {
      const { status, stderr } = await callCli(['squash', `${layout}${which}`, '--in-place', '--all']);
      expect(status).not.toBe(0);
      expect(stderr).toContain(`${layout}:v1`);
    }
    await writeFile(scene.path('refused', 'index.json'), '{"schemaVersion":2,"manifests":[]}');
    const { status, stderr } = await callCli([
      'squash',
      `${layout}@${image.descriptor.digest}`,
      '--in-place',
      '--all',
    ]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/no row of index.json is this image.*\n.*-t REF/);
  });
});

describe('a destination in a layout', () => {
  test('replaces the row of its name, also of its full name, and keeps that for containerd', async () => {
    await layoutOf('names', { [refName]: '1', [imageName]: 'docker.io/library/app:1' });
    const place = `oci:${scene.path('names')}`;
    for (const name of ['1', 'docker.io/library/app:1']) {
      await scene.succeed('copy', `${place}:other`, `${place}:${name}`);
      const rows = (await rowsOf('names')).filter((row) => row.annotations?.[imageName] !== undefined);
      expect(rows).toEqual([
        expect.objectContaining({
          digest: other.descriptor.digest,
          annotations: { [refName]: name, [imageName]: 'docker.io/library/app:1' },
        }),
      ]);
    }
  });

  test('is the source where it is another name of the row that is read', async () => {
    await layoutOf('own', { [refName]: '1', [imageName]: 'docker.io/library/app:1' });
    const place = `oci:${scene.path('own')}`;
    for (const source of ['@1', ':app:1', ':docker.io/library/app:1']) {
      const { status, stderr } = await callCli(['squash', `${place}${source}`, `${place}:1`, '--all']);
      expect(status).toBe(2);
      expect(stderr).toMatch(/the destination oci:\S+own:1 is the source.*\n {2}--in-place writes over/);
    }
    // By digest the image stays readable, and another row is another image.
    await scene.succeed('squash', `${place}@${image.descriptor.digest}`, `${place}:1`, '--all');
    await scene.succeed('squash', `${place}:1`, `${place}:other`, '--all');
  });

  test('is refused where its name is that of several images', async () => {
    await layoutOf(
      'several',
      { [refName]: '1', [imageName]: 'docker.io/library/app:1' },
      { [refName]: '1', [imageName]: 'docker.io/library/web:1' },
    );
    const place = `oci:${scene.path('several')}`;
    const { status, stderr } = await callCli(['copy', `${place}:other`, `${place}:1`]);
    expect(status).toBe(2);
    expect(stderr).toContain('means several images: docker.io/library/app:1, docker.io/library/web:1');
    expect(await rowsOf('several')).toHaveLength(4);
  });

  test('never is a folder with a surprising name', async () => {
    const folder = scene.path('ws', 'job@2');
    await mkdir(folder, { recursive: true });
    await writeLayout(join(folder, 'lay'), { v1: image });
    const source = `oci:${folder}/lay:v1`;
    for (const [destination, read] of [
      [`oci:${folder}/new:name/with:colons`, `oci:${folder}/new:name/with:colons`],
      [`oci-archive:${folder}/new.tar:x`, `oci-archive:${folder}/new.tar@0`],
      [`docker-archive:${folder}/docker.tar:app:1`, `docker-archive:${folder}/docker.tar@0`],
    ] as const) {
      const printed = await scene.succeed('squash', source, destination, '--all');
      await scene.expectSame(source, printed);
      await scene.expectSame(source, read);
    }
    for (const destination of [`oci:${folder}/a.tar:x`, `oci:${folder}/new@0`, 'oci:~/new:x']) {
      const { status, stderr } = await callCli(['copy', source, destination]);
      expect(status).toBe(2);
      expect(stderr).toMatch(/\n {2}Write /);
    }
  });

  test('is read by --verify-with, whatever the name of TMPDIR', async () => {
    for (const name of ['job@2', 'a:b', 'job@tmp']) {
      await mkdir(scene.path(name), { recursive: true });
      await writeLayout(scene.path('plain'), { v1: image });
      const { status, stderr } = await callCli(
        [
          'squash',
          scene.at('v1', 'plain'),
          scene.at('checked', 'plain'),
          '--all',
          '--verify-with',
          'case "$OCISLIM_REFERENCE" in oci:"$OCISLIM_LAYOUT":image) ;; *) exit 1;; esac',
        ],
        { TMPDIR: scene.path(name) },
      );
      expect(status, stderr).toBe(0);
    }
  });
});

test('a bare name that is a layout or an archive here gets the form to write', async () => {
  const folder = scene.path('here');
  await writeLayout(join(folder, 'registry.dir', 'lay'), { v1: image });
  await writeLayout(join(folder, 'lay'), { v1: image });
  await scene.succeed('copy', `oci:${folder}/lay`, `docker-archive:${folder}/image:app:1`);
  for (const [name, forms] of [
    ['lay', ['oci:lay', 'docker://lay']],
    ['registry.dir/lay', ['oci:registry.dir/lay']],
    ['image', ['docker-archive:image', 'docker://image']],
    ['./lay', ['oci:./lay']],
    ['image.tar', ['docker-archive:image.tar', 'oci-archive:image.tar']],
  ] as const) {
    const { status, stderr } = await runCli(['copy', name, 'oci:out:x'], { cwd: folder });
    expect(status).toBe(2);
    for (const form of forms) expect(stderr).toContain(form);
  }
});
