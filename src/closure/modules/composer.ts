import { ascii, type ByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { parentOf } from '../../bytes/path.ts';
import { isObject, listOf, memberOf, stringOr, tryParseJson } from '../../bytes/json-value.ts';
import { oncePer } from '../../rootfs/once-per.ts';
import type { ClosureContext } from '../rule.ts';

/** The packages that Composer installed, by the beginnings of the names of their classes: "Symfony\Component\Console\". */
const packages = oncePer((context: ClosureContext): ReadonlyMap<string, readonly ByteString[]> => {
  const found = new Map<string, ByteString[]>();
  for (const list of context.fs.all()) {
    if (!/(?:^|\/)vendor\/composer\/installed\.json$/.test(list)) continue;
    const bytes = context.facts.contents(list);
    const json = bytes === null ? null : tryParseJson(bytes);
    for (const each of listOf(memberOf(json, 'packages') ?? json)) {
      const name = utf8Bytes(stringOr(memberOf(each, 'name'), ''));
      const manifest = ascii`${parentOf(parentOf(list))}/${name}/composer.json`;
      for (const start of startsOf(memberOf(each, 'autoload'))) {
        const others = found.get(start);
        if (others === undefined) found.set(start, [manifest]);
        else others.push(manifest);
      }
    }
  }
  return found;
});

/** Returns the manifests of the packages that a class of PHP may be in: those with the longest beginning of its name. */
export function classPlaces(name: ByteString, context: ClosureContext): readonly ByteString[] {
  const known = packages(context);
  for (let end = name.lastIndexOf('\\'); end > 0; end = name.lastIndexOf('\\', end - 1)) {
    const manifests = known.get(name.slice(0, end + 1));
    if (manifests !== undefined) return manifests;
  }
  return [];
}

/** Yields the beginnings that a package declares (getcomposer.org, "autoload"), each with a backslash at its end. */
function* startsOf(autoload: unknown): Generator<string> {
  for (const kind of ['psr-4', 'psr-0']) {
    const table = memberOf(autoload, kind);
    for (const start of isObject(table) ? Object.keys(table) : [])
      if (start !== '') yield utf8Bytes(start.endsWith('\\') ? start : `${start}\\`);
  }
}
