import { createEncoderPool, type EncoderPool } from '../../../src/codec/encoder-pool.ts';
import { identity, run, type RunOutcome } from '../../../src/jobs/rewrite/run.ts';
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
import { type Setup, setup } from './setup.ts';

let pool: EncoderPool | null = null;

/** Ends the workers of the runs of a file. */
export async function closeWorkers(): Promise<void> {
  await pool?.close();
  pool = null;
}

/** Puts an image or index into `src` of a registry, as `v1`. */
export function putImage(fake: FakeRegistry, tree: BuiltTree): void {
  hold(fake.repository('src'), tree, 'v1');
}

/** Runs a transform from `src:v1` of one registry to `dst:v1` of another over the public API; `made` has its clock. */
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
  pool ??= createEncoderPool({ jobs: 2 });
  try {
    return await run({
      source,
      target,
      transform,
      platforms: [],
      jobs: 2,
      ...(cache === undefined ? {} : { cache }),
      pool,
      maxScratch: 100_000_000,
      epoch: null,
      requireSavings: null,
      listener: options.listener,
      signal,
    });
  } finally {
    await target.close();
    await source.close();
  }
}

/** What is wrong with what `dst` of a registry holds under `v1`: nothing, one hopes. */
export function problemsAt(fake: FakeRegistry, digest: string | undefined): readonly string[] {
  const content = fake.repository('dst');
  const root = content.find('v1');
  const problems = missing(content);
  if (root?.digest !== digest) problems.push(`v1 is ${root?.digest}, not ${digest}`);
  for (const [name, bytes] of content.blobs)
    if (sha256(bytes) !== name) problems.push(`${name} has other bytes`);
  return problems;
}
