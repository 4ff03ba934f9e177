/**
 * Lists that registries give in pages, each with a link to the next (distribution-spec, "Listing Tags" and "Listing Referrers"). Listings and referrers
 * follow them here.
 */
import { resolveLocation } from './http/redirect.ts';
import { headerValues, type HttpAnswer } from './http/transport.ts';

/** One page as it was fetched. */
interface Page {
  readonly answer: HttpAnswer;
  readonly bytes: Uint8Array;
}

/** Yields the pages of a list. A page that leads to one that was asked for before is the last, and so is one that `fetch` has null for. */
export async function* followPages(
  first: string,
  fetch: (target: string | URL) => Promise<Page | null>,
): AsyncGenerator<Page> {
  const asked = new Set<string>();
  let target: string | URL = first;
  for (;;) {
    const page = await fetch(target);
    if (page === null) return;
    yield page;
    const next = nextPage(page.answer);
    if (next === null || asked.has(next.href)) return;
    asked.add(next.href);
    target = next;
  }
}

/** Returns the URL of the next page (`Link: <…>; rel="next"`) if it is on the same origin; else null. */
export function nextPage(answer: Pick<HttpAnswer, 'headers' | 'url'>): URL | null {
  for (const value of headerValues(answer, 'link')) {
    const link = /<([^<>]*)>\s*;\s*rel="?next"?/.exec(value)?.[1];
    const url = resolveLocation(link ?? null, answer.url);
    if (url !== null && url.origin === answer.url.origin) return url;
  }
  return null;
}
