import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest';
import { recompress } from '../../src/compress/recompress.ts';
import { OcislimError } from '../../src/errors.ts';
import { identity } from '../../src/jobs/rewrite/run.ts';
import type { Transform } from '../../src/image/image.ts';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import type { RawManifest } from '../../src/place/place.ts';
import {
  type BlobDescriptor,
  type BuiltTree,
  buildImage,
  buildIndex,
  digestOf,
  type ImageRecipe,
  jsonBytes,
  MEDIA_TYPES,
} from '../support/image-builder.ts';
import { MemorySource, MemoryTarget, type TargetFaults } from '../support/memory-store.ts';
import { runTransform } from '../support/run-image.ts';
import { fail, type RigOptions, rewrite, tar, tarEnding } from './rig.ts';
import { layersIn } from '../support/made-layers.ts';

const all = { kind: 'all' } as const;
const zstd = { kind: 'zstd', level: 3 } as const;
const elsewhere = { mountable: { registry: 'https://other.test', repository: 'app' } };
const label = 'registry.test:5000/app:1';

/** Every stage that decodes layer 2. */
const stages: readonly (readonly [string, Transform])[] = [
  ['recompress', recompress(all, zstd)],
  ['squash', squash(all)],
  [
    'prune',
    prune(all, { shadowed: true, rules: [parseRule('link', '--rule'), parseRule('extra', '--rule')] }),
  ],
];

let temporary = '';
let before: string | undefined;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'ocislim-failures-'));
  await mkdir(join(temporary, 'tmp'));
});
afterAll(() => rm(temporary, { recursive: true, force: true }));
beforeEach(() => {
  before = process.env['TMPDIR'];
  process.env['TMPDIR'] = join(temporary, 'tmp');
});
afterEach(async () => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  expect(await readdir(join(temporary, 'tmp')), 'scratch files left behind').toEqual([]);
});

/** Bytes that do not pack. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 7;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const layersWith = (bytes: number) => [
  tar('etc/', 'etc/a=1'),
  tar({ name: 'data', body: noise(bytes) }, 'link->data'),
  tar('etc/.wh.a'),
];
const small = layersWith(30_000);
/** Unpacked in a thread. */
const large = layersWith(2_500_000);
let layers = small;

type Documents = {
  manifest: { config: BlobDescriptor; layers: BlobDescriptor[] };
  config: { rootfs: { diff_ids: string[] } };
};

/** Makes an inconsistent image: changes its documents, or the blob of layer 2, after it was built. */
function lying(
  change: (documents: Documents, blobs: Map<string, Uint8Array>) => void,
  recipe: Partial<ImageRecipe> = {},
): BuiltTree {
  const built = buildImage({ layers, ...recipe });
  const blobs = new Map(built.blobs);
  const parse = (bytes: Uint8Array): never => JSON.parse(new TextDecoder().decode(bytes)) as never;
  const documents: Documents = { manifest: parse(built.manifest), config: parse(built.config) };
  change(documents, blobs);
  const config = jsonBytes(documents.config);
  blobs.set(digestOf(config), config);
  documents.manifest.config = { ...documents.manifest.config, digest: digestOf(config), size: config.length };
  const manifest = jsonBytes(documents.manifest);
  blobs.set(digestOf(manifest), manifest);
  return { descriptor: { ...built.descriptor, digest: digestOf(manifest), size: manifest.length }, blobs };
}

function second({ manifest }: Documents): BlobDescriptor {
  return manifest.layers[1] as BlobDescriptor;
}

async function failsWith(
  tree: BuiltTree,
  transform: Transform,
  code: string,
  message: RegExp,
  options: RigOptions = {},
): Promise<void> {
  for (const maxScratch of [0, 1e9]) {
    const { error } = await fail(tree, [transform], { ...options, maxScratch });
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  }
}

const inLayer2 = (what: string): RegExp => new RegExp(`^source ${label}, layer 2: .*${what}`);

describe.each(
  [small, large].flatMap((of) =>
    stages.map(([name, transform]) => [name, of === small ? 'small' : 'large', transform, of] as const),
  ),
)('%s of a %s layer that lies', (_, __, transform, of) => {
  beforeAll(() => {
    layers = of;
  });
  afterAll(() => {
    layers = small;
  });

  test('about its digest', async () => {
    const tree = lying((documents, blobs) => {
      const bytes = new Uint8Array(blobs.get(second(documents).digest) ?? []);
      // The operating system in the gzip header: it unpacks to the same bytes.
      bytes[9] = (bytes[9] ?? 0) ^ 1;
      blobs.set(second(documents).digest, bytes);
    });
    await failsWith(tree, transform, 'DIGEST_MISMATCH', inLayer2('digest'));
  });

  test.each([-1, 1, 1000])('about its size, by %i', async (by) => {
    const tree = lying((documents) => {
      documents.manifest.layers[1] = { ...second(documents), size: second(documents).size + by };
    });
    await failsWith(tree, transform, 'SIZE_MISMATCH', inLayer2('bytes long, not'));
  });

  test('T12: about its DiffID', async () => {
    const tree = lying(({ config }) => {
      config.rootfs.diff_ids[1] = `sha256:${'ab'.repeat(32)}`;
    });
    await failsWith(tree, transform, 'DIFFID_MISMATCH', inLayer2('unpacks to sha256:'));
  });

  test.each(['gzip', 'zstd'] as const)(
    'T13: about its media type: %s that is neither packed nor the tar',
    async (stated) => {
      const tree = lying((documents, blobs) => {
        const bytes = Buffer.from('neither of both');
        blobs.set(digestOf(bytes), bytes);
        const mediaType = MEDIA_TYPES.oci.layer[stated];
        documents.manifest.layers[1] = { mediaType, digest: digestOf(bytes), size: bytes.length };
      });
      await failsWith(
        tree,
        transform,
        'MEDIA_TYPE',
        inLayer2(`the media type says ${stated}, but the bytes are neither`),
      );
    },
  );

  test('whose compressed stream is cut off, or followed by something', async () => {
    const packed = buildImage({ layers });
    const bytes = packed.blobs.get(packed.layers[1]?.digest ?? '') as Uint8Array;
    for (const blob of [bytes.subarray(0, bytes.length - 20), Buffer.concat([bytes, Buffer.from('more')])]) {
      const tree = lying((documents, blobs) => {
        blobs.set(digestOf(blob), blob);
        documents.manifest.layers[1] = { ...second(documents), digest: digestOf(blob), size: blob.length };
      });
      await failsWith(tree, transform, 'CODEC', inLayer2('gzip stream'));
    }
  });

  test('that is missing', async () => {
    const tree = lying((documents, blobs) => void blobs.delete(second(documents).digest));
    await failsWith(tree, transform, 'NOT_FOUND', inLayer2('is not there'));
  });

  test.each([0, 1, 10_000])('whose connection breaks after %i bytes', async (after) => {
    const built = buildImage({ layers });
    const cutAfter = { [built.layers[1]?.digest ?? '']: after };
    await failsWith(built, transform, 'NETWORK', inLayer2('the connection broke'), { source: { cutAfter } });
  });
});

describe.each(stages.slice(1))('%s of a layer that is not a changeset', (_, transform) => {
  const withSecond = (bytes: Uint8Array): BuiltTree =>
    buildImage({ layers: [layers[0] as Uint8Array, bytes] });
  const whole = tar({ name: 'data', body: noise(5000) }, 'extra=1');

  test.each([
    ['cut in a file', whole.subarray(0, 3000), 'TAR_INVALID', 'ends in the middle of a file'],
    [
      'cut in a header',
      tarEnding('none', 'a=1').subarray(0, 1024 + 100 - 1024 + 100),
      'TAR_INVALID',
      'ends in the middle of a header',
    ],
    ['no tar at all', new TextEncoder().encode('x'.repeat(2048)), 'TAR_INVALID', ''],
    [
      'T11: after the end mark of which data follows',
      Buffer.concat([whole, Buffer.from('secret')]),
      'TAR_INVALID',
      'data after the end mark',
    ],
    [
      'a dangling hard link',
      tar('link->nothing/here'),
      'LAYER_INVALID',
      '"link" in layer 2 points at "nothing/here", which does not exist',
    ],
    ['a hard link to a directory', tar('link->etc'), 'LAYER_INVALID', 'points at a directory'],
    ['a bare whiteout', tar('etc/.wh.'), 'LAYER_INVALID', '\\.wh\\.'],
    ['a name that leads out', tar('../x=1'), 'LAYER_INVALID', '\\.\\.'],
  ] as const)('fails and names the fault: %s', async (_what, bytes, code, message) => {
    const { error } = await fail(withSecond(bytes), [transform]);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(new RegExp(message));
    expect(error.message).toMatch(/layer 2/);
  });

  test('recompress does not look inside', async () => {
    for (const bytes of [tar('link->nothing/here'), Buffer.concat([whole, Buffer.from('secret')])]) {
      const { outcome } = await rewrite(withSecond(bytes), [recompress(all, zstd)]);
      expect(layersIn(outcome)[1]?.action).toBe('recompressed');
    }
  });
});

describe('an untouched layer', () => {
  const built = buildImage({ layers });
  const keepsSecond = recompress({ kind: 'range', from: 1, to: 1 }, zstd);

  test('whose copy breaks, or has another digest: the error names it', async () => {
    const cutAfter = { [built.layers[1]?.digest ?? '']: 100 };
    await failsWith(built, keepsSecond, 'NETWORK', /^layer 2: source .*the connection broke/, {
      source: { cutAfter },
      target: elsewhere,
    });
    const wrong = lying(
      (documents, blobs) => void blobs.set(second(documents).digest, noise(second(documents).size)),
    );
    await failsWith(wrong, keepsSecond, 'DIGEST_MISMATCH', /layer 2/, { target: elsewhere });
    await failsWith(wrong, identity, 'DIGEST_MISMATCH', /layer 2/, { target: elsewhere });
  });

  test('at a destination that refuses it', async () => {
    const { error } = await fail(built, [keepsSecond], { target: { ...elsewhere, fails: 'adopt' } });
    expect(error.code).toBe('REGISTRY');
    expect(error.message).toMatch(/destination registry\.test:5000\/slim:1: the registry refused the adopt/);
    expect(error.message).toMatch(/layer [23]/);
  });
});

describe('inconsistent documents', () => {
  test('a config whose digest differs, or that names too few DiffIDs', async () => {
    const wrong = lying(() => {});
    const blobs = new Map(wrong.blobs);
    const manifest = JSON.parse(
      new TextDecoder().decode(blobs.get(wrong.descriptor.digest)),
    ) as Documents['manifest'];
    blobs.set(manifest.config.digest, noise(manifest.config.size));
    expect((await fail({ ...wrong, blobs }, [squash(all)])).error).toMatchObject({ code: 'DIGEST_MISMATCH' });
    const few = lying(({ config }) => void config.rootfs.diff_ids.pop());
    const { error } = await fail(few, [squash(all)]);
    expect(error).toMatchObject({
      code: 'MANIFEST_INVALID',
      message: `the config of ${label} names 2 DiffIDs, but the manifest has 3 layers`,
    });
  });

  test('a missing child of an index: the other child is not written either', async () => {
    const images = ['amd64', 'arm64'].map((architecture) =>
      buildImage({ layers, platform: { os: 'linux', architecture } }),
    );
    const index = buildIndex({ images });
    const blobs = new Map(index.blobs);
    blobs.delete(images[1]?.descriptor.digest ?? '');
    const { error, target } = await fail({ ...index, blobs }, [squash(all)]);
    expect(error.code).toBe('NOT_FOUND');
    expect(target.acts).toEqual([]);
  });
});

describe('a destination that fails', () => {
  const built = buildImage({ layers });
  const steps: readonly NonNullable<TargetFaults['fails']>[] = [
    'stage',
    'commit',
    'put',
    'putManifest',
    'publish',
  ];
  test.each(steps.flatMap((step) => stages.map(([name, transform]) => [step, name, transform] as const)))(
    'at %s of %s',
    async (fails, _, transform) => {
      for (const jobs of [1, 4]) {
        const { error } = await fail(built, [transform], { target: { fails }, jobs });
        expect(error.code).toBe('REGISTRY');
        expect(error.message).toMatch(new RegExp(`the registry refused the ${fails}$`));
        expect(error.message.match(/destination/g)).toHaveLength(1);
        if (fails === 'stage' || fails === 'commit') expect(error.message).toMatch(/layers? [123]/);
      }
    },
  );

  test('the first failure is reported', async () => {
    // The largest, which goes first.
    const cutAfter = { [built.layers[1]?.digest ?? '']: 10 };
    const { error } = await fail(built, [recompress(all, zstd)], {
      jobs: 1,
      source: { cutAfter },
      target: { fails: 'commit' },
    });
    expect(error.message).toMatch(/layer 2: .*the connection broke/);
  });
});

describe('an interruption', () => {
  const built = buildImage({ layers });
  const reason = new OcislimError('INTERRUPTED', 'interrupted; nothing was published');

  test.each(stages)('%s: at any moment nothing is published and nothing left over', async (_, transform) => {
    // Count the moments of a run without an interruption, then interrupt at each.
    let moments = 0;
    const count = (): void => void (moments += 1);
    await rewrite(built, [transform], { source: { onOpen: count }, target: { onAct: count }, jobs: 1 });
    expect(moments).toBeGreaterThan(5);
    // The last act is the publishing itself.
    for (let moment = 1; moment < moments; moment += 1) {
      const controller = new AbortController();
      let left = moment;
      const step = (): void => {
        left -= 1;
        if (left === 0) controller.abort(reason);
      };
      const { error } = await fail(built, [transform], {
        source: { onOpen: step },
        target: { onAct: step },
        jobs: 1,
        signal: controller.signal,
      });
      expect(error.code).toBe('INTERRUPTED');
    }
  });

  test('before it began', async () => {
    const { error, source, target } = await fail(built, [squash(all)], { signal: AbortSignal.abort(reason) });
    expect(error.code).toBe('INTERRUPTED');
    expect([source.opened, target.acts]).toEqual([[], []]);
  });

  test('while the names are being set does not claim that nothing was published', async () => {
    class InterruptedTarget extends MemoryTarget {
      override async publish(root: RawManifest, signal: AbortSignal): Promise<void> {
        await super.publish(root, signal);
        throw reason;
      }
    }
    const target = new InterruptedTarget();
    const result = runTransform({
      source: new MemorySource(built),
      target,
      transform: squash(all),
      jobs: 1,
      maxScratch: 0,
    });
    await expect(result).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(result).rejects.toThrow(
      `interrupted while registry.test:5000/slim:1 was being published: it is the old image or the new one, ${target.published?.descriptor.digest}`,
    );
  });
});

test('a run whose scratch folder cannot be created succeeds without a local copy', async () => {
  const own = process.env['TMPDIR'];
  process.env['TMPDIR'] = join(temporary, 'not', 'there');
  try {
    const built = buildImage({ layers });
    const { source } = await rewrite(built, [squash(all)]);
    // Without a local copy, the layer is read twice.
    expect(source.countOf(built.layers[1]?.digest ?? '')).toBe(2);
  } finally {
    if (own !== undefined) process.env['TMPDIR'] = own;
  }
});
