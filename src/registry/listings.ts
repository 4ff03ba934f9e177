/**
 * What a registry lists: the tags of a repository, and the repositories. `fleet plan` reads both page by page, so that a registry of any
 * size takes little memory.
 */
import { OcislimError } from '../errors.ts';
import { isJsonObject, own, parseJson } from '../oci/json.ts';
import { isRepository, isTag } from '../oci/names.ts';
import type { RegistryRequest } from './client.ts';
import { ExchangeError, nameOf, type Party, protocolError } from './failure.ts';
import { lease, type Lease, type RegistryOptions } from './lease.ts';
import { followPages } from './pages.ts';

/** How many names a page is asked to have. Registries give fewer as they like. */
const pageSize = 1000;

/** What is asked for: the path of its first page, the member that holds the names, and what a name is. */
interface Listed {
  readonly path: string;
  readonly member: string;
  readonly isName: (text: string) => boolean;
  readonly what: string;
  readonly access: RegistryRequest['access'];
  readonly party: Party;
}

/**
 * Lists the tags of a repository as its registry orders them (distribution-spec, "Listing Tags"), page by page. Other texts than tags are left out.
 * @throws NOT_FOUND for a repository that is not there, REGISTRY, UNAUTHORIZED, NETWORK, …
 */
export async function* listTags(
  { host, repository: name }: { readonly host: string; readonly repository: string },
  options: RegistryOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const held = lease(host, 'source', name, options);
  const { client, party } = held.repository;
  try {
    yield* pagesOf(client, signal, {
      path: `/v2/${name}/tags/list?n=${pageSize}`,
      member: 'tags',
      isName: isTag,
      what: 'listing tags',
      access: { repository: name, actions: 'pull', from: null },
      party,
    });
  } finally {
    await held.release();
  }
}

/**
 * Lists the repositories of a registry, page by page: by `_catalog`, which Docker's registry, Harbor, GitLab's and Quay's answer, and the
 * specification lacks. @throws UNSUPPORTED where the registry does not answer it, NETWORK, …
 */
export async function* listRepositories(
  host: string,
  options: RegistryOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const held = lease(host, 'source', '', options);
  const { client, party } = held.repository;
  try {
    yield* pagesOf(client, signal, {
      path: `/v2/_catalog?n=${pageSize}`,
      member: 'repositories',
      isName: isRepository,
      what: 'listing repositories',
      access: { repository: '', actions: 'list', from: null },
      party,
    });
  } catch (error) {
    throw error instanceof OcislimError && isRefused(error) ? unlisted(host, error) : error;
  } finally {
    await held.release();
  }
}

/** Yields the names of each page that has some. A page that leads to itself, or back, is the last. @throws REGISTRY for another answer than a list */
async function* pagesOf(
  client: Lease['repository']['client'],
  signal: AbortSignal,
  listed: Listed,
): AsyncGenerator<readonly string[]> {
  const { member, isName, what, access, party } = listed;
  const pages = followPages(listed.path, (target) => {
    const request = { method: 'GET', target, access, party, what, accept: isOk, idempotent: true } as const;
    return client.fetch(request, signal);
  });
  for await (const { answer, bytes } of pages) {
    const value = parseJson(bytes, `${nameOf(party)}: ${what}: the answer`);
    // A repository without tags has null there in some registries.
    const names = (isJsonObject(value) ? own(value, member) : undefined) ?? [];
    if (!Array.isArray(names) || !isJsonObject(value))
      throw protocolError(party, what, `the answer of ${answer.url.host} has no list "${member}"`);
    const found = names.filter((each): each is string => typeof each === 'string' && isName(each));
    if (found.length > 0) yield found;
  }
}

const isOk = (status: number): boolean => status === 200;

function isRefused(error: OcislimError): boolean {
  const refusals: readonly string[] = ['UNAUTHORIZED', 'DENIED', 'NOT_FOUND', 'UNSUPPORTED'];
  if (refusals.includes(error.code) || error.code === 'MANIFEST_INVALID') return true;
  return error instanceof ExchangeError && !error.transient && error.status !== null;
}

function unlisted(host: string, cause: OcislimError): OcislimError {
  return new OcislimError(
    'UNSUPPORTED',
    `${host} does not list its repositories (_catalog): ${cause.message.replace(/^.*?listing repositories: /, '')}`,
    {
      cause,
      advice:
        'Name the repositories: as arguments, or one on each line of a file (--from FILE). Docker Hub, GHCR, ECR and Google list them by their own tools only; other registries may want the login of an administrator.',
    },
  );
}
