import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { imageMembers, readImageSet } from '../../src/jobs/image-set.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { formatPlatform, parsePlatform } from '../../src/oci/platform.ts';
import {
  type BuiltTree,
  buildAttestation,
  buildImage,
  buildIndex,
  digestOf,
  jsonBytes,
  MEDIA_TYPES,
} from '../support/image-builder.ts';
import { MemorySource } from '../support/memory-store.ts';
import { tar } from './rig.ts';

test('an index of many children is read a few at a time, and in its order', async () => {
  const images = Array.from({ length: 40 }, (_, i) => buildImage({ layers: [tar(`file=${i}`)] }));
  let [reading, most] = [0, 0];
  class CountingSource extends MemorySource {
    override async manifest(descriptor: Descriptor, signal: AbortSignal) {
      reading += 1;
      most = Math.max(most, reading);
      await new Promise((resolve) => setImmediate(resolve));
      reading -= 1;
      return super.manifest(descriptor, signal);
    }
  }
  const set = await readImageSet(new CountingSource(buildIndex({ images })), {
    platforms: [],
    signal: new AbortController().signal,
  });
  expect(imageMembers(set).map(({ raw }) => raw.descriptor.digest)).toEqual(
    images.map(({ descriptor }) => descriptor.digest),
  );
  expect(most).toBe(6);
});

const signal = new AbortController().signal;

function imageFor(name: string) {
  const { osVersion, ...platform } = parsePlatform(name);
  const version = osVersion === undefined ? {} : { 'os.version': osVersion };
  return buildImage({ layers: [tar(`for=${name}`)], platform: { ...platform, ...version } });
}

/** Builds an index with rows as they are given, and the blobs of these trees. */
function indexOf(rows: readonly unknown[], trees: readonly BuiltTree[]): BuiltTree {
  const bytes = jsonBytes({ schemaVersion: 2, mediaType: MEDIA_TYPES.oci.index, manifests: rows });
  const descriptor = { mediaType: MEDIA_TYPES.oci.index, digest: digestOf(bytes), size: bytes.length };
  return {
    descriptor,
    blobs: new Map([...trees.flatMap(({ blobs }) => [...blobs]), [descriptor.digest, bytes]]),
  };
}

/** Chooses from an index. Returns the manifests that were asked for, those chosen, and the warnings. */
async function choose(tree: BuiltTree, platforms: readonly string[]) {
  const asked: string[] = [];
  const warnings: string[] = [];
  class RecordingSource extends MemorySource {
    override async manifest(descriptor: Descriptor, each: AbortSignal) {
      asked.push(descriptor.digest);
      return super.manifest(descriptor, each);
    }
  }
  const { members } = await readImageSet(new RecordingSource(tree, { label: 'app:1' }), {
    platforms: platforms.map(parsePlatform),
    listener: (event) => void (event.type === 'warning' && warnings.push(event.message)),
    signal,
  });
  return {
    asked,
    chosen: members.map(({ child }) => child?.descriptor.digest ?? tree.descriptor.digest),
    warnings,
  };
}

async function refusal(tree: BuiltTree, ...platforms: readonly string[]): Promise<OcislimError> {
  const error: unknown = await choose(tree, platforms).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof OcislimError && error.code === 'NOT_FOUND') return error;
  throw error;
}

describe('an image of an index, chosen by its platform,', () => {
  const amd64 = imageFor('linux/amd64');
  const arm64 = imageFor('linux/arm64');
  const attestation = buildAttestation(amd64);
  const other = buildAttestation(arm64);
  const absent = { digest: `sha256:${'a'.repeat(64)}`, size: 7 };
  const schema1 = 'application/vnd.docker.distribution.manifest.v1+json';

  test('is found by the rows alone: what the other rows name is not asked for', async () => {
    const rows = [
      { ...absent, mediaType: MEDIA_TYPES.oci.manifest, platform: { os: 'linux', architecture: 's390x' } },
      { ...absent, mediaType: schema1, platform: { os: 'linux', architecture: 'amd64' } },
      { ...absent, mediaType: 'application/x', platform: { os: 'linux', architecture: 'amd64' } },
      {
        ...absent,
        mediaType: MEDIA_TYPES.oci.manifest,
        artifactType: 'application/x',
        platform: { os: 'linux', architecture: 'amd64' },
      },
      { ...absent, mediaType: MEDIA_TYPES.oci.index },
      { ...absent, mediaType: MEDIA_TYPES.oci.manifest },
      amd64.descriptor,
      attestation.descriptor,
      other.descriptor,
    ];
    const tree = indexOf(rows, [amd64, attestation]);
    const both = [amd64.descriptor.digest, attestation.descriptor.digest];
    expect(await choose(tree, ['linux/amd64'])).toEqual({
      asked: both.slice(0, 1),
      chosen: both,
      warnings: [],
    });
  });

  test('is found by its config where its row states no platform, and others may be broken', async () => {
    const { platform: _, ...row } = arm64.descriptor;
    const rows = [{ ...absent, mediaType: MEDIA_TYPES.oci.manifest }, amd64.descriptor, row];
    const tree = indexOf(rows, [amd64, arm64]);
    expect((await choose(tree, ['linux/arm64'])).chosen).toEqual([arm64.descriptor.digest]);
    expect((await refusal(tree, 'linux/s390x')).advice).toBe('It has: linux/amd64, linux/arm64.');
  });

  test('is asked for alone where one is needed and the index has one, or named where it has more', async () => {
    const rows = [attestation.descriptor, amd64.descriptor, { ...absent, mediaType: 'application/x' }];
    const asked: string[] = [];
    class RecordingSource extends MemorySource {
      override async manifest(descriptor: Descriptor, each: AbortSignal) {
        asked.push(descriptor.digest);
        return super.manifest(descriptor, each);
      }
    }
    const single = { platforms: [], single: true, signal };
    await readImageSet(new RecordingSource(indexOf(rows, [amd64])), single);
    expect(asked).toEqual([amd64.descriptor.digest]);
    const both = indexOf([amd64.descriptor, arm64.descriptor], []);
    await expect(readImageSet(new RecordingSource(both), single)).rejects.toMatchObject({
      code: 'USAGE',
      advice: 'Give --platform, one of: linux/amd64, linux/arm64.',
    });
    expect(asked).toHaveLength(1);
  });

  test('is not there for indexes in the index that cannot be read', async () => {
    const rows = [{ ...absent, mediaType: MEDIA_TYPES.oci.index }, amd64.descriptor];
    const error = await refusal(indexOf(rows, [amd64]), 'linux/s390x');
    expect([error.message, error.advice]).toEqual([
      'app:1 has no image for linux/s390x',
      'It has: linux/amd64.',
    ]);
    const nested = buildIndex({ images: [arm64] });
    const tree = indexOf([...rows, nested.descriptor], [amd64, nested]);
    const { asked, chosen } = await choose(tree, ['linux/arm64']);
    expect(chosen).toEqual([nested.descriptor.digest]);
    expect(asked).toContain(arm64.descriptor.digest);
  });

  test('is the best of several, and one for each platform named', async () => {
    const [v7, v6, v3] = ['linux/arm/v7', 'linux/arm/v6', 'linux/amd64/v3'].map(imageFor);
    if (v7 === undefined || v6 === undefined || v3 === undefined) throw new Error('three were made');
    const images = [v3, v6, v7, amd64, arm64];
    const tree = buildIndex({ images });
    const chosen = async (...names: readonly string[]) => (await choose(tree, names)).chosen;
    expect(await chosen('linux/amd64')).toEqual([amd64.descriptor.digest]);
    expect(await chosen('linux/amd64/v3', 'arm')).toEqual(
      [v3, v7].map(({ descriptor }) => descriptor.digest),
    );
    expect(await chosen('linux/aarch64', 'linux/x86_64')).toEqual(
      [amd64, arm64].map(({ descriptor }) => descriptor.digest),
    );
  });

  test.each([
    [['linux/amd64', 'linux/s390x'], 'linux/s390x'],
    // The substitute for v4 is what another one names.
    [['linux/amd64', 'linux/amd64/v4'], 'linux/amd64/v4'],
    [['linux/amd64/v3', 'linux/amd64/v4'], 'linux/amd64/v4'],
  ])('is missing for one of %j: the error names it', async (names, missing) => {
    const error = await refusal(buildIndex({ images: [amd64, arm64] }), ...names);
    expect(error.message).toBe(`app:1 has no image for ${missing}`);
    expect(error.advice).toBe('It has: linux/amd64, linux/arm64.');
  });

  test('must be for all platforms named where the reference names no index', async () => {
    expect((await choose(amd64, ['linux/amd64/v2'])).chosen).toEqual([amd64.descriptor.digest]);
    expect((await refusal(amd64, 'linux/amd64', 'linux/arm64')).message).toBe(
      'app:1 is an image for linux/amd64, not for linux/arm64',
    );
  });

  test('is the first of equal ones, and a warning says so; what it offers chooses another', async () => {
    const names = ['windows/amd64:10.0.17763.1', 'windows/amd64:10.0.20348.1'];
    const images = names.map(imageFor);
    const tree = buildIndex({ images });
    const { chosen, warnings } = await choose(tree, ['windows/amd64']);
    expect(chosen).toEqual([images[0]?.descriptor.digest]);
    expect(warnings).toEqual([
      `app:1 has 2 images for windows/amd64: the first is taken, ${names[0]} (${chosen[0]}); to choose another, name it: ${names[1]}`,
    ]);
    const twins = buildIndex({ images: [amd64, buildImage({ layers: [tar('twin=1')] }), arm64] });
    const tied = await choose(twins, ['linux/amd64']);
    expect(tied.chosen).toEqual([amd64.descriptor.digest]);
    expect(tied.warnings).toHaveLength(1);
  });

  test('may be any that the error offers: each can be typed', async () => {
    const names = [
      'linux/amd64',
      'linux/amd64/v3',
      'linux/arm',
      'linux/arm/v7',
      'linux/arm64/v8',
      'windows/amd64:10.0.17763.1',
      'windows/amd64:10.0.17763.2',
      'linux/mips64le',
    ];
    const images = names.map(imageFor);
    const tree = buildIndex({ images });
    const { advice = '' } = await refusal(tree, 'plan9/386');
    const offered = advice.replace(/^It has: |\.$/g, '').split(', ');
    expect(offered).toEqual(names);
    for (const [i, name] of offered.entries())
      expect((await choose(tree, [name])).chosen).toEqual([images[i]?.descriptor.digest]);
    expect(offered.map((name) => formatPlatform(parsePlatform(name)))).toEqual(names);
  });

  test('may be in an index of the index, which is read only where the rows above do not have it', async () => {
    const s390x = imageFor('linux/s390x');
    const inner = indexOf([s390x.descriptor], [s390x]);
    const middle = indexOf([inner.descriptor, arm64.descriptor], [inner, arm64]);
    const tree = indexOf([amd64.descriptor, middle.descriptor], [amd64, middle]);
    expect((await choose(tree, ['linux/amd64'])).asked).toEqual([amd64.descriptor.digest]);
    const below = await choose(tree, ['linux/s390x']);
    expect(below.asked).toEqual([middle, inner, s390x].map(({ descriptor }) => descriptor.digest));
    expect(below.chosen).toEqual([middle.descriptor.digest]);
    expect((await refusal(tree, 'linux/riscv64')).advice).toBe(
      'It has: linux/amd64, linux/s390x, linux/arm64.',
    );
  });
});
