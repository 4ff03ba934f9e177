import { expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { squash } from '../../src/slim/squash.ts';
import { buildImage } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { putImage, runBetween } from '../support/registry/between.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import type { Effect } from '../support/registry/faults.ts';
import { block, noise } from '../support/registry/setup.ts';
import { startRegistry } from '../support/registry/opened.ts';

async function start(): Promise<FakeRegistry> {
  const fake = await startRegistry();
  return fake;
}

const imageOf = (...sizes: readonly number[]) =>
  buildImage({
    layers: sizes.map((size, i) => writeTar([{ type: 'file', name: `file-${i}`, body: noise(size, i + 1) }])),
    compress: 'none',
  });
const small = imageOf(3000, 20_000);
/** With a layer that goes up in chunks. */
const large = imageOf(3000, block + 20_000);
const blob = /blob sha256:[0-9a-f]{64}/.source;
const verbs = [
  ['HEAD', /\/dst\/blobs/, blob],
  ['POST', /uploads/, `starting the upload of ${blob}`],
  ['PATCH', /uploads/, `uploading ${blob}, at byte 0`],
  ['PUT', /uploads/, `uploading ${blob}`],
  ['PUT', /manifests\/sha256/, 'putting manifest sha256:[0-9a-f]{64}'],
  ['PUT', /manifests\/v1/, 'putting manifest v1'],
] as const;
const statuses = [
  [301, 'REGISTRY'],
  [400, 'REGISTRY'],
  [401, 'UNAUTHORIZED'],
  [403, 'DENIED'],
  [405, 'REGISTRY'],
  [409, 'REGISTRY'],
  [413, 'REGISTRY'],
  [429, 'REGISTRY'],
  [500, 'REGISTRY'],
  [507, 'REGISTRY'],
] as const;

async function failure(
  method: string,
  path: RegExp,
  effect: Effect,
  squashed = false,
): Promise<{ readonly error: OcislimError; readonly to: FakeRegistry }> {
  const [from, to] = [await start(), await start()];
  putImage(from, method === 'PATCH' ? large : small);
  to.fault({ method, path, effect, times: 99 });
  const error: unknown = await runBetween(from, to, {
    overrides: { retryTimes: 0, ...(method === 'PATCH' ? { largestStream: 0 } : {}) },
    ...(squashed ? { transform: squash({ kind: 'all' }) } : {}),
  }).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OcislimError))
    throw new Error(`${method} did not fail as it should`, { cause: error });
  return { error, to };
}

const said = {
  code: 'SOME\u001b[2JCODE',
  message: 'not today\r\n::set-output name=x::y\u202e',
};
const escaped = 'SOME\\u{1b}[2JCODE: not today\\u{d}\\u{a}::set-output name=x::y\\u{202e}';

test.each(
  verbs.flatMap(([method, path, what]) =>
    statuses
      // After a HEAD that is not allowed the upload goes on without an error.
      .filter(([status]) => method !== 'HEAD' || ![301, 405].includes(status))
      .map(([status, code]) => ({ method, path, what, status, code })),
  ),
)('$method of $path that ends in $status', async ({ method, path, what, status, code }) => {
  const effect: Effect = { kind: 'answer', status, body: JSON.stringify({ errors: [said] }) };
  const { error, to } = await failure(method, path, effect);
  const place = `destination ${to.host}/dst: `;
  const words = method === 'HEAD' ? '' : ` ${escaped}`;
  if (status === 401) expect(error.message).toContain(place);
  else {
    const start = error.message.indexOf(place);
    // An adopted layer says which one it is.
    expect(error.message.slice(0, start)).toMatch(/^(?:layer \d: )?$/);
    expect(error.message.slice(start + place.length)).toMatch(new RegExp(`^${what}: `));
    expect(error.message.endsWith(`: ${to.host} answered ${status}${words}`)).toBe(true);
  }
  expect(error.code).toBe(code);
  expect(error.advice).toMatch(/^[A-Z].{20,}[.)?]$/);
  expect(to.repository('dst').tags.size).toBe(0);
});

test('the error of a layer that was made names its source layers', async () => {
  const { error } = await failure('PATCH', /uploads/, { kind: 'answer', status: 403 }, true);
  expect(error.message).toMatch(/^layers 1–2: destination .*: uploading a blob, at byte 0: .* answered 403$/);
});

test.each([
  [409, 'TAG_INVALID', 'tag is immutable', /name another one/],
  [400, 'MANIFEST_INVALID', 'unknown layer type', /gzip goes everywhere/],
  [400, 'NAME_UNKNOWN', 'no such repository', /created first/],
  [400, 'UNKNOWN', 'so there', /its operator can say why/],
])('the answer %i %s "%s" comes with something to try', async (status, code, message, advice) => {
  const body = JSON.stringify({ errors: [{ code, message }] });
  const { error } = await failure('PUT', /manifests\/v1/, { kind: 'answer', status, body });
  expect(error.advice).toMatch(advice);
});

test('the error of a broken connection says which server and layer it was for', async () => {
  for (const [method, path, what] of verbs) {
    const { error, to } = await failure(method, path, { kind: 'reset' });
    expect(error).toMatchObject({
      code: 'NETWORK',
      advice: expect.stringContaining('--retry-times') as string,
    });
    expect(error.message).toMatch(
      new RegExp(`destination ${to.host}/dst: ${what}: the connection to ${to.host} broke`),
    );
  }
});
