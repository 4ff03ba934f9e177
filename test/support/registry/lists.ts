/** The lists of the fake registry: tags of a repository, and repositories, in pages with links (distribution-spec, "Listing Tags"). */
import type { RepositoryContent } from './content.ts';
import type { Reply } from './exchange.ts';

interface ListOptions {
  readonly catalog: boolean;
  readonly largestPage: number;
}

/** Answers a request for a list; null for any other. */
export function answerList(
  url: URL,
  repositories: ReadonlyMap<string, RepositoryContent>,
  options: ListOptions,
): Reply | null {
  if (url.pathname === '/v2/_catalog' && options.catalog) {
    const full = [...repositories].filter(([, { manifests }]) => manifests.size > 0);
    return page(url, 'repositories', full.map(([name]) => name).sort(), options);
  }
  const name = /^\/v2\/(.+)\/tags\/list$/.exec(url.pathname)?.[1];
  const content = name === undefined ? undefined : repositories.get(name);
  return content === undefined ? null : page(url, 'tags', [...content.tags.keys()].sort(), options);
}

function page(url: URL, member: string, all: readonly string[], { largestPage }: ListOptions): Reply {
  const last = url.searchParams.get('last') ?? '';
  const n = Math.min(Number(url.searchParams.get('n') ?? Number.POSITIVE_INFINITY), largestPage);
  const rest = all.filter((name) => name > last);
  const names = rest.slice(0, n);
  const next = `<${url.pathname}?n=${n}&last=${encodeURIComponent(names.at(-1) ?? '')}>; rel="next"`;
  const headers = {
    'content-type': 'application/json',
    ...(names.length < rest.length ? { link: next } : {}),
  };
  return { status: 200, headers, body: JSON.stringify({ [member]: names }) };
}
