/**
 * Names the odd things that random stacks can hold, and finds them in a stack. A test demands that each of them
 * occurs often enough.
 */
import type { ByteString } from '../model/byte-string.ts';
import {
  isBelow,
  linkGroups,
  normalise,
  parentOf,
  type Place,
  placeOf,
  type Rootfs,
  type RootfsNode,
} from '../model/filesystem.ts';
import type { EntrySpec } from '../model/tar-bytes.ts';
import type { ModelEntry } from '../model/tar-reader.ts';
import type { GeneratedLayer } from './stack.ts';

const FEATURES = [
  'whiteout of a present file',
  'whiteout of a present directory',
  'whiteout of an absent path',
  'whiteout of an implied directory',
  'whiteout before an entry of its name',
  'whiteout after an entry of its name',
  'whiteout and re-creation as a directory',
  'whiteout of one name of a hard-link group',
  'opaque before its siblings',
  'opaque after its siblings',
  'opaque that hides',
  'opaque without a directory entry',
  'opaque with a directory entry',
  'opaque at the root',
  'file over a directory',
  'directory over a file',
  'directory over a directory',
  'child of a lower non-directory',
  'hard link within the layer',
  'hard link into a lower layer',
  'hard link to a symlink',
  'hard link to a fifo or device',
  'hard link to a link',
  'hard link across directories',
  'link header with other metadata',
  'link between two entries of one name',
  'link to a lower file that its layer then replaces',
  'link into a lower layer whose target goes in a later one',
  'hard-link target overwritten by an upper layer',
  'duplicate entry',
  './ name',
  'absolute name',
  'doubled slash',
  'directory without a trailing slash',
  'ustar head',
  'v7 head',
  'gnu head',
  'pax head',
  'pax head with decoys',
  'long name',
  'name over 256 bytes',
  'name not UTF-8',
  'name with a newline',
  'name with .wh. inside',
  'sparse file',
  'contiguous file',
  'xattrs',
  'device',
  'fifo',
  'symlink',
  'setuid',
  'negative time',
  'sub-second time',
  'large uid',
  'implied parent',
  'root entry',
  'global header',
  'leftover',
  'tar inside of a file',
  'empty layer',
  'two equal layers',
  'no end blocks',
  'no padding',
  'record padding',
  'child before its parent',
] as const;

export type Feature = (typeof FEATURES)[number];

/** Every feature that `layerStack` can produce. */
export const ALL_FEATURES: readonly Feature[] = FEATURES;

/**
 * Returns the features of a stack. `states` are the root filesystems below each layer, and last the one above them
 * all.
 */
export function featuresOf(
  layers: readonly GeneratedLayer[],
  states: readonly Rootfs[],
): ReadonlySet<Feature> {
  const found = new Set<Feature>();
  for (const [i, layer] of layers.entries()) {
    const lower = states[i];
    const upper = states[i + 1];
    if (lower === undefined || upper === undefined)
      throw new RangeError('a state for each layer, and one more');
    const note = (feature: Feature, occurs: boolean): void => {
      if (occurs) found.add(feature);
    };
    note('empty layer', layer.entries.length === 0);
    note('two equal layers', layers.indexOf(layer) !== i && layer.entries.length > 0);
    note('no end blocks', layer.end === 'none' || layer.end === 'untidy');
    note('no padding', layer.tar.length % 512 !== 0);
    note('record padding', layer.end === 'record');
    for (const spec of layer.entries) noteSpec(spec, note);
    noteLayer(layer.model, lower, states.slice(i + 2), note);
  }
  return found;
}

type Note = (feature: Feature, occurs: boolean) => void;

function noteSpec(spec: EntrySpec, note: Note): void {
  const { name, format } = spec;
  note('global header', spec.type === 'global');
  if (spec.type === 'global') return;
  note('ustar head', format === 'ustar');
  note('v7 head', format === 'v7');
  note('gnu head', format === 'gnu');
  note('pax head', format === 'pax');
  note('pax head with decoys', format === 'pax-all');
  note('./ name', name.startsWith('./') && name.length > 2);
  note('absolute name', name.startsWith('/') && name.length > 1);
  note('doubled slash', name.includes('//'));
  note('directory without a trailing slash', spec.type === 'dir' && !name.endsWith('/'));
  note('long name', name.length > 100);
  note('name over 256 bytes', name.length > 256);
  note('name not UTF-8', name.includes('\xff'));
  note('name with a newline', name.includes('\n'));
  note('name with .wh. inside', name.includes('x.wh.y') || name.includes('not.a.wh..wh..opq'));
  note('sparse file', spec.sparse !== undefined);
  note('contiguous file', spec.typeflag === '7');
  note('xattrs', Object.keys(spec.xattrs ?? {}).length > 0);
  note('device', spec.type === 'char' || spec.type === 'block');
  note('fifo', spec.type === 'fifo');
  note('symlink', spec.type === 'symlink');
  note('setuid', ((spec.mode ?? 0) & 0o4000) !== 0);
  note('negative time', (spec.mtime ?? '0').startsWith('-'));
  note('sub-second time', (spec.mtime ?? '0').includes('.'));
  note('large uid', (spec.uid ?? 0) > 0o7777777);
  note('tar inside of a file', (spec.body?.length ?? 0) > 1536);
}

function noteLayer(model: readonly ModelEntry[], lower: Rootfs, above: readonly Rootfs[], note: Note): void {
  const placed = model.flatMap((entry) =>
    entry.type === 'global' ? [] : [{ entry, place: placeOf(entry.name) }],
  );
  const groups = linkGroups(lower);
  const seen = new Map<ByteString, ModelEntry>();
  const pathsOf = (entries: readonly { place: Place }[]): ByteString[] =>
    entries.flatMap(({ place }) => (place.is === 'content' ? [place.path] : []));
  for (const [at, { entry, place }] of placed.entries()) {
    const before = pathsOf(placed.slice(0, at));
    const after = pathsOf(placed.slice(at + 1));
    note('leftover', place.is === 'leftover');
    if (place.is === 'whiteout') {
      const hidden = lower.get(place.path);
      note('whiteout of a present file', hidden !== undefined && hidden.kind !== 'dir');
      note('whiteout of a present directory', hidden?.kind === 'dir');
      note('whiteout of an implied directory', hidden?.implied === true);
      note('whiteout of an absent path', hidden === undefined);
      note('whiteout before an entry of its name', after.includes(place.path));
      note('whiteout after an entry of its name', before.includes(place.path));
      note('whiteout of one name of a hard-link group', (groups.get(place.path)?.length ?? 0) > 1);
      note(
        'whiteout and re-creation as a directory',
        hidden?.kind === 'dir' && [...before, ...after].some((path) => isBelow(path, place.path)),
      );
    }
    if (place.is === 'opaque') {
      const own = placed.some(
        (other) =>
          other.place.is === 'content' && other.entry.type === 'dir' && other.place.path === place.path,
      );
      note(
        'opaque before its siblings',
        after.some((path) => isBelow(path, place.path)),
      );
      note(
        'opaque after its siblings',
        before.some((path) => isBelow(path, place.path)),
      );
      note(
        'opaque that hides',
        [...lower.keys()].some((path) => isBelow(path, place.path)),
      );
      note('opaque with a directory entry', own);
      note('opaque without a directory entry', !own && place.path !== '');
      note('opaque at the root', place.path === '');
    }
    if (place.is !== 'content') continue;
    const { path } = place;
    const under = lower.get(path);
    note('root entry', path === '');
    note('file over a directory', under?.kind === 'dir' && entry.type !== 'dir');
    note('directory over a file', under !== undefined && under.kind !== 'dir' && entry.type === 'dir');
    note('directory over a directory', under?.kind === 'dir' && entry.type === 'dir' && path !== '');
    for (let parent = parentOf(path); parent !== undefined; parent = parentOf(parent)) {
      const node = lower.get(parent);
      note('child of a lower non-directory', node !== undefined && node.kind !== 'dir');
      note('implied parent', node === undefined && parent !== '' && !before.includes(parent));
      note('child before its parent', after.includes(parent) && !before.includes(parent));
    }
    note('duplicate entry', seen.has(path));
    if (entry.type === 'link') {
      const target = normalise(entry.linkname);
      const own = seen.get(target);
      const node = own === undefined ? lower.get(target) : undefined;
      const kind = own?.type ?? node?.kind;
      note('hard link within the layer', own !== undefined);
      note('hard link into a lower layer', node !== undefined);
      note('hard link to a symlink', kind === 'symlink');
      note('hard link to a fifo or device', kind === 'fifo' || kind === 'char' || kind === 'block');
      note('hard link to a link', own?.type === 'link' || (groups.get(target)?.length ?? 0) > 1);
      note('hard link across directories', parentOf(target) !== parentOf(path));
      note('link between two entries of one name', own !== undefined && after.includes(target));
      note('link to a lower file that its layer then replaces', node !== undefined && after.includes(target));
      note('link header with other metadata', otherMetadata(entry, own ?? node));
      note(
        'link into a lower layer whose target goes in a later one',
        node !== undefined && above.some((state) => state.get(path) === node && state.get(target) !== node),
      );
    }
    note(
      'hard-link target overwritten by an upper layer',
      entry.type !== 'dir' && (groups.get(path)?.length ?? 0) > 1 && entry.type !== 'link',
    );
    seen.set(path, entry);
  }
}

function otherMetadata(link: ModelEntry, target: ModelEntry | RootfsNode | undefined): boolean {
  return (
    target !== undefined &&
    (link.mode !== target.mode || link.uid !== target.uid || link.mtime !== target.mtime)
  );
}
