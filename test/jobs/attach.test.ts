import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attachArtifact, type NewArtifact } from '../../src/jobs/attach.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { mediaTypes } from '../../src/oci/media-type.ts';
import { referrersTag } from '../../src/oci/referrers.ts';
import { artifactOf, blobOf } from '../support/artifacts.ts';
import type { BuiltTree } from '../support/image-builder.ts';
import { startRegistry } from '../support/registry/opened.ts';
import { never } from '../support/registry/setup.ts';
import { runs } from '../support/extent.ts';
import {
  descriptorOf,
  newFolder,
  publish,
  refused,
  smallImage,
  source,
  target,
} from '../support/store/local.ts';
import { serve } from '../support/store/serving.ts';

const image = smallImage();
const other = smallImage({ seed: 'other' });
const subject = descriptorOf(image.descriptor);

function statement(text: string, about: Descriptor = subject): NewArtifact {
  return {
    subject: about,
    artifactType: 'application/vnd.example.statement',
    annotations: { says: text },
    blobs: [{ mediaType: 'text/plain', bytes: new TextEncoder().encode(text) }],
  };
}

/** A place to write to and to read from again, by the name of an image. */
const places: Readonly<Record<string, () => Promise<(name: string) => string>>> = {
  'a layout': async () => {
    const folder = await newFolder();
    return (name) => `oci:${folder}/layout:${name}`;
  },
  'an OCI archive': async () => {
    const folder = await newFolder();
    return (name) => `oci-archive:${folder}/x.tar:${name}`;
  },
  'a registry with the referrers API': async () => {
    const { host } = await serve();
    return (name) => `${host}/app:${name}`;
  },
  'a registry without it': async () => {
    const { host } = await startRegistry({ referrers: false });
    return (name) => `${host}/app:${name}`;
  },
};

/** Writes an image with what is about it. */
async function write(
  reference: string,
  built: typeof image,
  artifacts: readonly NewArtifact[],
): Promise<void> {
  const opened = await target(reference);
  for (const each of artifacts) await attachArtifact(opened, each, never);
  await publish(opened, built);
  await opened.close();
}

async function listed(reference: string, about: Descriptor = subject): Promise<readonly unknown[]> {
  const opened = await source(reference);
  const found = await opened.referrers(about.digest, never);
  expect(found.every(({ json }) => json['artifactType'] === 'application/vnd.example.statement')).toBe(true);
  return found.map(({ annotations }) => String(annotations['says'])).toSorted();
}

describe.each(Object.entries(places))('artifacts about images in %s', (_, place) => {
  const texts = fc.uniqueArray(fc.stringMatching(/^[a-e]{1,2}$/), { maxLength: 4 });

  test('are those that were attached in any number of writes, each once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 3 }), async (writes) => {
        const at = await place();
        for (const [i, each] of writes.entries()) {
          await write(
            at(`v${i}`),
            image,
            each.map((text) => statement(text)),
          );
          await write(at('other'), other, [statement('other', descriptorOf(other.descriptor))]);
        }
        expect(await listed(at('v0'))).toEqual([...new Set(writes.flat())].toSorted());
        expect(await listed(at('other'), descriptorOf(other.descriptor))).toEqual(['other']);
      }),
      { numRuns: runs(5, 40) },
    );
  });

  test('may come under a tag of cosign; what was added there since stays', async () => {
    const at = await place();
    const tag = `${referrersTag(subject.digest)}.sig`;
    const signed = (...keys: readonly string[]) =>
      artifactOf(
        blobOf('application/vnd.oci.image.config.v1+json', '{}'),
        keys.map((key) => blobOf('text/plain', key)),
      );
    const tagged = async (tree: BuiltTree): Promise<boolean> => {
      const opened = await target(at('v1'));
      for (const [digest, bytes] of tree.blobs)
        if (digest !== tree.descriptor.digest)
          await opened.put(bytes, descriptorOf({ mediaType: 'x/x', digest, size: bytes.length }), never);
      const bytes = tree.blobs.get(tree.descriptor.digest) as Uint8Array;
      const is = await opened.attach({ descriptor: descriptorOf(tree.descriptor), bytes }, never, tag);
      await publish(opened, image);
      await opened.close();
      return is;
    };
    const there = async () =>
      (await (await source(at('v1'))).referrers(subject.digest, never)).map(({ digest, tags }) => [
        digest,
        ...(tags ?? []),
      ]);
    const [one, two] = [signed('a'), signed('a', 'b')];
    await tagged(one);
    expect(await there()).toEqual([[one.descriptor.digest, tag]]);
    await tagged(two);
    expect(await there()).toEqual([[two.descriptor.digest, tag]]);
    await tagged(one);
    expect(await there()).toEqual([[two.descriptor.digest, tag]]);
  });
});

test('a layout has one row for all that is about an image, which regctl and oras read', async () => {
  const folder = await newFolder();
  await write(`oci:${folder}/layout:v1`, image, [statement('a'), statement('b')]);
  const { manifests } = JSON.parse(await readFile(join(folder, 'layout', 'index.json'), 'utf8')) as {
    manifests: readonly { mediaType: string; digest: string; annotations: Record<string, string> }[];
  };
  const names = manifests.map(({ annotations }) => annotations['org.opencontainers.image.ref.name']);
  expect(names).toEqual(['v1', referrersTag(subject.digest)]);
  expect(manifests[1]?.mediaType).toBe(mediaTypes.ociIndex);
  // The image is still the only one that can be meant.
  expect((await (await source(`oci:${folder}/layout`)).root(never)).descriptor.digest).toBe(subject.digest);
});

test('several writers to a layout at once lose none', async () => {
  const folder = await newFolder();
  const texts = ['a', 'b', 'c', 'd', 'e', 'f'];
  await Promise.all(texts.map((text) => write(`oci:${folder}/layout:v1`, image, [statement(text)])));
  expect(await listed(`oci:${folder}/layout:v1`)).toEqual(texts);
});

test('a registry without the API keeps what one writer adds while another one does', async () => {
  const { host } = await startRegistry({ referrers: false });
  const texts = ['a', 'b', 'c', 'd'];
  await Promise.all(texts.map((text, i) => write(`${host}/app:v${i}`, image, [statement(text)])));
  expect(await listed(`${host}/app:v0`)).toEqual(texts);
});

test('a Docker archive takes none', async () => {
  const folder = await newFolder();
  const opened = await target(`docker-archive:${folder}/x.tar:app:1`);
  const message = await refused('UNSUPPORTED', attachArtifact(opened, statement('a'), never));
  expect(message).toContain('docker load reads nothing about an image');
});

test('a tag of referrers that is something else is not overwritten', async () => {
  const folder = await newFolder();
  await write(`oci:${folder}/layout:${referrersTag(subject.digest)}`, other, []);
  const writing = write(`oci:${folder}/layout:v1`, image, [statement('a')]);
  expect(await refused('ARCHIVE_INVALID', writing)).toContain('should be an index');
});
