/**
 * The target of whole images: a config and a manifest as text. An image that is accepted stays valid after each
 * command.
 */
import { createEncoderPool } from '../../src/codec/encoder-pool.ts';
import { run } from '../../src/jobs/rewrite/run.ts';
import type { Transform } from '../../src/image/image.ts';
import { arrange } from '../../src/slim/arrange.ts';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import { buildImage, digestOf } from '../../test/support/image-builder.ts';
import { validateTree } from '../../test/support/image-reader.ts';
import { MemorySource, MemoryTarget } from '../../test/support/memory-store.ts';
import { specOf } from '../../test/support/model/shorthand.ts';
import { writeTar } from '../../test/support/model/tar-bytes.ts';
import { jsonMutators, treeMutator } from '../json-mutators.ts';
import { choiceOf, holds, type Target } from '../target.ts';

const tars = [
  ['a=1', 'd/', 'd/b=2'],
  ['d/.wh.b', 'e=3'],
  ['f->a', 'a=4'],
].map((layer) => writeTar(layer.map(specOf)));

/** The text between the config and the manifest. */
const border = '\n==\n';

/**
 * Returns config and manifest as text. The manifest has `$config` and `$size` for the digest and the size of the
 * config.
 */
function textOf(image: ReturnType<typeof buildImage>): Uint8Array {
  const manifest = Buffer.from(image.manifest)
    .toString()
    .replace(digestOf(image.config), '$config')
    .replace(`"size":${image.config.length}`, '"size":"$size"');
  return Buffer.from(`${Buffer.from(image.config).toString()}${border}${manifest}`);
}

const images = [
  buildImage({ layers: tars, compress: ['gzip', 'none', 'zstd'], history: 'with-empty-layers' }),
  buildImage({ layers: tars, family: 'docker', history: 'none', annotations: { a: 'b' } }),
  buildImage({ layers: tars, compress: 'none', layerAnnotations: [{ x: 'y' }, undefined, undefined] }),
];
const layers = new Map(images.flatMap(({ blobs }) => [...blobs]));

const all = { kind: 'all' } as const;
const pruning = { rules: [parseRule('d', 'it')], keep: [], shadowed: true, clearSetuid: [], traces: [] };
const transforms: readonly Transform[] = [
  (image) => image,
  squash(all),
  squash({ kind: 'range', from: 2, to: 3 }),
  prune(all, pruning),
  arrange(all, { order: 'similar', hardlinks: true, always: true }),
];

let pool: ReturnType<typeof createEncoderPool> | null = null;

/** Returns the problems that the validator finds; null where the documents have a form that it cannot look through. */
function problemsOf(tree: Parameters<typeof validateTree>[0]): readonly string[] | null {
  try {
    return validateTree(tree);
  } catch {
    return null;
  }
}

function withoutNumbers(problem: string): string {
  return problem.replace(/\d+/g, 'N');
}

export const target: Target = {
  name: 'image',
  invariant:
    'a rewrite of an image with this config and manifest is refused before anything is published, or gives a valid image',
  seeds: () => images.map(textOf),
  dictionary: [
    '"$config"',
    '"$size"',
    border,
    '"layers":',
    '"history":[]',
    '"empty_layer":true',
    '"created":"2024-01-01T00:00:00Z"',
    '"rootfs":',
    '"annotations":{}',
    'tar+gzip"',
    'tar+zstd"',
    'diff.tar.gzip"',
    '.nondistributable',
    '"urls":["http://a"]',
    '"subject":',
    '"data":""',
    '"os":"windows"',
  ],
  mutators: [...jsonMutators, ...Array.from({ length: 40 }, () => treeMutator(border))],
  isFragile: true,
  run: async (bytes) => {
    const text = Buffer.from(bytes).toString();
    const [configText = '', manifestText = ''] = text.split(border, 2);
    const config = Buffer.from(configText);
    const manifest = Buffer.from(
      manifestText.replaceAll('$config', digestOf(config)).replaceAll('"$size"', String(config.length)),
    );
    const blobs = new Map([...layers, [digestOf(config), config], [digestOf(manifest), manifest]]);
    const type = manifestText.includes('vnd.docker.distribution.manifest.v2+json')
      ? 'application/vnd.docker.distribution.manifest.v2+json'
      : 'application/vnd.oci.image.manifest.v1+json';
    const tree = {
      descriptor: { mediaType: type, digest: digestOf(manifest), size: manifest.length },
      blobs,
    };
    const source = new MemorySource(tree);
    const destination = new MemoryTarget();
    pool ??= createEncoderPool({ jobs: 1 });
    const choice = choiceOf(bytes);
    const { signal } = new AbortController();
    let isDone = false;
    try {
      await run({
        source,
        target: destination,
        transform: transforms[choice % transforms.length] as Transform,
        platforms: [],
        jobs: 1,
        pool,
        maxScratch: 0,
        epoch: choice % 2 === 0 ? 0 : null,
        requireSavings: null,
        listener: () => {},
        signal,
      });
      isDone = true;
    } finally {
      holds(source.held === 0 && destination.pending === 0, 'streams or staged blobs are left over');
      holds(isDone || destination.published === null, 'published, and then failed');
    }
    // Problems that are no reason to refuse, such as a history of other layers, may stay.
    const before = problemsOf(tree);
    const after = problemsOf(destination.tree);
    holds(before === null || after !== null, 'what was published is not of the form that it was of');
    // A squash changes the number of layers.
    const kinds = (before ?? []).map(withoutNumbers);
    const problems =
      before === null ? [] : (after ?? []).filter((each) => !kinds.includes(withoutNumbers(each)));
    const choiceOfNothing = choice % transforms.length === 0;
    holds(choiceOfNothing || problems.length === 0, `what was published is not valid: ${problems[0] ?? ''}`);
    if (choiceOfNothing)
      holds(destination.published?.descriptor.digest === digestOf(manifest), 'a copy has another digest');
  },
};
