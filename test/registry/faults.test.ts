import { describe, expect, test } from 'vitest';
import { squash } from '../../src/slim/squash.ts';
import { buildImage } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { problemsAt, putImage, runBetween } from '../support/registry/between.ts';
import { type FakeOptions, FakeRegistry } from '../support/registry/fake-registry.ts';
import type { Effect, Fault } from '../support/registry/faults.ts';
import { block, noise, type Setup, setup } from '../support/registry/setup.ts';
import { tokenAuth } from '../support/registry/tokens.ts';
import { Secret } from '../../src/registry/auth/secret.ts';
import { startRegistry } from '../support/registry/opened.ts';

function imageOf(...sizes: readonly number[]): ReturnType<typeof buildImage> {
  const layers = sizes.map((size, i) =>
    writeTar([{ type: 'file', name: `file-${i}`, body: noise(size, i + 1) }]),
  );
  return buildImage({ layers, compress: 'none' });
}

/** One layer of the large one goes up as a stream, or in two chunks; all others whole. */
const images = { small: imageOf(3000, 20_000), large: imageOf(3000, block + 20_000) } as const;
const signIn = { 'www-authenticate': 'Basic realm="somewhere"' };
const answer = (status: number, headers: Record<string, string> = {}, body = ''): Effect => ({
  kind: 'answer',
  status,
  headers,
  body,
});

let injected = 0;
let survived = 0;

interface Case {
  readonly image?: keyof typeof images;
  readonly from?: readonly Fault[];
  readonly to?: readonly Fault[];
  readonly options?: Partial<FakeOptions>;
  /** Whether source and destination are in one registry, so that blobs could be mounted. */
  readonly shared?: boolean;
  readonly squashed?: boolean;
  /** Whether copies go in chunks. */
  readonly chunked?: boolean;
  readonly made?: Setup;
  readonly timeoutMs?: number;
  /** Bytes that may go up in addition to those of the image and of requests without effect. */
  readonly waste?: number;
  /** Further PUTs of a manifest, while the registry misses a blob of it. */
  readonly puts?: number;
  /** Upload sessions that the registry has to clean up: those whose address never arrived. */
  readonly orphans?: number;
}

const credentials = () =>
  Promise.resolve({ kind: 'basic', username: 'bob', password: new Secret('secret') } as const);
const results = new Map<string, string>();

/** Returns the digest of a squashed image, by a run without faults. */
async function squashedDigest(name: keyof typeof images): Promise<string> {
  let digest = results.get(name);
  if (digest === undefined) {
    const [from, to] = [await startRegistry(), await startRegistry()];
    putImage(from, images[name]);
    const outcome = await runBetween(from, to, { transform: squash({ kind: 'all' }) });
    digest = outcome.root?.descriptor.digest ?? '';
    results.set(name, digest);
  }
  return digest;
}

/** Returns whether a request with this effect brings nothing there. */
function isLost(effect: Effect): boolean {
  return ['answer', 'reset', 'silent', 'swallow'].includes(effect.kind);
}

async function survive(each: Case): Promise<{ readonly from: FakeRegistry; readonly to: FakeRegistry }> {
  const name = each.image ?? 'small';
  const image = images[name];
  const wanted = each.squashed === true ? await squashedDigest(name) : image.descriptor.digest;
  const to = await startRegistry(each.options);
  const from = each.shared === true ? to : await startRegistry();
  putImage(from, image);
  for (const fault of each.from ?? []) from.fault(fault);
  for (const fault of each.to ?? []) to.fault(fault);
  const made = each.made ?? setup();
  await runBetween(from, to, {
    made,
    overrides: {
      credentials,
      timeoutMs: each.timeoutMs ?? 300_000,
      ...(each.chunked === true ? { largestStream: 0 } : {}),
    },
    ...(each.squashed === true ? { transform: squash({ kind: 'all' }) } : {}),
  });
  // Everything happened, and in the end all is as if nothing had.
  expect([...from.faults.unused, ...to.faults.unused]).toEqual([]);
  expect(problemsAt(to, wanted)).toEqual([]);
  expect(to.repository('dst').uploads.size).toBe(each.orphans ?? 0);
  const hits = [...to.faults.hits, ...(from === to ? [] : from.faults.hits)];
  injected += hits.length;
  // Nothing went up twice but what the registry threw away.
  const uploads = to.requests.filter(({ method, path }) => method.startsWith('P') && /uploads/.test(path));
  const sent = uploads.reduce((sum, { body }) => sum + body.length, 0);
  const stored = [...to.repository('dst').blobs.values()].reduce((sum, { length }) => sum + length, 0);
  const lost = to.faults.hits
    .filter(({ effect }) => isLost(effect))
    .map((hit) => uploads.find(({ method, path }) => method === hit.method && path === hit.path))
    .reduce((sum, request) => sum + (request?.body.length ?? 0), 0);
  expect(sent).toBeLessThanOrEqual(stored + lost + (each.waste ?? 0));
  const puts = to.sent('PUT', /manifests/).length;
  expect(puts).toBeLessThanOrEqual(
    2 + (each.puts ?? 0) + hits.filter(({ path }) => path.includes('/manifests/')).length,
  );
  // No byte came down twice: each blob was opened once, and again for each break and for an upload that starts over.
  const gets = from.sent('GET', /blobs\/sha256/).length;
  expect(gets).toBeLessThanOrEqual(
    image.layers.length +
      1 +
      from.faults.hits.length +
      (each.waste === undefined || each.waste === 0 ? 0 : 1),
  );
  survived += hits.length;
  return { from, to };
}

/**
 * Runs a case with a short timeout. On a busy machine that may hit requests that the server would answer, so that a case that fails
 * is run again with longer ones.
 */
async function inTime(work: (timeoutMs: number) => Promise<unknown>): Promise<void> {
  for (const timeoutMs of [300, 3000]) {
    const [outcome] = await Promise.allSettled([work(timeoutMs)]);
    if (outcome.status === 'fulfilled') return;
  }
  await work(30_000);
}

/** Requests of a copy, each of which every fault hits once. */
const reads = {
  'GET of a manifest': { at: 'from', image: 'small', method: 'GET', path: /manifests\/v1/ },
  'GET of a config': { at: 'from', image: 'small', method: 'GET', path: /blobs\/sha256/ },
  'GET of a layer': { at: 'from', image: 'large', method: 'GET', path: new RegExp(biggest('large')) },
  'HEAD of a blob': { at: 'to', image: 'small', method: 'HEAD', path: /blobs\/sha256/ },
  'HEAD of a tag': { at: 'to', image: 'small', method: 'HEAD', path: /manifests\/v1/ },
} as const;
const writes = {
  'POST of an upload': { at: 'to', image: 'small', method: 'POST', path: /uploads/ },
  'PATCH of a chunk': { at: 'to', image: 'large', method: 'PATCH', path: /uploads/ },
  'PUT of a whole blob': { at: 'to', image: 'small', method: 'PUT', path: committing('small') },
  'PUT of a stream': { at: 'to', image: 'large', method: 'PUT', path: committing('large') },
  'PUT that commits chunks': {
    at: 'to',
    image: 'large',
    method: 'PUT',
    path: committing('large'),
  },
  'PUT of a manifest': { at: 'to', image: 'small', method: 'PUT', path: /manifests\/sha256/ },
  'PUT of a tag': { at: 'to', image: 'small', method: 'PUT', path: /manifests\/v1/ },
} as const;
const verbs = { ...reads, ...writes };
type Verb = keyof typeof verbs;

/** The layer of an image that most of it is. */
function biggest(name: keyof typeof images): string {
  return images[name].layers[1]?.digest ?? '';
}

function committing(name: keyof typeof images): RegExp {
  return new RegExp(encodeURIComponent(biggest(name)));
}

function hitting(verb: Verb, effect: Effect, more: Partial<Fault & Case> = {}): Case {
  const { at, image, method, path } = verbs[verb];
  const { skip, times, ...rest } = more;
  const chunked = /chunk/.test(verb);
  // What broke cannot be repeated: it is opened again, and goes in chunks.
  const waste = verb === 'PUT of a stream' ? 1 : 0;
  const fault = {
    method,
    path,
    effect,
    ...(skip === undefined ? {} : { skip }),
    ...(times === undefined ? {} : { times }),
  };
  return { image, chunked, waste, [at]: [fault], ...rest };
}

const names = Object.keys(verbs) as Verb[];

describe('requests', () => {
  test.each(
    names.flatMap((verb) => [408, 499, 500, 502, 503, 504, 522].map((status) => [verb, status] as const)),
  )('a %s that is answered by %i is retried', async (verb, status) => {
    await survive(hitting(verb, answer(status)));
  });

  test.each(names.flatMap((verb) => [429, 503].map((status) => [verb, status] as const)))(
    'a %s that is answered by %i with Retry-After is retried when it says, in seconds or as a date',
    async (verb, status) => {
      for (const form of ['seconds', 'date'] as const) {
        const made = setup();
        const value = form === 'seconds' ? '7' : new Date(made.clock.now() + 7000).toUTCString();
        await survive(hitting(verb, answer(status, { 'retry-after': value }), { made }));
        // Others may have waited, too, a little longer.
        expect(made.clock.sleeps.every((pause) => pause >= 7000 && pause <= 8000)).toBe(true);
        expect(made.clock.sleeps).toContain(7000);
      }
    },
  );

  test.each(names)('a %s whose connection breaks before it has any effect is retried', async (verb) => {
    await survive(hitting(verb, { kind: 'reset' }));
  });

  test.each(names)(
    'a %s that is answered by 401 in the middle of a run is sent again after a login',
    async (verb) => {
      const made = setup();
      await survive(hitting(verb, answer(401, signIn), { made }));
      expect(made.clock.sleeps).toEqual([]);
    },
  );
});

describe('a server that does not answer', () => {
  // But for what closes an upload: registries may take minutes for that.
  const silent = names.filter((verb) => !/^PUT (?:of a whole|of a stream|that)/.test(verb));

  test.each(silent)('fails a %s, which is retried', async (verb) => {
    await inTime((timeoutMs) => survive(hitting(verb, { kind: 'silent', reads: true }, { timeoutMs })));
  });

  test('and does not read the body fails a chunk, which is retried', async () => {
    for (const skip of [0, 1])
      await inTime((timeoutMs) =>
        survive(hitting('PATCH of a chunk', { kind: 'silent', reads: false }, { timeoutMs, skip })),
      );
  });
});

describe('a token server', () => {
  test.each<readonly [string, Effect]>([
    ['429', answer(429, { 'retry-after': '3' })],
    ['503', answer(503)],
    ['a reset', { kind: 'reset' }],
  ])('that answers by %s is asked again, for each side and at every renewal', async (_, effect) => {
    const made = setup();
    const options = {
      auth: tokenAuth({
        username: 'bob',
        password: 'secret',
        // Two seconds of a clock that only goes on by waiting.
        lifetime: 2,
        now: () => made.clock.now(),
      }),
    };
    const { to } = await survive({
      made,
      image: 'large',
      chunked: true,
      options,
      to: [
        { server: 'tokens', method: 'GET', path: /token/, effect, times: 2 },
        // Longer than the token lives.
        { method: 'PUT', path: committing('large'), effect: answer(503, { 'retry-after': '5' }) },
      ],
    });
    expect(to.sent('GET', /token/, 'tokens').length).toBeGreaterThan(3);
  });
});

describe('an answer', () => {
  const gets = ['GET of a manifest', 'GET of a config', 'GET of a layer'] as const;

  test.each(gets.flatMap((verb) => [0, 1, 300].map((bytes) => [verb, bytes] as const)))(
    'to a %s that breaks after %i bytes is completed',
    async (verb, bytes) => {
      await survive(hitting(verb, { kind: 'cut', bytes, ending: 'reset' }, { times: 2 }));
    },
  );

  test.each([30_000, block + 19_999])(
    'with a layer that breaks after %i bytes is resumed there',
    async (bytes) => {
      const { from } = await survive(hitting('GET of a layer', { kind: 'cut', bytes, ending: 'reset' }));
      expect(from.sent('GET', new RegExp(biggest('large')))[1]?.headers.range).toMatch(/^bytes=\d+-$/);
    },
  );

  test('with a layer that ends too early as if it were whole is resumed', async () => {
    await survive(hitting('GET of a layer', { kind: 'cut', bytes: 150_000, ending: 'whole' }));
  });

  test.each(gets)('to a %s that stands still is given up and asked for again', async (verb) => {
    await inTime((timeoutMs) =>
      survive(hitting(verb, { kind: 'cut', bytes: 200, ending: 'stall' }, { timeoutMs })),
    );
  });

  test.each(gets)('to a %s that is slow but never still is waited for', async (verb) => {
    const made = setup();
    const { from } = await survive(hitting(verb, { kind: 'drip', pieces: 50 }, { made }));
    expect(made.clock.sleeps).toEqual([]);
    expect(from.sent('GET', verbs[verb].path)).toHaveLength(verb === 'GET of a config' ? 3 : 1);
  });

  test('with a shorter range than was asked for is resumed after it', async () => {
    const path = new RegExp(biggest('large'));
    await survive({
      image: 'large',
      from: [
        { method: 'GET', path, effect: { kind: 'cut', bytes: 60_000, ending: 'reset' } },
        { method: 'GET', path, effect: { kind: 'short', bytes: 45_000 }, times: 2 },
      ],
    });
  });

  test('that refuses a range makes the whole be asked for', async () => {
    const path = new RegExp(biggest('large'));
    await survive({
      image: 'large',
      from: [
        { method: 'GET', path, effect: { kind: 'cut', bytes: 60_000, ending: 'reset' } },
        { method: 'GET', path, effect: answer(416, {}, 'x'.repeat(100_000)) },
      ],
    });
  });
});

describe('a request whose body breaks off', () => {
  test.each([0, 1, 90_000])('is sent again: a chunk, after %i bytes', async (bytes) => {
    for (const keep of [true, false])
      for (const skip of [0, 1])
        await survive(
          hitting(
            'PATCH of a chunk',
            { kind: 'swallow', bytes, keep },
            // A registry says the same of one byte at the start as of none: the upload starts over.
            { skip, waste: bytes === 1 && keep && skip === 0 ? block : 0 },
          ),
        );
  });

  test.each([0, 1, 90_000])('is sent again: a stream, after %i bytes', async (bytes) => {
    for (const keep of [true, false])
      await survive(hitting('PUT of a stream', { kind: 'swallow', bytes, keep }, { waste: 120_000 }));
  });

  test.each([0, 1, 1000])('is sent again: a whole blob, after %i bytes', async (bytes) => {
    await survive(hitting('PUT of a whole blob', { kind: 'swallow', bytes, keep: false }));
    await survive(hitting('PUT of a whole blob', { kind: 'swallow', bytes, keep: true }));
  });

  test.each(['PUT of a manifest', 'PUT of a tag'] as const)('is sent again: a %s', async (verb) => {
    await survive(hitting(verb, { kind: 'swallow', bytes: 100, keep: false }));
  });
});

describe('a write that was done although it failed', () => {
  const all = Object.keys(writes) as (keyof typeof writes)[];
  test.each(all.flatMap((verb) => (['reset', 499, 504] as const).map((status) => [verb, status] as const)))(
    'has its effect once: a %s, then %s',
    async (verb, status) => {
      const orphans = verb === 'POST of an upload' ? 1 : 0;
      await survive(hitting(verb, { kind: 'after', status }, { orphans }));
    },
  );

  test.each(['PUT of a whole blob', 'PUT of a stream', 'PUT that commits chunks'] as const)(
    'has its effect once: a %s, then a gateway error, then an unknown upload',
    async (verb) => {
      await survive(hitting(verb, { kind: 'after', status: 404 }));
      const { method, path, image } = verbs[verb];
      await survive({
        image,
        chunked: /chunk/.test(verb),
        to: [
          { method, path, effect: { kind: 'after', status: 502 } },
          // Nor is it seen at once, where it is looked for before it goes up and after.
          { method: 'HEAD', path: new RegExp(biggest(image)), skip: 1, effect: answer(404) },
        ],
        waste: block + 40_000,
      });
    },
  );
});

describe('a HEAD that lies', () => {
  const yes = answer(200);

  test('about a missing blob is found out when the manifest is put', async () => {
    const { to } = await survive({
      image: 'large',
      to: [{ method: 'HEAD', path: new RegExp(biggest('large')), effect: yes }],
      // It may be slow to notice, so that is waited for first.
      puts: 4,
    });
    expect(to.sent('PUT', committing('large'))).toHaveLength(1);
  });

  test.each<readonly [string, Effect]>([
    ['that a blob is not there', answer(404)],
    ['that there is no HEAD', answer(405)],
    ['another digest', { kind: 'change', headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } }],
    ['no length', { kind: 'change', headers: { 'content-length': null } }],
    ['a length of 0', { kind: 'change', headers: { 'content-length': '0' } }],
  ])('about a blob is harmless: %s', async (_, effect) => {
    await survive(hitting('HEAD of a blob', effect, { times: 3 }));
  });

  test.each<readonly [string, Effect]>([
    ['that there is no such tag', answer(404)],
    ['that there is no HEAD', answer(405)],
    ['that HEAD is not implemented', answer(501)],
    ['another digest', { kind: 'change', headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } }],
    ['no digest', { kind: 'change', headers: { 'docker-content-digest': null } }],
    ['nothing at all', answer(200)],
  ])('about a tag is harmless: %s', async (_, effect) => {
    await survive(hitting('HEAD of a tag', effect, { times: 1 }));
    // And for ever: then the manifest itself is looked at.
    const { to } = await survive(hitting('HEAD of a tag', effect, { times: 1, made: setup() }));
    expect(to.sent('GET', /manifests\/v1/).length).toBeLessThanOrEqual(1);
  });
});

describe('a mount', () => {
  const mount = { method: 'POST', path: /mount=/ } as const;

  test.each(['yes', 'session', 'refuse', 'lie'] as const)(
    'with the outcome %s brings the blobs there',
    async (mounts) => {
      const { to } = await survive({ shared: true, image: 'large', options: { mounts } });
      const blobs = images.large.layers.length + 1;
      expect(to.sent('GET', /src\/blobs/)).toHaveLength(mounts === 'yes' ? 1 : blobs);
    },
  );

  test.each<readonly [string, Effect, number]>([
    ['400', answer(400), 1],
    ['401', answer(401, signIn), 2],
    ['403', answer(403), 1],
    ['404', answer(404), 1],
    ['405', answer(405), 1],
    ['500 for ever', answer(500), 5],
    ['429 for ever', answer(429), 5],
    ['202 to nowhere', answer(202), 1],
  ])('that is answered by %s becomes a copy', async (_, effect, times) => {
    await survive({ shared: true, to: [{ ...mount, effect, times }] });
  });

  test.each<Effect>([{ kind: 'reset' }, { kind: 'after', status: 'reset' }, { kind: 'after', status: 502 }])(
    'whose connection breaks is retried: %j',
    async (effect) => {
      await survive({ shared: true, to: [{ ...mount, effect }] });
    },
  );
});

describe('a chunk that is refused for its size', () => {
  const limit = block / 2;

  test.each([413, 416] as const)('by %i is sent in smaller ones', async (tooLarge) => {
    await survive({
      image: 'large',
      chunked: true,
      options: { tooLarge, largestChunk: limit },
      waste: block,
    });
  });

  test('by 400 and words is sent in smaller ones', async () => {
    const body = '{"errors":[{"code":"UNKNOWN","message":"http: request body too large"}]}';
    await survive(hitting('PATCH of a chunk', answer(400, {}, body)));
  });

  test('by hanging up twice is sent in smaller ones', async () => {
    const { to } = await survive(hitting('PATCH of a chunk', { kind: 'reset' }, { times: 2 }));
    expect(to.sent('PATCH', /./)[2]?.body.length).toBeLessThan(limit);
  });

  test('and one that is answered by 201 or 204: the latter is taken in', async () => {
    for (const patched of [201, 204] as const)
      await survive({ image: 'large', chunked: true, options: { patched } });
  });
});

describe('a layer that is made on the way', () => {
  const unknown = answer(404, {}, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
  const invalid = answer(400, {}, '{"errors":[{"code":"DIGEST_INVALID"}]}');
  const again = block + 40_000;

  test.each<readonly [string, string, Effect, number]>([
    ['a chunk breaks', 'PATCH', { kind: 'reset' }, 0],
    ['a chunk breaks off', 'PATCH', { kind: 'swallow', bytes: 30_000, keep: true }, 0],
    ['a chunk breaks after it was taken', 'PATCH', { kind: 'after', status: 'reset' }, 0],
    ['the upload is lost', 'PATCH', unknown, again],
    ['a commit breaks', 'PUT', { kind: 'reset' }, 0],
    ['a commit breaks after it was done', 'PUT', { kind: 'after', status: 'reset' }, 0],
    ['a commit is said to be unknown', 'PUT', { kind: 'after', status: 404 }, 0],
    ['a commit is refused', 'PUT', invalid, again],
  ])('is at the destination with the same bytes when %s', async (_, method, effect, waste) => {
    await survive({
      image: 'large',
      squashed: true,
      to: [{ method, path: /uploads/, effect }],
      waste,
    });
  });

  test('is sent again when the registry says falsely that it has it', async () => {
    await survive({
      image: 'large',
      squashed: true,
      to: [{ method: 'HEAD', path: /dst\/blobs/, times: 2, effect: answer(200) }],
      // The layer goes up in chunks before anybody asks whether it is there; then once more.
      waste: again,
      puts: 8,
    });
  });
});

test('all runs end well in spite of every fault', () => {
  expect(survived).toBe(injected);
  expect(injected).toBeGreaterThan(200);
});
