import { beforeAll, describe, expect, test } from 'vitest';
import type { BuiltImage } from '../../support/image-builder.ts';
import { sha256 } from '../../support/registry/content.ts';
import { FakeRegistry } from '../../support/registry/fake-registry.ts';
import type { Effect, Fault } from '../../support/registry/faults.ts';
import { fill, noisyImage, runImage } from '../../support/registry/image-run.ts';
import { block } from '../../support/registry/setup.ts';
import { startRegistry } from '../../support/registry/opened.ts';

let image: BuiltImage;
beforeAll(() => {
  // The last layer goes up in two chunks, or in one request where it is copied.
  image = noisyImage([5000, 30_000, block + 20_000]);
});
async function start(): Promise<FakeRegistry> {
  const fake = await startRegistry();
  return fake;
}

const effects: readonly (readonly [string, Effect])[] = [
  ['breaks before anything was read', { kind: 'reset' }],
  ['breaks at its 1000th byte, which was kept', { kind: 'swallow', bytes: 1000, keep: true }],
  ['breaks at its 1000th byte, which was lost', { kind: 'swallow', bytes: 1000, keep: false }],
  ['is answered with 502 when it was done', { kind: 'after', status: 502 }],
  ['is not answered when it was done', { kind: 'after', status: 'reset' }],
  ['is answered with 503 and not done', { kind: 'answer', status: 503 }],
];
const requests: readonly (readonly [string, Omit<Fault, 'effect'>])[] = [
  ['chunk', { method: 'PATCH', path: /uploads/ }],
  ['second chunk', { method: 'PATCH', path: /uploads/, skip: 1 }],
  ['commit', { method: 'PUT', path: /uploads/ }],
  ['manifest', { method: 'PUT', path: /manifests\/sha256/ }],
  ['tag', { method: 'PUT', path: /manifests\/v1/ }],
];

/** Makes copies go in chunks. */
const inChunks = { largestStream: 0 };

describe.each(['copy', 'squash'] as const)('a %s over connections that break', (name) => {
  test.each(requests.flatMap(([what, fault]) => effects.map((each) => [what, ...each, fault] as const)))(
    'N12: a %s that %s ends in the right bytes, once',
    async (what, _, effect, fault) => {
      const from = await start();
      const calm = await start();
      const to = await start();
      fill(from, 'app', image);
      to.fault({ ...fault, effect });
      expect((await runImage(`${from.host}/app:v1`, `${calm.host}/dst:v1`, name)).error).toBeNull();
      const options = what.endsWith('chunk') ? inChunks : {};
      expect((await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name, options)).error).toBeNull();
      expect(to.faults.unused).toEqual([]);
      const content = to.repository('dst');
      const wanted = calm.repository('dst');
      expect(content.tags).toEqual(wanted.tags);
      expect([...content.manifests.keys()]).toEqual([...wanted.manifests.keys()]);
      expect([...content.blobs.keys()].sort()).toEqual([...wanted.blobs.keys()].sort());
      for (const [digest, bytes] of content.blobs) expect(sha256(bytes)).toBe(digest);
      // The tag is written again only if its first write is ambiguous.
      expect(to.sent('PUT', /manifests\/v1/)).toHaveLength(what === 'tag' ? 2 : 1);
    },
  );

  test('N12: an upload that the registry loses in its middle is made again from its start', async () => {
    const from = await start();
    const to = await start();
    fill(from, 'app', image);
    const body = '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown to registry"}]}';
    to.fault({
      method: 'PATCH',
      path: /uploads/,
      skip: 1,
      times: 2,
      effect: { kind: 'answer', status: 404, body },
    });
    const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name, inChunks);
    expect(error).toBeNull();
    expect(to.faults.unused).toEqual([]);
    for (const [digest, bytes] of to.repository('dst').blobs) expect(sha256(bytes)).toBe(digest);
  });
});
