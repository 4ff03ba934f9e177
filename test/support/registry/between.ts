/**
 * Runs transforms between two fake registries over the public API. The tests of faults and repairs look at what the
 * destination holds afterwards.
 */
import { identity, type RunOutcome } from '../../../src/jobs/rewrite/run.ts';
import type { Transform } from '../../../src/image/image.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import type { BlobCache } from '../../../src/store/cache/blob-cache.ts';
import { openSource, openTarget } from '../../../src/jobs/open.ts';
import { RegistryClients } from '../../../src/registry/clients.ts';
import type { RegistryOptions } from '../../../src/registry/lease.ts';
import type { BuiltTree } from '../image-builder.ts';
import { sha256 } from './content.ts';
import type { FakeRegistry } from './fake-registry.ts';
import { hold, missing } from './held-image.ts';
import { runTransform } from '../run-image.ts';
import { type Setup, setup } from './setup.ts';

/** Puts an image or index into `src` of a registry, as `v1`. */
export function putImage(fake: FakeRegistry, tree: BuiltTree): void {
  hold(fake.repository('src'), tree, 'v1');
}

/** Runs a transform from `src:v1` of one registry to `dst:v1` of another over the public API. `made` has its clock. */
export async function runBetween(
  from: FakeRegistry,
  to: FakeRegistry,
  {
    transform = identity,
    made = setup(),
    overrides = {},
    cache,
  }: {
    readonly transform?: Transform;
    readonly made?: Setup;
    readonly overrides?: Partial<RegistryOptions>;
    readonly cache?: BlobCache;
  } = {},
): Promise<RunOutcome> {
  const options = { ...made.options, clients: new RegistryClients(), ...overrides };
  const { signal } = new AbortController();
  const source = await openSource(parseReference(`${from.host}/src:v1`), options);
  const target = await openTarget([parseReference(`${to.host}/dst:v1`)], options, signal);
  try {
    return await runTransform({
      source,
      target,
      transform,
      ...(cache === undefined ? {} : { cache }),
      listener: options.listener,
    });
  } finally {
    await target.close();
    await source.close();
  }
}

/** Returns what is wrong with `v1` in `dst` of a registry; empty for an image that can be pulled. */
export function problemsAt(fake: FakeRegistry, digest: string | undefined): readonly string[] {
  const content = fake.repository('dst');
  const root = content.find('v1');
  const problems = missing(content);
  if (root?.digest !== digest) problems.push(`v1 is ${root?.digest}, not ${digest}`);
  for (const [name, bytes] of content.blobs)
    if (sha256(bytes) !== name) problems.push(`${name} has other bytes`);
  return problems;
}
