/**
 * The target of HTTP headers that registries send: challenges, links, ranges, dates. Their parsers never throw, and
 * write back what they read.
 */
import { mergeScopes } from '../../src/registry/auth/scope.ts';
import { parseChallenges } from '../../src/registry/auth/challenge.ts';
import { parseRealm } from '../../src/registry/auth/realm.ts';
import { rangeStart } from '../../src/registry/download.ts';
import { isLocal, redact } from '../../src/registry/http/address.ts';
import { nextPage } from '../../src/registry/pages.ts';
import { resolveLocation } from '../../src/registry/http/redirect.ts';
import { longestRetryAfter, retryAfter } from '../../src/registry/http/transient.ts';
import { systemClock } from '../../src/retry/clock.ts';
import { rangeEnd } from '../../src/registry/upload/upload-session.ts';
import { parseChunkRange, parseRange } from '../../src/store/server/range.ts';
import { parseRoute } from '../../src/store/server/route.ts';
import { Refusal } from '../../src/store/server/refusal.ts';
import { flood } from '../mutate.ts';
import { holds, neverThrows, outcomeNow, same, type Target } from '../target.ts';
import { KiB } from '../../src/units.ts';

const registry = new URL('https://registry.example/v2/app/blobs/uploads/');
const party = { side: 'source', host: 'registry.example', repository: 'app' } as const;

function checkChallenges(text: string): void {
  const challenges = neverThrows('parseChallenges', () => parseChallenges([text]));
  // The challenges, written as the specification has them, are read back as the same.
  const written = challenges.map(({ scheme, parameters }) => {
    const pairs = [...parameters].map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`);
    return `${scheme} ${pairs.join(', ')}`;
  });
  const flat = (list: typeof challenges) => list.map(({ scheme, parameters }) => [scheme, [...parameters]]);
  same(flat(parseChallenges(written)), flat(challenges), 'challenges written anew are others');
  for (const { parameters } of challenges) {
    mergeScopes(parameters.get('scope') ?? null, ['repository:app:pull']);
    const realm = outcomeNow(() => parseRealm(parameters.get('realm') ?? '', registry, false, party));
    if (realm.kind === 'refused') continue;
    const url = realm.value;
    holds(url.protocol === 'https:', 'a token server without https');
    holds(
      !isLocal(url) && url.username === '' && url.password === '',
      'a token server that must not be asked',
    );
  }
}

function checkRanges(text: string): void {
  for (const size of [0, 1, 1000]) {
    const range = neverThrows('parseRange', () => parseRange(text, size));
    if (range.kind === 'part')
      holds(
        range.start >= 0 && range.start <= range.end && range.end < size,
        'a range that is not within the blob',
      );
    const start = rangeStart({ headers: { 'content-range': text } }, size);
    holds(start === null || (start >= 0 && start < size), 'an answer that begins behind the end');
  }
  const chunk = neverThrows('parseChunkRange', () => parseChunkRange(text));
  if (chunk !== null)
    holds(
      Number.isSafeInteger(chunk.start) && chunk.start <= chunk.end,
      'a chunk that ends before it begins',
    );
  const end = rangeEnd({ headers: { range: text } });
  holds(end === null || (Number.isSafeInteger(end) && end > 1), 'an end that is none');
}

function checkPlaces(text: string): void {
  const next = neverThrows('nextPage', () => nextPage({ headers: { link: [text, 'x'] }, url: registry }));
  holds(next === null || next.origin === registry.origin, 'the next page is elsewhere');
  const location = neverThrows('resolveLocation', () => resolveLocation(text, registry));
  if (location !== null) {
    const shown = redact(location);
    holds(location.password === '' || !shown.includes(`:${location.password}@`), 'a password is shown');
  }
  const pause = neverThrows('retryAfter', () => retryAfter(text, systemClock));
  holds(pause === null || (pause > 0 && pause <= longestRetryAfter), 'a pause that is none');
  try {
    const route = parseRoute(text);
    if (route !== null && 'repository' in route)
      holds(
        !route.repository.split('/').some((part) => /^\.*$/.test(part)),
        'a repository that leaves its place',
      );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

export const target: Target = {
  name: 'headers',
  invariant:
    'challenges mean the same when they are written anew; ranges lie within the blob; no link, location or realm leads where it must not',
  seeds: () =>
    [
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:app:pull,push"',
      'Basic realm="a \\"quoted\\" word", Bearer realm=https://auth.example/x',
      'Negotiate abc==, Digest nonce="x", qop=auth',
      'Bearer realm="http://169.254.169.254/", error="x"',
      '</v2/app/tags/list?last=a&n=10>; rel="next"',
      '<https://registry.example/x>; rel=next, <y>; rel="prev"',
      'bytes 0-99/1000',
      'bytes=10-',
      '0-1023',
      'bytes=-5',
      '120',
      'Wed, 21 Oct 2099 07:28:00 GMT',
      'https://user:word@elsewhere.example/upload?token=x#f',
      '//elsewhere/x',
      '/v2/a/b/manifests/tag',
      `/v2/a/blobs/sha256:${'a'.repeat(64)}`,
      '/v2/a%2f..%2fb/blobs/uploads/id',
    ].map((text) => Buffer.from(text)),
  dictionary: [
    'Bearer ',
    'Basic ',
    'realm=',
    '"',
    '\\"',
    ', ',
    '=',
    '<',
    '>; rel="next"',
    'bytes ',
    'bytes=',
    '-',
    '/',
    '*',
    'https://',
    'http://',
    '127.0.0.1',
    '[::ffff:7f00:1]',
    '@',
    '..',
    '%2e',
    '%2f',
    '/v2/',
    'localhost',
    '0x7f.1',
    '\\',
  ],
  mutators: [flood],
  maxBytes: 64 * KiB,
  run: (bytes) => {
    // Headers arrive as bytes.
    const text = Buffer.from(bytes).toString('latin1');
    checkChallenges(text);
    checkRanges(text);
    checkPlaces(text);
  },
};
