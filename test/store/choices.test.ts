import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import {
  type BuiltTree,
  buildIndex,
  digestOf,
  jsonBytes,
  MEDIA_TYPES,
  writeLayout,
} from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { never } from '../support/registry/setup.ts';
import { newForm, oldArchive, oldForm } from '../support/store/docker-archives.ts';
import { newFolder, smallImage, source } from '../support/store/local.ts';

const images = ['a', 'b', 'c', 'd'].map((seed) => smallImage({ seed, compress: 'none' }));
const [one, two, three] = images as [(typeof images)[0], (typeof images)[0], (typeof images)[0]];
const refName = 'org.opencontainers.image.ref.name';
const imageName = 'io.containerd.image.name';

type Row = { readonly tree: BuiltTree; readonly ref?: string; readonly full?: string };

const rootOf = async (text: string) => (await (await source(text)).root(never)).descriptor.digest;

/** Writes a layout with these rows, in this order. */
async function layoutOf(rows: readonly Row[]): Promise<string> {
  const folder = join(await newFolder(), 'lay');
  await writeLayout(folder, Object.fromEntries(rows.map(({ tree }, i) => [`t${i}`, tree])));
  const manifests = rows.map(({ tree: { descriptor }, ref, full }) => ({
    mediaType: descriptor.mediaType,
    digest: descriptor.digest,
    size: descriptor.size,
    annotations: {
      ...(ref === undefined ? {} : { [refName]: ref }),
      ...(full === undefined ? {} : { [imageName]: full }),
    },
  }));
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  return folder;
}

/** Returns what the error lists, each as it stands there. */
async function choicesOf(text: string): Promise<readonly string[]> {
  const error: unknown = await rootOf(text).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OcislimError)) throw error;
  return error.message.split('\n  - ').slice(1);
}

/** An index, in the layout by itself, of which a row has a name. */
function nestedIndex(name: string): BuiltTree {
  const { blobs, index } = buildIndex({ images: [one, two] });
  const json = JSON.parse(Buffer.from(index).toString()) as { manifests: Record<string, unknown>[] };
  (json.manifests[0] as Record<string, unknown>)['annotations'] = { [refName]: name };
  const bytes = jsonBytes(json);
  const descriptor = { mediaType: MEDIA_TYPES.oci.index, digest: digestOf(bytes), size: bytes.length };
  return { descriptor, blobs: new Map([...blobs, [descriptor.digest, bytes]]) };
}

describe('what an error lists of a layout is a reference that chooses it', () => {
  test.each<readonly [string, readonly Row[]]>([
    [
      'tags',
      [
        { tree: one, ref: 'v1' },
        { tree: two, ref: '_v2' },
      ],
    ],
    ['no names at all', [{ tree: one }, { tree: two }, { tree: three }]],
    ['some names', [{ tree: one }, { tree: two, ref: 'v2' }]],
    [
      'one name twice',
      [
        { tree: one, ref: 'v1' },
        { tree: two, ref: 'v1' },
      ],
    ],
    [
      'tags that are one, and full names',
      [
        { tree: one, ref: 'v1', full: 'docker.io/library/app:v1' },
        { tree: two, ref: 'v1', full: 'docker.io/library/other:v1' },
      ],
    ],
    [
      'full names alone',
      [
        { tree: one, full: 'docker.io/library/app:v1' },
        { tree: two, full: 'localhost:5000/app:v1' },
      ],
    ],
    [
      'names that no reference can hold, or that look like a position or digest',
      [
        { tree: one, ref: 'a b' },
        { tree: two, ref: 'v1@0' },
        { tree: three, ref: `v1@${one.descriptor.digest}` },
        { tree: images[3] as BuiltTree, ref: '../../etc' },
      ],
    ],
    [
      'a name that is the end of another',
      [
        { tree: one, ref: 'app:v1' },
        { tree: two, ref: 'team/app:v1' },
      ],
    ],
    ['an index with a name inside', [{ tree: nestedIndex('deep') }, { tree: three, ref: 'v3' }]],
  ])('with %s', async (_, rows) => {
    const folder = await layoutOf(rows);
    const choices = await choicesOf(`oci:${folder}`);
    const digests = new Set(rows.map(({ tree }) => tree.descriptor.digest));
    expect(new Set(await Promise.all(choices.map(rootOf)))).toEqual(digests);
    // A name that is not there lists the same, and what has a name in a nested index.
    const offered = await choicesOf(`oci:${folder}:not-there`);
    expect(offered).toEqual(expect.arrayContaining([...choices]));
    await Promise.all(offered.map(rootOf));
    expect(await choicesOf(`oci:${folder}@99`)).toEqual(choices);
    // The same holds for the layout in a tar.
    const tar = join(await newFolder(), 'lay.tar');
    execFileSync('tar', ['-C', folder, '-cf', tar, '.']);
    const inTar = choices.map((choice) => choice.replace(`oci:${folder}`, `oci-archive:${tar}`));
    expect(await choicesOf(`oci-archive:${tar}`)).toEqual(inTar);
    expect(await Promise.all(inTar.map(rootOf))).toEqual(await Promise.all(choices.map(rootOf)));
  });

  test('where there are many: twenty of them', async () => {
    const many = Array.from({ length: 25 }, (_, i) => ({ tree: images[i % 4] as BuiltTree, ref: `v${i}` }));
    const folder = await layoutOf(many);
    const choices = await choicesOf(`oci:${folder}`);
    expect(choices).toHaveLength(20);
    await Promise.all(choices.map(rootOf));
    await expect(rootOf(`oci:${folder}`)).rejects.toThrow(/several images \(20 of 25\):\n/);
  });

  test('whatever the names are', async () => {
    const part = fc.constantFrom('app', 'v1', 'docker.io/library/app:v1', 'app:v1', 'a@0', ' ', 'team/app');
    const row = fc.record({ at: fc.nat(3), ref: fc.option(part), full: fc.option(part) });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 2, maxLength: 5 }), async (rows) => {
        const folder = await layoutOf(
          rows.map(({ at, ref, full }) => ({
            tree: images[at] as BuiltTree,
            ...(ref === null ? {} : { ref }),
            ...(full === null ? {} : { full }),
          })),
        );
        const digests = new Set(rows.map(({ at }) => images[at]?.descriptor.digest));
        if (digests.size === 1) return;
        const chosen = await Promise.all((await choicesOf(`oci:${folder}`)).map(rootOf));
        expect(new Set(chosen)).toEqual(digests);
      }),
      { numRuns: 30 },
    );
  });
});

describe('what an error lists of an archive of Docker is a reference that chooses it', () => {
  const names: readonly (readonly [string, readonly (readonly string[] | null)[]])[] = [
    ['names', [['app:v1', 'app:v2'], ['example.org/x/y:2']]],
    ['no names', [null, null, null]],
    ['some names', [['app:v1'], null]],
    ['one name twice', [['app:v1'], ['docker.io/library/app:v1']]],
    ['names that are none', [['App'], ['<none>:<none>']]],
  ];

  test.each(names)('of the old form, with %s', async (_, given) => {
    const path = join(await newFolder(), 'image.tar');
    const forms = given.map((tags, i) =>
      oldForm(images[i] as (typeof images)[0], tags === null ? null : [...tags]),
    );
    await writeFile(path, writeTar(oldArchive(...forms)));
    const choices = await choicesOf(`docker-archive:${path}`);
    const chosen = await Promise.all(choices.map(rootOf));
    expect(new Set(chosen).size).toBe(given.length);
    expect(await choicesOf(`docker-archive:${path}:not-there:1`)).toEqual(choices);
    expect(await choicesOf(`docker-archive:${path}@9`)).toEqual(choices);
    for (const [i, digest] of (
      await Promise.all(given.map((_row, at) => rootOf(`docker-archive:${path}@${at}`)))
    ).entries()) {
      // By the digest of its manifest, and by its image ID.
      expect(await rootOf(`docker-archive:${path}@${digest}`)).toBe(digest);
      expect(
        await rootOf(`docker-archive:${path}@${digestOf((images[i] as (typeof images)[0]).config)}`),
      ).toBe(digest);
    }
    await expect(rootOf(`docker-archive:${path}@sha256:${'0'.repeat(64)}`)).rejects.toThrow(
      /it holds no image sha256/,
    );
  });

  test.each([
    ['names', ['app:v1', 'other:v1']],
    ['no names', [null, null]],
  ])('of the new form, with %s', async (_, given) => {
    const path = join(await newFolder(), 'image.tar');
    const rows = given.map((name, i) => ({
      tree: images[i] as BuiltTree,
      name,
      image: images[i] as (typeof images)[0],
    }));
    await writeFile(path, writeTar(newForm(rows)));
    const digests = rows.map(({ tree }) => tree.descriptor.digest);
    const choices = await choicesOf(`docker-archive:${path}`);
    expect(await Promise.all(choices.map(rootOf))).toEqual(digests);
    for (const [i, digest] of digests.entries()) {
      expect(await rootOf(`docker-archive:${path}@${i}`)).toBe(digest);
      expect(await rootOf(`docker-archive:${path}@${digest}`)).toBe(digest);
    }
  });
});

describe('short and full names find each other', () => {
  test.each([
    ['docker.io/library/app:v1', 'app:v1'],
    ['app:v1', 'docker.io/library/app:v1'],
    ['docker.io/library/app:latest', 'app'],
    ['docker.io/team/app:v1', 'team/app:v1'],
    ['localhost/app:v1', 'app:v1'],
    ['localhost/app:stable', 'stable'],
    ['registry.example:5000/team/app:v1', 'team/app:v1'],
  ])('%s and %s', async (stored, asked) => {
    for (const row of [
      { tree: one, ref: stored },
      { tree: one, ref: 'other', full: stored },
    ]) {
      const folder = await layoutOf([row, { tree: two, ref: 'third' }]);
      expect(await rootOf(`oci:${folder}:${asked}`)).toBe(one.descriptor.digest);
    }
  });

  test('but a tag alone is the name of no repository, and the nearest name wins', async () => {
    const folder = await layoutOf([
      { tree: one, ref: 'app' },
      { tree: two, ref: 'docker.io/library/app:latest' },
      { tree: three, ref: 'localhost/app:latest' },
    ]);
    expect(await rootOf(`oci:${folder}:app`)).toBe(one.descriptor.digest);
    expect(await rootOf(`oci:${folder}:app:latest`)).toBe(two.descriptor.digest);
    expect(await rootOf(`oci:${folder}:localhost/app`)).toBe(three.descriptor.digest);
  });
});

test('what is another form than its prefix says gets the prefix to write', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'manifest.json'), '{}');
  await writeFile(join(folder, 'docker.tar'), writeTar(oldArchive(oldForm(one, ['app:v1']))));
  for (const [text, advice] of [
    [`oci:${folder}`, `skopeo copy dir:${folder} oci:LAYOUT:TAG`],
    [`oci-archive:${folder}/docker.tar`, `docker-archive:${folder}/docker.tar`],
  ] as const) {
    const error: unknown = await rootOf(text).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'NOT_FOUND', advice: expect.stringContaining(advice) as string });
  }
});
