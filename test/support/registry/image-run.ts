/**
 * Runs a transform from one registry to another over the public API, by the references alone. The tests of threats
 * look at the messages and the error.
 */
import type { ProgressEvent } from '../../../src/events.ts';
import { identity } from '../../../src/jobs/rewrite/run.ts';
import type { Transform } from '../../../src/image/image.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { squash } from '../../../src/slim/squash.ts';
import { openSource, openTarget } from '../../../src/jobs/open.ts';
import type { Source, Target } from '../../../src/place/place.ts';
import { RegistryClients } from '../../../src/registry/clients.ts';
import type { RegistryOptions } from '../../../src/registry/lease.ts';
import { buildImage, type BuiltImage, type BuiltTree, type LayerCompression } from '../image-builder.ts';
import { writeTar } from '../model/tar-bytes.ts';
import type { FakeRegistry } from './fake-registry.ts';
import { runTransform } from '../run-image.ts';
import { never, noise, setup } from './setup.ts';

export const transforms = { copy: identity, squash: squash({ kind: 'last', count: 2 }) } as const;
export type TransformName = keyof typeof transforms;

/** Builds an image with three layers of noise, of so many bytes each. */
export function noisyImage(
  sizes: readonly [number, number, number] = [5000, 30_000, 60_000],
  compress: LayerCompression = 'none',
): BuiltImage {
  const layers = sizes.map((size, i) =>
    writeTar([{ type: 'file', name: `layer-${i}`, body: noise(size, i + 1) }]),
  );
  return buildImage({ layers, compress });
}

/** Puts an image into a repository as `v1`. */
export function fill(fake: FakeRegistry, repository: string, { descriptor, blobs }: BuiltTree): void {
  const content = fake.repository(repository);
  for (const [digest, bytes] of blobs) {
    if (digest !== descriptor.digest) content.blobs.set(digest as Digest, Buffer.from(bytes));
    else
      content.manifests.set(digest as Digest, {
        mediaType: descriptor.mediaType,
        bytes: Buffer.from(bytes),
      });
  }
  content.tags.set('v1', descriptor.digest as Digest);
}

/** Runs a transform between two open places. */
export async function rewrite(
  source: Source,
  target: Target,
  transform: Transform,
  onEvent: (event: ProgressEvent) => void = () => {},
): Promise<void> {
  await runTransform({
    source,
    target,
    transform,
    listener: onEvent,
  });
}

export interface ImageRun {
  /** The messages of all events. */
  readonly messages: readonly string[];
  /** The error that it failed with; null for none. */
  readonly error: unknown;
}

/** Runs a transform from one reference to another, over the public API. A failure is part of the result. */
export async function runImage(
  from: string,
  to: string,
  name: TransformName,
  overrides: Partial<RegistryOptions> = {},
): Promise<ImageRun> {
  const { options, events } = setup({ clients: new RegistryClients(), ...overrides });
  let error: unknown = null;
  const source = await openSource(parseReference(from), options);
  const target = await openTarget([parseReference(to)], options, never);
  try {
    await rewrite(source, target, transforms[name], options.listener);
  } catch (reason) {
    error = reason;
  } finally {
    await target.close();
    await source.close();
  }
  return { messages: events.flatMap((event) => ('message' in event ? [event.message] : [])), error };
}
