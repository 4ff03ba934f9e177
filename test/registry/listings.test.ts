import { describe, expect, test } from 'vitest';
import { listRepositories, listTags } from '../../src/registry/listings.ts';
import type { FakeOptions, FakeRegistry } from '../support/registry/fake-registry.ts';
import { startRegistry } from '../support/registry/opened.ts';
import { never, setup } from '../support/registry/setup.ts';
import { tokenAuth } from '../support/registry/tokens.ts';

const names = ['a', 'b/c', 'b/d', 'e'];
const tags = ['1', '1.1', 'latest', 'x'];

async function filled(options: Partial<FakeOptions> = {}): Promise<FakeRegistry> {
  const fake = await startRegistry(options);
  for (const name of names)
    for (const tag of tags)
      fake.repository(name).addManifest({ schemaVersion: 2, name }, 'application/x', tag);
  return fake;
}

async function collect(pages: AsyncIterable<readonly string[]>): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  for await (const page of pages) found.push(page);
  return found;
}

function tagsOf(fake: FakeRegistry, name = 'b/c') {
  return collect(listTags({ host: fake.host, repository: name }, setup().options, never));
}

function repositoriesOf(fake: FakeRegistry) {
  return collect(listRepositories(fake.host, setup().options, never));
}

describe.each([1, 3, 4, Number.POSITIVE_INFINITY])('lists in pages of %s', (largestPage) => {
  test('are followed to their end', async () => {
    const fake = await filled({ largestPage });
    const [found, listed] = [await tagsOf(fake), await repositoriesOf(fake)];
    expect(found.flat()).toEqual(tags);
    expect(listed.flat()).toEqual(names);
    expect(found).toHaveLength(Math.ceil(4 / largestPage) || 1);
  });
});

test('lists are asked for with the rights that they need', async () => {
  const fake = await filled({ auth: tokenAuth() });
  await tagsOf(fake);
  await repositoriesOf(fake);
  const scopes = fake.requests
    .filter(({ server }) => server === 'tokens')
    .map(({ path }) => new URL(path, 'http://x').searchParams.getAll('scope'));
  expect(scopes).toEqual([['repository:b/c:pull'], ['registry:catalog:*']]);
});

test('a registry that does not list its repositories says so, and what to do', async () => {
  const fake = await filled({ catalog: false });
  await expect(repositoriesOf(fake)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringMatching(
      /^127.* does not list its repositories \(_catalog\): 127.* answered 404/,
    ) as string,
    advice: expect.stringContaining('--from FILE') as string,
  });
});

test('a repository that is not there is an error; one without tags has none', async () => {
  const fake = await filled();
  await expect(tagsOf(fake, 'none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  fake.repository('empty');
  expect(await tagsOf(fake, 'empty')).toEqual([]);
  fake.fault({
    method: 'GET',
    path: /list/,
    effect: { kind: 'answer', status: 200, body: '{"name":"b/c","tags":null}' },
  });
  expect(await tagsOf(fake)).toEqual([]);
});

test('pages that lead back end the list', async () => {
  const fake = await filled();
  const link = '</v2/b/c/tags/list?n=1000>; rel="next"';
  const effect = { kind: 'answer', status: 200, headers: { link }, body: '{"tags":["1"]}' } as const;
  fake.fault({ method: 'GET', path: /list/, times: 99, effect });
  expect((await tagsOf(fake)).flat()).toEqual(['1', '1']);
});

test('other texts than names are left out, and other answers than lists are refused', async () => {
  const fake = await filled();
  const answer = (body: string) =>
    fake.fault({ method: 'GET', path: /list/, effect: { kind: 'answer', status: 200, body } });
  answer('{"tags":["ok","../x","a b",1,null,"\\u001b[31m"]}');
  expect(await tagsOf(fake)).toEqual([['ok']]);
  for (const body of ['[]', '{"tags":"x"}', '{"tags":{}}']) {
    answer(body);
    await expect(tagsOf(fake)).rejects.toMatchObject({ code: 'REGISTRY' });
  }
  answer('<html>');
  await expect(tagsOf(fake)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
});
