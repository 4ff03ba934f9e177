/** `--in-place` in archives: the image takes the place of the one that was read, and the others stay. */
import { chmod, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildAttestation, buildIndex } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';
import { digestAt, membersOf, tagsIn, write } from '../support/store/archives.ts';
import { newForm, oldArchive, oldForm } from '../support/store/docker-archives.ts';
import { listFiles, smallImage } from '../support/store/local.ts';

const one = smallImage({ compress: 'none' });
const two = smallImage({ compress: 'none', seed: 'two' });
const three = smallImage({ compress: 'none', seed: 'three' });
const scene = openScene(() => ({ one, two, three }));

/** Both forms of an archive of Docker with three images, of which one has two names and one has none. */
const forms = {
  old: writeTar(oldArchive(oldForm(one, ['a:1']), oldForm(two, ['b:1', 'b:latest']), oldForm(three, null))),
  new: writeTar(
    newForm([
      { tree: one, name: 'a:1', image: one },
      { tree: two, name: 'b:1', image: two },
      { tree: three, name: null, image: three },
    ]),
  ),
};

const squash = (reference: string) => scene.succeed('squash', reference, '--all', '--in-place');

/** Returns the number of layers of each image in the list of an archive. */
async function layersIn(path: string): Promise<readonly number[]> {
  const rows = (await membersOf(path)).json('manifest.json') as { Layers: string[] }[];
  return rows.map(({ Layers }) => Layers.length);
}

const configId = (built: typeof one) =>
  (JSON.parse(Buffer.from(built.manifest).toString()) as { config: { digest: string } }).config.digest;

describe.each(['old', 'new'] as const)('an archive of Docker in the %s form', (form) => {
  const names = form === 'old' ? ['b:1', 'b:latest'] : ['b:1'];

  test.each([
    ['by a name', ':a:1', 0],
    ['by a full name', ':docker.io/library/a:1', 0],
    ['by position', '@1', 1],
    ['by the digest of its config', `@${configId(two)}`, 1],
    ['by the digest of its manifest', `@${two.descriptor.digest}`, 1],
    ['by position, without a name', '@2', 2],
  ] as const)('gets the new image in the place of the one named %s', async (_, given, at) => {
    // The old form has no manifest: one is made.
    const isMade = form === 'old' && given === `@${two.descriptor.digest}`;
    const path = await scene.write(`${form}.tar`, forms[form]);
    const which = isMade ? `@${await digestAt(`docker-archive:${path}:b`)}` : given;
    const printed = await squash(`docker-archive:${path}${which}`);
    expect(tagsIn(await readFile(path))).toEqual([['a:1'], names, null]);
    expect(await layersIn(path)).toEqual([0, 1, 2].map((i) => (i === at ? 1 : 3)));
    await scene.expectSame(scene.at(['one', 'two', 'three'][at] as string), printed);
    const image = await digestAt(`docker-archive:${path}@${at}`);
    expect(await digestAt(printed)).toBe(image);
    for (const [i, name] of ['one', 'two', 'three'].entries())
      await scene.expectSame(scene.at(name), `docker-archive:${path}@${i}`);
    expect(await listFiles(scene.folder)).not.toContainEqual(expect.stringContaining('partial'));
  });

  test('keeps its bytes where several images are meant, or none', async () => {
    const path = await scene.write(`${form}.tar`, forms[form]);
    for (const which of ['', ':none:1', '@7', `@sha256:${'0'.repeat(64)}`]) {
      const { status } = await callCli(['squash', `docker-archive:${path}${which}`, '--all', '--in-place']);
      expect(status).not.toBe(0);
      expect(Buffer.compare(await readFile(path), forms[form])).toBe(0);
    }
  });
});

test('of an image with two names only the one that was given goes over to the new image', async () => {
  const path = await scene.write('names.tar', forms.old);
  await squash(`docker-archive:${path}:b`);
  expect(tagsIn(await readFile(path))).toEqual([['a:1'], ['b:latest'], ['b:1'], null]);
  await scene.expectSame(scene.at('two'), `docker-archive:${path}:b:1`);
  await scene.expectSame(scene.at('two'), `docker-archive:${path}:b`);
  expect(await digestAt(`docker-archive:${path}:b`)).not.toBe(await digestAt(`docker-archive:${path}:b:1`));
});

test.each(['recompress --compression gzip', 'slim', 'prune --rule app', 'copy --annotation a=b'])(
  'the only image of an archive is replaced by %s, with its names, and the file keeps its mode',
  async (command) => {
    const path = await scene.write('only.tar', writeTar(oldArchive(oldForm(one, ['a:1', 'x.example/b:2']))));
    await chmod(path, 0o600);
    await scene.succeed(...command.split(' '), `docker-archive:${path}`, '--in-place');
    expect(tagsIn(await readFile(path))).toEqual([['a:1', 'x.example/b:2']]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    if (!command.startsWith('prune')) await scene.expectSame(scene.at('one'), `docker-archive:${path}`);
  },
);

test('rows of one image, each for a name of its own, become one', async () => {
  const { entries, row } = oldForm(one, ['a:1']);
  const rows = [row, { ...(row as object), RepoTags: ['a:2'] }];
  const list = { name: 'manifest.json', body: Buffer.from(JSON.stringify(rows)) };
  const path = await scene.write('rows.tar', writeTar([...entries, list]));
  await squash(`docker-archive:${path}`);
  expect(tagsIn(await readFile(path))).toEqual([['a:1', 'a:2']]);
  await squash(`docker-archive:${path}:a:2`);
  await scene.expectSame(scene.at('one'), `docker-archive:${path}:a:2`);
});

test('an index with its attestation becomes its image, under its name', async () => {
  const tree = buildIndex({ images: [one], attestations: true });
  const path = await scene.write('attested.tar', writeTar(newForm([{ tree, name: 'a:1', image: one }])));
  const { stderr } = await scene.run('squash', `docker-archive:${path}`, '--all', '--in-place');
  expect(stderr).toContain(`the attestation ${buildAttestation(one).descriptor.digest} is left out`);
  expect(tagsIn(await readFile(path))).toEqual([['a:1']]);
  expect((await membersOf(path)).json('index.json')).toMatchObject({
    manifests: [{ annotations: { 'io.containerd.image.name': 'docker.io/library/a:1' } }],
  });
});

describe('an OCI archive', () => {
  const rowsOf = async (path: string) =>
    ((await membersOf(path)).json('index.json') as { manifests: { digest: string; annotations?: object }[] })
      .manifests;

  test.each([':two', '@1', `@${two.descriptor.digest}`])(
    'gets the new image in the row %s, which keeps its annotations',
    async (which) => {
      const path = scene.path('oci.tar');
      await writeFile(path, '');
      for (const [name, image] of Object.entries({ one, two, three }))
        await write(`oci-archive:${path}:${name}`, image);
      const before = await rowsOf(path);
      const printed = await squash(`oci-archive:${path}${which}`);
      const after = await rowsOf(path);
      expect(after.map(({ annotations }) => annotations)).toEqual(
        before.map(({ annotations }) => annotations),
      );
      expect(after.map(({ digest }, i) => digest === before[i]?.digest)).toEqual([true, false, true]);
      expect(printed).toContain(after[1]?.digest);
      await scene.expectSame(scene.at('two'), printed);
      const bodies = (await membersOf(path)).entries.filter(({ name }) => name.startsWith('blobs/sha256/'));
      expect(bodies.map(({ name }) => name)).not.toContain(
        `blobs/${two.descriptor.digest.replace(':', '/')}`,
      );
    },
  );

  test('that is one of Docker, too, is refused: the other list would keep the old image', async () => {
    const path = await scene.write('both.tar', forms.new);
    const { status, stderr } = await callCli(['squash', `oci-archive:${path}@1`, '--all', '--in-place']);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining(`docker-archive:${path}`) as string,
    });
    expect(Buffer.compare(await readFile(path), forms.new)).toBe(0);
    const other = smallImage({ compress: 'none', seed: 'other' });
    await write(`oci-archive:${path}:z`, other);
    await squash(`oci-archive:${path}:z`);
    expect(tagsIn(await readFile(path))).toEqual([['a:1'], ['b:1'], null]);
    expect(await digestAt(`oci-archive:${path}:z`)).not.toBe(other.descriptor.digest);
  });
});

test('a link stays one, a dry run changes nothing, and --name is refused', async () => {
  const path = await scene.write('target.tar', forms.old);
  await symlink(path, scene.path('link.tar'));
  await scene.run('squash', `docker-archive:${path}:a:1`, '--all', '--in-place', '--dry-run');
  expect(Buffer.compare(await readFile(path), forms.old)).toBe(0);
  await squash(`docker-archive:${scene.path('link.tar')}:a:1`);
  expect(await layersIn(path)).toEqual([1, 3, 3]);
  for (const args of [[`docker-archive:${path}:a:1`, '--name', 'x:1'], ['docker-archive:-']]) {
    const { status } = await callCli(['squash', ...args, '--all', '--in-place']);
    expect(status, args.join(' ')).toBe(2);
  }
});

describe.each([
  ['gzip', (bytes: Uint8Array) => gzipSync(bytes), gunzipSync, /^1f8b/],
  ['zstd', (bytes: Uint8Array) => zstdCompressSync(bytes), zstdDecompressSync, /^28b52ffd/],
] as const)('an archive packed with %s', (format, pack, unpack, magic) => {
  const file = `packed.tar.${format}`;
  /** Writes the packed archive, and returns its path and its bytes. */
  async function written(bytes = pack(forms.old)) {
    const path = await scene.write(file, bytes);
    await chmod(path, 0o640);
    return { path, before: bytes };
  }
  const scratchFiles = async () => (await listFiles(scene.folder)).filter((name) => name.includes('partial'));

  test('gets the new image in the place of the old one, and is packed again', async () => {
    const { path } = await written();
    const printed = await squash(`docker-archive:${path}:b`);
    const bytes = await readFile(path);
    expect(bytes.toString('hex')).toMatch(magic);
    expect(tagsIn(unpack(bytes))).toEqual([['a:1'], ['b:latest'], ['b:1'], null]);
    await scene.expectSame(scene.at('two'), printed);
    for (const [name, which] of Object.entries({ one: 'a:1', two: 'b:1' }))
      await scene.expectSame(scene.at(name), `docker-archive:${path}:${which}`);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await scratchFiles()).toEqual([]);
  });

  test('gets an image more', async () => {
    const { path } = await written();
    await scene.run('copy', scene.at('one'), `docker-archive:${path}:c:1`);
    expect(tagsIn(unpack(await readFile(path)))).toContainEqual(['c:1']);
    await scene.expectSame(scene.at('one'), `docker-archive:${path}:c:1`);
    await scene.expectSame(scene.at('three'), `docker-archive:${path}@2`);
  });

  test('keeps its bytes in a dry run, and where something fails', async () => {
    const { path, before } = await written();
    const line = ['squash', `docker-archive:${path}:b`, '--all', '--in-place'];
    expect((await callCli([...line, '--dry-run'])).status).toBe(0);
    const short = await callCli([...line, '--max-scratch', '10kB']);
    expect(short.status).toBe(1);
    expect(short.stderr).toMatch(/10 kB of disk that --max-scratch allows.*\n.*--max-scratch 20GB/s);
    expect(Buffer.compare(await readFile(path), before)).toBe(0);
    expect(await scratchFiles()).toEqual([]);
  });

  test.each([
    ['damaged', pack(forms.old).subarray(0, -20)],
    ['something else', pack(Buffer.from('not a tar at all, but a text that somebody keeps'.repeat(100)))],
  ])('that is %s is not replaced', async (_, bytes) => {
    const { path } = await written(Buffer.from(bytes));
    const { status, stderr } = await callCli(['copy', scene.at('one'), `docker-archive:${path}:c:1`]);
    expect(status, stderr).toBe(1);
    expect(Buffer.compare(await readFile(path), bytes)).toBe(0);
    expect(await scratchFiles()).toEqual([]);
  });
});

test('an archive in xz is refused with the command that unpacks it', async () => {
  const path = await scene.write('packed.tar.xz', Buffer.from('fd377a585a000004', 'hex'));
  for (const line of [
    ['squash', `docker-archive:${path}`, '--all', '--in-place'],
    ['copy', scene.at('one'), `docker-archive:${path}:a:1`],
  ]) {
    const { status, stderr } = await callCli(line);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining(`Unpack it first: xz -dk ${path}`) as string,
    });
  }
});
