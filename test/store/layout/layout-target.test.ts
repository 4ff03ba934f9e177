import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { updateIndex } from '../../../src/store/layout/layout-update.ts';
import { makeDescriptor } from '../../../src/oci/descriptor.ts';
import { sealedAs } from '../../../src/stream/seal.ts';
import {
  buildIndex,
  digestOf,
  openLayout,
  readImage,
  validateTree,
  writeLayout,
} from '../../support/image-builder.ts';
import { never, noise } from '../../support/registry/setup.ts';
import {
  brokenStream,
  bytesStream,
  copy,
  descriptorOf,
  listFiles,
  namesIn,
  deadMark,
  newFolder,
  publish,
  readJson,
  refused,
  smallImage,
  source,
  target,
  layerOf,
  blobPath,
} from '../../support/store/local.ts';

const image = smallImage();
const other = smallImage({ seed: 'other' });
const writer = fileURLToPath(new URL('../../support/store/layout-writer.ts', import.meta.url));

describe('writing into a layout', () => {
  test('makes a layout that another reader accepts', async () => {
    const folder = join(await newFolder(), 'deep', 'down');
    await publish(await target(`oci:${folder}:v1`), image);
    const read = await readImage(folder, { tag: 'v1' });
    expect(read.descriptor.digest).toBe(image.descriptor.digest);
    expect(await readJson(join(folder, 'oci-layout'))).toEqual({ imageLayoutVersion: '1.0.0' });
    for (const file of await listFiles(folder)) {
      expect((await stat(join(folder, file))).mode & 0o777).toBe(0o644);
    }
  });

  test('replaces the entry of its tag only, and keeps unknown keys and entries', async () => {
    const folder = await newFolder();
    await writeLayout(folder, { v1: image, v2: other });
    const path = join(folder, 'index.json');
    const before = (await readJson(path)) as { manifests: Record<string, unknown>[] };
    before['annotations' as never] = { kept: 'yes' } as never;
    before.manifests.push({ mediaType: 'x/y', digest: other.descriptor.digest, size: 1, odd: [1] });
    await writeFile(path, JSON.stringify(before));
    const third = smallImage({ seed: 'third' });
    await publish(await target(`oci:${folder}:v1`), third);
    const after = (await readJson(path)) as { annotations: unknown; manifests: Record<string, unknown>[] };
    expect(after.annotations).toEqual({ kept: 'yes' });
    expect(after.manifests.slice(0, 2)).toEqual(before.manifests.slice(1));
    expect(after.manifests[2]).toEqual({
      mediaType: third.descriptor.mediaType,
      digest: third.descriptor.digest,
      size: third.descriptor.size,
      annotations: { 'org.opencontainers.image.ref.name': 'v1' },
    });
    expect(after.manifests).toHaveLength(3);
  });

  test('gives an image several tags, or none', async () => {
    const folder = await newFolder();
    await publish(await target(`oci:${folder}:v1`, `oci:${folder}:latest`, `oci:${folder}:v1`), image);
    expect(await namesIn(folder)).toEqual(['v1', 'latest']);
    for (let times = 0; times < 2; times++) await publish(await target(`oci:${folder}`), other);
    expect(await namesIn(folder)).toEqual(['v1', 'latest', '-']);
    const opened = await target(`oci:${folder}:v1`);
    expect(opened.nameOf(image.descriptor.digest as Digest)).toBe(
      `oci:${folder}:v1@${image.descriptor.digest}`,
    );
  });

  test('copies an index with attestations from another layout', async () => {
    const folder = await newFolder();
    const tree = buildIndex({ images: [image, other], attestations: true });
    await writeLayout(join(folder, 'from'), { all: tree });
    const { root } = await copy(await source(`oci:${folder}/from`), await target(`oci:${folder}/to:all`));
    expect(root.descriptor.digest).toBe(tree.descriptor.digest);
    const read = await openLayout(join(folder, 'to'), 'all');
    expect(validateTree(read)).toEqual([]);
    expect([...read.blobs.keys()].sort()).toEqual([...tree.blobs.keys()].sort());
  });

  test('copies no blob twice, also when it is asked for twice at once', async () => {
    const folder = await newFolder();
    await writeLayout(join(folder, 'from'), { v1: image });
    const from = await source(`oci:${folder}/from:v1`);
    const first = await copy(from, await target(`oci:${folder}/to:v1`));
    // Two of the three layers are equal.
    expect(first.adoptions.toSorted()).toEqual(['copied', 'copied', 'copied', 'present']);
    const again = await copy(from, await target(`oci:${folder}/to:v2`));
    expect(again.adoptions).toEqual(['present', 'present', 'present', 'present']);
  });

  test('replaces a file of the wrong size', async () => {
    const folder = await newFolder();
    await writeLayout(folder, { v1: image });
    const layer = layerOf(image);
    const path = blobPath(folder, layer.digest);
    await writeFile(path, 'half a blob');
    const opened = await target(`oci:${folder}:v1`);
    expect(await opened.has(layer, never)).toBe(false);
    await publish(opened, image);
    expect((await readFile(path)).length).toBe(layer.size);
  });

  test('keeps one blob that is staged twice once', async () => {
    const folder = await newFolder();
    const opened = await target(`oci:${folder}:v1`);
    const bytes = image.config;
    const digest = digestOf(bytes) as Digest;
    const both = [
      await opened.stage(() => bytesStream(bytes), never),
      await opened.stage(() => bytesStream(bytes), never),
    ];
    for (const staged of both) await staged.commit(digest, bytes.length, never);
    await publish(opened, image);
    expect((await listFiles(folder)).filter((file) => file.includes('.partial-'))).toEqual([]);
  });

  test('accepts a blob of a sha512 digest', async () => {
    const folder = await newFolder();
    const opened = await target(`oci:${folder}:v1`);
    const bytes = noise(300_000);
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest;
    const wrong = await opened.stage(() => bytesStream(bytes), never);
    await refused(
      'DIGEST_MISMATCH',
      wrong.commit(`sha512:${'a'.repeat(128)}` as Digest, bytes.length, never),
    );
    await opened.put(bytes, makeDescriptor('x/y', digest, bytes.length), never);
    await publish(opened, image);
    expect(await listFiles(folder)).toContain(`blobs/${digest.replace(':', '/')}`);
    expect((await listFiles(folder)).some((file) => file.includes('.partial-'))).toBe(false);
  });

  test('reports how many bytes it copies', async () => {
    const folder = await newFolder();
    await writeLayout(join(folder, 'from'), { v1: image });
    const layer = layerOf(image);
    let told = 0;
    const from = await source(`oci:${folder}/from:v1`);
    await (await target(`oci:${folder}/to:v1`)).adopt(layer, from, never, (count) => (told += count));
    expect(told).toBe(layer.size);
  });
});

describe('a target that is closed without being published', () => {
  test('leaves no folder that was not there', async () => {
    const folder = await newFolder();
    const opened = await target(`oci:${folder}/a/b:v1`);
    await opened.put(
      image.config,
      descriptorOf({ ...image.descriptor, digest: digestOf(image.config), size: image.config.length }),
      never,
    );
    expect(await listFiles(folder)).toHaveLength(1);
    await opened.close();
    await expect(stat(join(folder, 'a'))).rejects.toThrow('ENOENT');
  });

  test.each(['layout', 'archive'])(
    'leaves nothing of blobs that are being written at that moment (%s)',
    async (kind) => {
      const folder = await newFolder();
      const opened = await target(
        kind === 'layout' ? `oci:${folder}/a/b:v1` : `oci-archive:${folder}/a.tar:v1`,
      );
      const bytes = noise(600_000);
      const begun = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const slow = async function* () {
        yield bytes;
        begun.resolve();
        await gate.promise;
        yield bytes;
      };
      const staging = Array.from({ length: 10 }, () => opened.stage(() => slow(), never));
      const settled = Promise.allSettled(staging);
      await begun.promise;
      await opened.close();
      gate.resolve();
      expect((await settled).every(({ status }) => status === 'rejected')).toBe(true);
      await opened.close();
      expect(await readdir(folder)).toEqual([]);
      await refused(
        'INTERRUPTED',
        opened.stage(() => bytesStream(bytes), never),
      );
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test('leaves an existing layout as it was', async () => {
    const folder = await newFolder();
    await writeLayout(folder, { v1: other });
    const before = await listFiles(folder);
    const index = await readFile(join(folder, 'index.json'));
    const opened = await target(`oci:${folder}:v1`);
    const bytes = noise(600_000);
    const staged = await opened.stage(() => bytesStream(bytes), never);
    await staged.commit(digestOf(bytes) as Digest, bytes.length, never);
    expect(await opened.has(makeDescriptor('x/y', digestOf(bytes) as Digest, bytes.length), never)).toBe(
      true,
    );
    await opened.stage(() => bytesStream(bytes), never);
    await opened.close();
    expect(await listFiles(folder)).toEqual(before);
    expect(Buffer.compare(await readFile(join(folder, 'index.json')), index)).toBe(0);
  });

  test('leaves nothing of streams that fail, are aborted, or do not match', async () => {
    const folder = await newFolder();
    await writeLayout(folder, { v1: other });
    const before = await listFiles(folder);
    const opened = await target(`oci:${folder}:v1`);
    const bytes = noise(600_000);
    await expect(opened.stage(() => brokenStream(bytes), never)).rejects.toThrow('the line went dead');
    const abort = new AbortController();
    const aborted = (async function* () {
      yield bytes;
      abort.abort(new Error('enough'));
      yield bytes;
    })();
    await expect(opened.stage(() => aborted, abort.signal)).rejects.toThrow('enough');
    const digest = digestOf(bytes) as Digest;
    const lying = await opened.stage(() => bytesStream(bytes), never);
    await refused('SIZE_MISMATCH', lying.commit(digest, bytes.length + 1, never));
    const liar = await opened.stage(() => bytesStream(bytes), never);
    await refused('DIGEST_MISMATCH', liar.commit(other.descriptor.digest as Digest, bytes.length, never));
    const sealed = await opened.stage(
      () => sealedAs(bytesStream(bytes), { digest, size: bytes.length }),
      never,
    );
    await refused('DIGEST_MISMATCH', sealed.commit(other.descriptor.digest as Digest, bytes.length, never));
    await (await opened.stage(() => bytesStream(bytes), never)).abort();
    expect(await listFiles(folder)).toEqual(before);
  });

  test('leaves nothing of a copy that does not match', async () => {
    const folder = await newFolder();
    await writeLayout(join(folder, 'from'), { v1: image });
    const layer = layerOf(image);
    await writeFile(blobPath(join(folder, 'from'), layer.digest), Buffer.alloc(layer.size));
    const opened = await target(`oci:${folder}/to:v1`);
    await refused('DIGEST_MISMATCH', opened.adopt(layer, await source(`oci:${folder}/from:v1`), never));
    expect(await listFiles(folder).then((files) => files.filter((file) => file.startsWith('to')))).toEqual(
      [],
    );
  });

  test('files of a killed process are removed by the next one, files of a running one stay', async () => {
    const folder = await newFolder();
    const living = await target(`oci:${folder}:v1`);
    await living.stage(() => bytesStream(noise(1000)), never);
    const child = spawn(process.execPath, [writer, folder, 'killed', 'hang'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(await listFiles(folder)).toHaveLength(2);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const next = await target(`oci:${folder}:v2`);
    await next.stage(() => bytesStream(noise(1000, 2)), never);
    expect(await listFiles(folder)).toHaveLength(2);
    expect((await listFiles(folder)).every((file) => file.includes(`.partial-${process.pid}-`))).toBe(true);
  });

  test('files of a killed process beside the blobs are removed, also where no blob is written', async () => {
    const folder = await newFolder();
    await publish(await target(`oci:${folder}:v1`), image);
    const before = await listFiles(folder);
    const dead = await deadMark();
    for (const name of ['index.json', 'oci-layout', '.ocislim.lock', 'blobs/sha256/blob'])
      await writeFile(join(folder, `${name}.partial-${dead}`), 'x');
    await writeFile(join(folder, '.ocislim.lock'), dead);
    await publish(await target(`oci:${folder}:v1`), image);
    expect(await listFiles(folder)).toEqual(before);
  });
});

describe('several writers at once', () => {
  test('keep all rows, in one process', async () => {
    const folder = await newFolder();
    const tags = Array.from({ length: 12 }, (_, i) => `v${i}`);
    await Promise.all(
      tags.map(async (tag) => publish(await target(`oci:${folder}:${tag}`), smallImage({ seed: tag }))),
    );
    expect((await namesIn(folder)).toSorted()).toEqual(tags.toSorted());
    for (const tag of tags) expect((await readImage(folder, { tag })).tars).toHaveLength(3);
  });

  test('keep all rows, in several processes, after a lock of an ended one', async () => {
    const folder = await newFolder();
    await publish(await target(`oci:${folder}:first`), image);
    await writeFile(join(folder, '.ocislim.lock'), await deadMark());
    const run = promisify(execFile);
    const names = ['a', 'b', 'c'];
    await Promise.all(names.map((name) => run(process.execPath, [writer, folder, name, '8'])));
    const expected = names.flatMap((name) => Array.from({ length: 8 }, (_, i) => `${name}${i}`));
    expect((await namesIn(folder)).toSorted()).toEqual(['first', ...expected].toSorted());
    expect(await listFiles(folder).then((files) => files.filter((file) => file.startsWith('.')))).toEqual([]);
  });

  test('give up where another program changes the file all the time', async () => {
    const folder = await newFolder();
    await publish(await target(`oci:${folder}:v1`), image);
    const path = join(folder, 'index.json');
    let times = 0;
    const update = updateIndex(
      folder,
      (rows) => {
        times += 1;
        writeFileSync(path, JSON.stringify({ schemaVersion: 2, manifests: [{ digest: `theirs-${times}` }] }));
        return [...rows, { digest: 'ours' }];
      },
      never,
    );
    expect(await refused('IO', update)).toContain(`cannot write ${path}: another program changes it`);
    expect(times).toBe(100);
  });

  test('keep the rows of a program that does not know the lock', async () => {
    const folder = await newFolder();
    await publish(await target(`oci:${folder}:v1`), image);
    const path = join(folder, 'index.json');
    let times = 0;
    // While the change is worked out, another program writes the file.
    await updateIndex(
      folder,
      (rows) => {
        times += 1;
        if (times === 1) {
          const theirs = { schemaVersion: 2, manifests: [...rows, { digest: 'theirs' }] };
          writeFileSync(path, JSON.stringify(theirs));
        }
        return [...rows, { digest: 'ours' }];
      },
      never,
    );
    const { manifests } = (await readJson(path)) as { manifests: { digest: string }[] };
    expect(manifests.map(({ digest }) => digest).slice(1)).toEqual(['theirs', 'ours']);
  });
});

describe('a target is refused', () => {
  test('for a folder with other files', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'notes.txt'), 'x');
    expect(await refused('ARCHIVE_INVALID', target(`oci:${folder}:v1`))).toContain('notes.txt');
    expect(await listFiles(folder)).toEqual(['notes.txt']);
  });

  test('for a layout of another version, or with a malformed index', async () => {
    const folder = await newFolder();
    await writeLayout(folder, { v1: image });
    await writeFile(join(folder, 'index.json'), '[]');
    await refused('ARCHIVE_INVALID', target(`oci:${folder}:v1`));
    await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"0.9"}');
    await refused('ARCHIVE_INVALID', target(`oci:${folder}:v1`));
  });

  test('for a reference with a digest, or references to two places', async () => {
    const folder = await newFolder();
    await refused('REFERENCE_INVALID', target(`oci:${folder}:v1@${image.descriptor.digest}`));
    await refused('REFERENCE_INVALID', target(`oci:${folder}/a:v1`, `oci:${folder}/b:v1`));
    await refused('REFERENCE_INVALID', target());
  });

  test('for a manifest whose layers are missing', async () => {
    const folder = await newFolder();
    const opened = await target(`oci:${folder}:v1`);
    const manifest = { descriptor: descriptorOf(image.descriptor), bytes: image.manifest };
    await refused('ARCHIVE_INVALID', opened.publish(manifest, never));
    expect(await listFiles(folder)).toEqual([]);
  });

  test('for a folder that cannot be written into', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, 'blobs'), { recursive: true });
    await writeFile(join(folder, 'blobs', 'sha256'), 'a file where a folder should be');
    const opened = await target(`oci:${folder}:v1`);
    await refused(
      'IO',
      opened.stage(() => bytesStream(noise(10)), never),
    );
  });
});
