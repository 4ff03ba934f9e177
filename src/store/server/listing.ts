import { type Answer, type Call, json } from './answer.ts';
import { Refusal } from './refusal.ts';
import type { RegistryStore } from './registry-store.ts';

/** Answers `/v2/<name>/tags/list` (distribution-spec, "Listing Tags"). @throws Refusal NAME_UNKNOWN, PAGINATION_NUMBER_INVALID */
export async function answerTags(repository: string, call: Call, store: RegistryStore): Promise<Answer> {
  const tags = await store.tags(repository, call.signal);
  if (tags === null) {
    throw new Refusal('NAME_UNKNOWN', 'repository name not known to registry', {
      detail: { name: repository },
    });
  }
  const { page, headers } = paginate(tags, call, `/v2/${repository}/tags/list`);
  return json({ name: repository, tags: page }, headers);
}

/** Answers `/v2/_catalog`, an endpoint of the Docker registry that the specification lacks. @throws Refusal PAGINATION_NUMBER_INVALID */
export async function answerCatalog(call: Call, store: RegistryStore): Promise<Answer> {
  const { page, headers } = paginate(await store.repositories(call.signal), call, '/v2/_catalog');
  return json({ repositories: page }, headers);
}

/**
 * Returns the `n` entries after `last`, with a header that links to the next page (RFC 8288). `n` and `last` come from the query;
 * without `n` all entries are returned.
 */
function paginate(
  all: readonly string[],
  call: Call,
  path: string,
): { page: readonly string[]; headers: Record<string, string> } {
  const n = call.query.get('n');
  const last = call.query.get('last');
  const rest = last === null ? all : all.filter((name) => name > last);
  if (n === null) return { page: rest, headers: {} };
  if (!/^[0-9]{1,9}$/.test(n)) {
    throw new Refusal('PAGINATION_NUMBER_INVALID', 'n is not a number', { detail: { n: n.slice(0, 20) } });
  }
  const page = rest.slice(0, Number(n));
  const end = page.at(-1);
  if (end === undefined || page.length === rest.length) return { page, headers: {} };
  return { page, headers: { link: `<${path}?n=${n}&last=${encodeURIComponent(end)}>; rel="next"` } };
}
