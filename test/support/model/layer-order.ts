import { type ByteString, show } from './byte-string.ts';
import { isBelow, type LayerEntry, normalise, parentOf, placeOf, type Rootfs } from './filesystem.ts';

/**
 * Returns what a carefully written layer avoids, a line each. Every one of these is valid, and some runtime reads
 * it wrongly: a path twice; a child before the entry of its parent; a marker after an entry that re-uses its name;
 * a whiteout of a name below which the layer puts something (unpacked alone and overlaid, the old children are
 * back: an opaque marker is right); an AUFS leftover. A link must follow its target, or bind to a file of `lower`,
 * where that is given.
 */
export function orderProblems(entries: readonly LayerEntry[], lower?: Rootfs): string[] {
  const problems: string[] = [];
  const seen = new Map<ByteString, LayerEntry>();
  const whiteouts = new Set<ByteString>();
  const opaques = new Set<ByteString>();
  for (const entry of entries) {
    if (entry.type === 'global') continue;
    const name = show(entry.name);
    const place = placeOf(entry.name);
    if (place.is === 'leftover') {
      problems.push(`${name}: an AUFS leftover`);
      continue;
    }
    const { path } = place;
    if (place.is === 'whiteout' || place.is === 'opaque') {
      const markers = place.is === 'whiteout' ? whiteouts : opaques;
      if (markers.has(path)) problems.push(`${name}: twice`);
      markers.add(path);
      const covers = (other: ByteString): boolean =>
        isBelow(other, path) || (place.is === 'whiteout' && other === path);
      const late = [...seen.keys()].find(covers);
      if (late !== undefined) problems.push(`${name}: after ${show(late)}`);
      continue;
    }
    if (seen.has(path)) problems.push(`${name}: twice`);
    const child = [...seen.keys(), ...whiteouts, ...opaques].find(
      (other) => isBelow(other, path) || (other === path && opaques.has(other) && entry.type !== 'dir'),
    );
    if (child !== undefined) problems.push(`${name}: after ${show(child)}, which is below it`);
    for (let top: ByteString | undefined = path; top !== undefined; top = parentOf(top)) {
      const directory = top !== path || entry.type === 'dir';
      if (directory && whiteouts.has(top)) problems.push(`${name}: beside a whiteout of ${show(top)}`);
    }
    if (entry.type === 'link') {
      const target = normalise(entry.linkname);
      if (!seen.has(target) && lower?.has(target) !== true) {
        problems.push(`${name}: a link to ${show(target)}, which is not before it`);
      }
    }
    seen.set(path, entry);
  }
  return problems;
}
