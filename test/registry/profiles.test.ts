import dns from 'node:dns';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Digest } from '../../src/oci/digest.ts';
import type { BuiltImage, BuiltTree } from '../support/image-builder.ts';
import { MemorySource, MemoryTarget } from '../support/memory-store.ts';
import type { Recorded } from '../support/registry/exchange.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import {
  fill,
  noisyImage,
  rewrite,
  runImage,
  type TransformName,
  transforms,
} from '../support/registry/image-run.ts';
import { profiles } from '../support/registry/profiles/all.ts';
import { ecr } from '../support/registry/profiles/ecr.ts';
import type { Profile } from '../support/registry/profiles/profile.ts';
import { block, FakeClock } from '../support/registry/setup.ts';
import { startRegistry } from '../support/registry/opened.ts';

/** The last layer alone is more than is sent at once. */
let image: BuiltImage;

beforeAll(() => {
  image = noisyImage([50_000, 200_000, block + 20_000]);
});
afterEach(async () => {
  vi.restoreAllMocks();
});

async function start(profile: Profile, clock: FakeClock): Promise<FakeRegistry> {
  const options = profile.options(() => clock.now());
  const pace = (profile.pace ?? 0) * 1000;
  const fake = await startRegistry({ ...options, onRequest: () => void (clock.time += pace) });
  for (const fault of profile.faults?.(fake) ?? []) fake.fault(fault);
  // Names of registries are this machine's for the time of the test.
  const real = dns.lookup;
  vi.spyOn(dns, 'lookup').mockImplementation(((name: string, settings: unknown, callback: unknown) =>
    real(name === options.name ? '127.0.0.1' : name, settings as never, callback as never)) as never);
  return fake;
}

async function startPlain(): Promise<FakeRegistry> {
  const fake = await startRegistry();
  return fake;
}

interface Ends {
  readonly from: readonly [FakeRegistry, string];
  readonly to: readonly [FakeRegistry, string];
}

async function perform(
  profile: Profile,
  clock: FakeClock,
  name: TransformName,
  { from, to }: Ends,
): Promise<readonly string[]> {
  const fakes = [from[0], to[0]];
  const known = fakes.filter((fake) => fake.options.auth.kind !== 'none').map(({ host }) => host);
  const { messages, error } = await runImage(
    `${from[0].host}/${from[1]}:v1`,
    `${to[0].host}/${to[1]}:v1`,
    name,
    {
      clock,
      credentials: (host) => Promise.resolve(known.includes(host) ? profile.credential : null),
      insecure: fakes.some((fake) => fake.options.name !== null),
    },
  );
  if (error !== null) throw error;
  return messages;
}

/** What the same run makes in memory, where nothing goes wrong. */
async function expected(name: TransformName): Promise<BuiltTree> {
  const known = made.get(name);
  if (known !== undefined) return known;
  const target = new MemoryTarget({ mountable: null });
  await rewrite(new MemorySource(image, { mountable: null }), target, transforms[name]);
  made.set(name, target.tree);
  return target.tree;
}
const made = new Map<string, BuiltTree>();

function expectWhole(fake: FakeRegistry, repository: string, tree: BuiltTree): void {
  const content = fake.repository(repository);
  expect(content.tags.get('v1')).toBe(tree.descriptor.digest);
  for (const [digest, bytes] of tree.blobs) {
    const stored =
      content.manifests.get(digest as Digest)?.bytes ??
      content.blobs.get(digest as Digest) ??
      Buffer.alloc(0);
    expect(stored.equals(bytes), digest).toBe(true);
  }
  // Nothing was left half done.
  expect(content.uploads.size).toBe(0);
}

function secretOf({ credential }: Profile): string {
  return (credential.kind === 'basic' ? credential.password : credential.token).reveal();
}

/** Where the password, and the tokens that it is good for, may go, and where they went. */
function expectDiscreet(profile: Profile, fakes: readonly FakeRegistry[], messages: readonly string[]): void {
  const secret = secretOf(profile);
  const said = messages.join('\n');
  expect(said).not.toContain(secret);
  expect(said).not.toContain('very-secret');
  for (const fake of fakes) {
    const { auth } = fake.options;
    const allowed: Readonly<Record<string, RegExp>> = {
      registry: auth.kind === 'none' ? /^$/ : auth.kind === 'basic' ? /^$|^Basic / : /^$|^Bearer /,
      tokens: /^$|^Basic /,
      storage: /^$/,
    };
    for (const { server, path, headers, method, body } of fake.requests) {
      expect(headers.authorization ?? '', `${server} ${method} ${path}`).toMatch(allowed[server] ?? /^$/);
      expect(decodeURIComponent(path)).not.toContain(secret);
      if (server !== 'tokens') expect(body.includes(secret)).toBe(false);
    }
    if (auth.kind === 'bearer') for (const token of auth.tokens.keys()) expect(said).not.toContain(token);
  }
}

function describeRequests(requests: readonly Recorded[]): readonly string[] {
  return requests.map(({ server, method, path, status }) => `${server} ${method} ${path} ${status}`);
}

function expectNothingVain(profile: Profile, fake: FakeRegistry): void {
  expect(describeRequests(profile.vain?.(fake.requests) ?? [])).toEqual([]);
}

describe.each(profiles.map((profile) => [profile.name, profile] as const))(
  'the registry %s',
  (_, profile) => {
    const { repository } = profile;

    test.each(['copy', 'squash'] as const)('gives an image: %s', async (name) => {
      const clock = new FakeClock();
      const fake = await start(profile, clock);
      const other = await startPlain();
      fill(fake, repository, image);
      const ends: Ends = { from: [fake, repository], to: [other, 'dst'] };
      const messages = await perform(profile, clock, name, ends);
      expectWhole(other, 'dst', await expected(name));
      expectDiscreet(profile, [fake, other], messages);
      expectNothingVain(profile, fake);
    });

    if (profile.readOnly === true) return;

    test.each(['copy', 'squash'] as const)('takes an image: %s', async (name) => {
      const clock = new FakeClock();
      const fake = await start(profile, clock);
      const other = await startPlain();
      fill(other, 'src', image);
      const ends: Ends = { from: [other, 'src'], to: [fake, repository] };
      const messages = await perform(profile, clock, name, ends);
      expectWhole(fake, repository, await expected(name));
      expectDiscreet(profile, [fake, other], messages);
      expectNothingVain(profile, fake);
      // A copy sends no chunks, in which something could go wrong.
      const unused = fake.faults.unused.filter(({ method }) => name !== 'copy' || method !== 'PATCH');
      expect(unused.map(({ method, path }) => `${method} ${path.source}`)).toEqual([]);
    });

    test('squashes an image within itself', async () => {
      const clock = new FakeClock();
      const fake = await start(profile, clock);
      fill(fake, repository, image);
      const slim = `${repository}-slim`;
      const ends: Ends = { from: [fake, repository], to: [fake, slim] };
      const messages = await perform(profile, clock, 'squash', ends);
      expectWhole(fake, slim, await expected('squash'));
      expectDiscreet(profile, [fake], messages);
      expectNothingVain(profile, fake);
      // What is not changed is mounted, where that is to be had at all.
      const mounts = fake.requests.filter(({ path }) => path.includes('mount='));
      expect(mounts.length).toBeGreaterThan(0);
      for (const { path } of mounts)
        expect(new URL(path, 'http://fake').searchParams.get('from')).toBe(repository);
    });
  },
);

test('ECR takes a rewritten image whose source does not state its media type', async () => {
  const clock = new FakeClock();
  const { mediaType: _, ...manifest } = JSON.parse(Buffer.from(image.manifest).toString()) as Record<
    string,
    unknown
  >;
  const other = await startPlain();
  fill(other, 'src', image);
  other.repository('src').addManifest(manifest, image.descriptor.mediaType, 'v1');
  const fake = await start(ecr, clock);
  await perform(ecr, clock, 'squash', { from: [other, 'src'], to: [fake, ecr.repository] });
  const stored = fake.repository(ecr.repository).find('v1')?.manifest.bytes.toString() ?? '{}';
  expect(JSON.parse(stored)).toMatchObject({ mediaType: image.descriptor.mediaType });
  // The manifest of a copy is the source's, byte for byte: what ECR says to it is passed on.
  await expect(
    perform(ecr, clock, 'copy', { from: [other, 'src'], to: [fake, ecr.repository] }),
  ).rejects.toMatchObject({ message: expect.stringContaining('Invalid JSON syntax') as string });
});
