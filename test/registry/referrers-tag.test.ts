import { describe, expect, test } from 'vitest';
import { makeDescriptor } from '../../src/oci/descriptor.ts';
import { mediaTypes } from '../../src/oci/media-type.ts';
import { referrersTag } from '../../src/oci/referrers.ts';
import type { RawManifest, Target } from '../../src/place/place.ts';
import { openRegistryTarget } from '../../src/registry/target.ts';
import { sha256 } from '../support/registry/content.ts';
import { type FakeOptions, FakeRegistry } from '../support/registry/fake-registry.ts';
import { never, refer, setup } from '../support/registry/setup.ts';
import { closing, startRegistry } from '../support/registry/opened.ts';

async function start(options: Partial<FakeOptions> = {}): Promise<{ fake: FakeRegistry; target: Target }> {
  const fake = await startRegistry(options);
  const target = closing(openRegistryTarget([refer(`${fake.host}/dst:signature`)], setup().options));
  return { fake, target };
}

const subject = makeDescriptor(mediaTypes.ociManifest, sha256(Buffer.from('an image')), 100);
const tag = referrersTag(subject.digest);

/** A signature of the subject, say. */
function artifact(fake: FakeRegistry, more: Record<string, unknown> = {}): RawManifest {
  const config = fake.repository('dst').addBlob(Buffer.from('{}'), 'application/vnd.example.config');
  const value = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: config.json,
    layers: [],
    subject: subject.json,
    ...more,
  };
  const bytes = Buffer.from(JSON.stringify(value));
  return { descriptor: makeDescriptor(mediaTypes.ociManifest, sha256(bytes), bytes.length), bytes };
}

function indexAt(fake: FakeRegistry): { readonly manifests: readonly unknown[] } | null {
  const found = fake.repository('dst').find(tag);
  return found === null ? null : (JSON.parse(found.manifest.bytes.toString()) as never);
}

function entryOf({ descriptor }: RawManifest, more: Record<string, unknown> = {}): unknown {
  const { mediaType, digest, size } = descriptor;
  return { mediaType, digest, size, artifactType: 'application/vnd.example.config', ...more };
}

describe('a manifest with a subject', () => {
  test('is noted in an index under the tag of its subject, once', async () => {
    const { fake, target } = await start();
    const one = artifact(fake, { annotations: { by: 'me' } });
    await target.publish(one, never);
    expect(fake.repository('dst').find(tag)?.manifest.mediaType).toBe(mediaTypes.ociIndex);
    expect(indexAt(fake)).toEqual({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [entryOf(one, { annotations: { by: 'me' } })],
    });
    expect(fake.sent('PUT', new RegExp(tag))).toHaveLength(1);
    const again = closing(openRegistryTarget([refer(`${fake.host}/dst:again`)], setup().options));
    await again.publish(one, never);
    expect(fake.sent('PUT', new RegExp(tag))).toHaveLength(1);
  });

  test('is noted with its own type if it has one', async () => {
    const { fake, target } = await start();
    const one = artifact(fake, { artifactType: 'application/vnd.example.signature' });
    await target.publish(one, never);
    expect(indexAt(fake)?.manifests).toEqual([
      entryOf(one, { artifactType: 'application/vnd.example.signature' }),
    ]);
  });

  test('leaves the entries of other clients as they are', async () => {
    const { fake, target } = await start();
    const other = artifact(fake, { artifactType: 'application/vnd.example.other' });
    fake.repository('dst').manifests.set(other.descriptor.digest, {
      mediaType: mediaTypes.ociManifest,
      bytes: Buffer.from(other.bytes),
    });
    const theirs = entryOf(other, { 'org.example.unknown': [1, { two: 3 }], platform: { os: 'plan9' } });
    const before = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [theirs],
      annotations: { kept: 'yes' },
    };
    fake.repository('dst').addManifest(before, mediaTypes.ociIndex, tag);
    const one = artifact(fake);
    await target.publish(one, never);
    expect(indexAt(fake)).toEqual({ ...before, manifests: [theirs, entryOf(one)] });
  });

  test('is noted again when another client overwrites the index at the same time', async () => {
    const { fake, target } = await start();
    const { tags } = fake.repository('dst');
    const other = artifact(fake, { artifactType: 'application/vnd.example.other' });
    fake.repository('dst').manifests.set(other.descriptor.digest, {
      mediaType: mediaTypes.ociManifest,
      bytes: Buffer.from(other.bytes),
    });
    const rival = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entryOf(other)] };
    const { digest } = fake.repository('dst').addManifest(rival, mediaTypes.ociIndex);
    let losses = 0;
    tags.set = function set(name, value) {
      return Map.prototype.set.call(this, name, name === tag && losses++ < 2 ? digest : value) as typeof this;
    };
    const one = artifact(fake);
    await target.publish(one, never);
    expect(indexAt(fake)?.manifests).toEqual([entryOf(other), entryOf(one)]);
  });

  test('that other clients keep overwriting is an error', async () => {
    const { fake, target } = await start();
    fake.fault({ method: 'PUT', path: new RegExp(tag), times: 99, effect: { kind: 'answer', status: 201 } });
    await expect(target.publish(artifact(fake), never)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining(`others write to the tag ${tag} at the same time`) as string,
    });
    expect(fake.repository('dst').tags.size).toBe(0);
  });

  test('does not overwrite a tag that is not an index', async () => {
    const { fake, target } = await start();
    const image = artifact(fake, { subject: undefined });
    fake
      .repository('dst')
      .addManifest(JSON.parse(Buffer.from(image.bytes).toString()), mediaTypes.ociManifest, tag);
    await expect(target.publish(artifact(fake), never)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining('should be an index of what refers to an image') as string,
    });
    expect(fake.repository('dst').tags.get(tag)).toBe(image.descriptor.digest);
  });

  test('is not noted where the registry does that itself', async () => {
    const { fake, target } = await start();
    fake.fault({
      method: 'PUT',
      path: /manifests/,
      times: 9,
      effect: { kind: 'change', headers: { 'oci-subject': subject.digest } },
    });
    await target.publish(artifact(fake), never);
    expect(indexAt(fake)).toBeNull();
    expect(fake.sent('GET', /./)).toEqual([]);
  });

  test('is required: for any other manifest no request is sent', async () => {
    const { fake, target } = await start();
    await target.publish(artifact(fake, { subject: undefined }), never);
    expect(fake.repository('dst').tags.size).toBe(1);
    expect(fake.sent('GET', /./)).toEqual([]);
  });
});
