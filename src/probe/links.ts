/**
 * Finds what a page or a style sheet refers to: the links and assets that a browser would fetch from the same origin. The crawler calls it
 * for each answer. The page comes from the image: every step takes linear time.
 */

/** The most links that are taken from one page. */
const most = 2000;
/** The longest link. */
const longest = 2048;

/** Names of attributes whose values are addresses. */
const attributes: ReadonlySet<string> = new Set([
  'href',
  'src',
  'srcset',
  'action',
  'data',
  'poster',
  'data-src',
]);

/**
 * Returns the paths, with their queries, that a document of this media type refers to on its own origin, each once, in the order of the
 * document. `base` is the path of the document.
 */
export function linksOf(text: string, type: string, base: string): readonly string[] {
  const found = new Set<string>();
  const add = (reference: string): void => {
    const path = samePath(reference, base);
    if (path !== null && found.size < most) found.add(path);
  };
  if (/\b(?:html|xml|svg)\b/.test(type)) {
    for (const [name, value] of attributesOf(text)) for (const each of addressesOf(name, value)) add(each);
    for (const each of styleAddresses(text)) add(each);
  } else if (type.includes('css')) for (const each of styleAddresses(text)) add(each);
  return [...found];
}

/** Returns the path and query of a reference on the origin of the document; null for one that leads elsewhere. */
function samePath(reference: string, base: string): string | null {
  const written = decodeEntities(reference.trim());
  if (written === '' || written.length > longest || written.startsWith('#')) return null;
  const origin = 'http://origin.invalid';
  const inBase = URL.canParse(base, origin) ? new URL(base, origin).href : origin;
  if (!URL.canParse(written, inBase)) return null;
  const url = new URL(written, inBase);
  return url.origin === origin ? `${url.pathname}${url.search}` : null;
}

/** Yields the attributes of all tags: name and value. */
function* attributesOf(text: string): Generator<readonly [string, string]> {
  for (const [tag] of text.matchAll(/<[a-z][^<>]*/gi))
    for (const [, name = '', double, single, bare] of tag.matchAll(
      /([a-z][a-z-]{0,20})=(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi,
    ))
      if (attributes.has(name.toLowerCase())) yield [name.toLowerCase(), double ?? single ?? bare ?? ''];
}

/** Returns the addresses in the value of an attribute: several, each with a width, in `srcset`. */
function addressesOf(name: string, value: string): readonly string[] {
  if (name !== 'srcset') return [value];
  return value.split(',').map((candidate) => candidate.trim().split(/\s/, 1)[0] ?? '');
}

/** Yields the addresses of `url(…)` and of `@import "…"` in styles. */
function* styleAddresses(text: string): Generator<string> {
  for (const [, quoted = '', single, bare] of text.matchAll(
    /\burl\((?:"([^"\n)]{0,2048})"|'([^'\n)]{0,2048})'|([^"'\s)]{1,2048}))\)/gi,
  ))
    yield quoted || (single ?? bare ?? '');
  for (const [, address = ''] of text.matchAll(/@import "([^"\n]{1,2048})"/gi)) yield address;
}

function decodeEntities(text: string): string {
  return text.replaceAll('&amp;', '&').replaceAll('&#38;', '&').replaceAll('&quot;', '"');
}
