/**
 * The layer under construction while a random stack is made. Intents add entries to it; an entry that would make
 * the layer invalid, or mean different things to different runtimes, is left out.
 */
import { show, type ByteString } from '../model/byte-string.ts';
import {
  ambiguities,
  applyLayer,
  InvalidLayer,
  isBelow,
  parentOf,
  placeOf,
  type Rootfs,
} from '../model/filesystem.ts';
import { encodeEntry, type EntrySpec } from '../model/tar-bytes.ts';
import { type ModelEntry, readTar } from '../model/tar-reader.ts';

/**
 * A choice of small numbers. They get their meaning from what is there when the intent is applied, so that stacks
 * shrink.
 */
export type Intent = {
  readonly op: number;
  /** The choice of an existing path, or of a directory. */
  readonly where: number;
  /** The choice of a name of the alphabet. */
  readonly name: number;
  /** The choice of a link target, or of a second path. */
  readonly target: number;
  /** The choice of how names are spelled. */
  readonly spelling: number;
  /** The choice of how the head is written. */
  readonly head: number;
  /** The choice of owner, mode, time and xattrs. */
  readonly attributes: number;
  /** The choice of how long the content is. */
  readonly data: number;
};

/** The layers below, as the model applies them, and the layer so far. */
export type Draft = {
  readonly lower: Rootfs;
  current: Rootfs;
  readonly specs: EntrySpec[];
  readonly model: ModelEntry[];
  /** A number that makes every content unique. */
  serial: number;
  /** Whether only entries are made that umoci can unpack: see `LayerStackOptions`. */
  readonly portable: boolean;
};

/** Applies a layer to those below it. Returns undefined where the layer is invalid or ambiguous. */
export function tryApply(lower: Rootfs, entries: readonly ModelEntry[]): Rootfs | undefined {
  try {
    const upper = applyLayer(lower, entries);
    return ambiguities(lower, entries).length === 0 ? upper : undefined;
  } catch (error) {
    if (error instanceof InvalidLayer) return undefined;
    throw error;
  }
}

/** Adds an entry, spelled and encoded as the intent chooses, where the layer stays valid with it. */
export function add(draft: Draft, intent: Intent, spec: EntrySpec | undefined): void {
  if (spec === undefined || (draft.portable && !isPortable(draft.lower, spec))) return;
  const spelled = inFormat({ ...spec, ...spelling(spec, intent) }, intent.head);
  const [read] = readTar(encodeEntry(spelled));
  if (read === undefined) throw new Error(`an entry that does not read back: ${show(spec.name)}`);
  const upper = tryApply(draft.lower, [...draft.model, read]);
  if (upper === undefined || (draft.portable && leavesBareDirectory(draft.lower, upper))) return;
  draft.specs.push(spelled);
  draft.model.push(read);
  draft.current = upper;
}

/** Returns whether all runtimes can unpack the entry over the layers below: see `LayerStackOptions.portable`. */
export function isPortable(lower: Rootfs, spec: EntrySpec): boolean {
  const odd = spec.type === 'global' || spec.typeflag === '7' || spec.sparse?.format === 'gnu';
  const device = spec.type === 'char' || spec.type === 'block';
  // On Linux few users may set `security.*`, and `user.*` exists only on files and directories.
  const xattrs = Object.keys(spec.xattrs ?? {});
  const refused = xattrs.some(
    (key) => key.startsWith('security.') || (spec.type !== 'file' && spec.type !== 'dir'),
  );
  if (odd || device || refused) return false;
  const place = placeOf(spec.name);
  if (place.is === 'leftover' || (place.is === 'content' && place.path === '')) return false;
  for (let parent = parentOf(place.path); parent !== undefined; parent = parentOf(parent)) {
    if ((lower.get(parent)?.kind ?? 'dir') !== 'dir') return false;
  }
  return true;
}

/** Returns whether a layer leaves a directory that only a marker below it implies. umoci 0.4 does not make one. */
export function leavesBareDirectory(lower: Rootfs, upper: Rootfs): boolean {
  return [...upper].some(
    ([path, node]) =>
      node.implied &&
      path !== '' &&
      lower.get(path) !== node &&
      ![...upper.keys()].some((other) => isBelow(other, path)),
  );
}

function spelling(spec: EntrySpec, intent: Intent): { name: ByteString; linkname?: ByteString } {
  if (spec.type === 'global') return { name: spec.name };
  const style = intent.spelling;
  const trailing = spec.type === 'dir' && style % 5 !== 4;
  const name = spell(spec.name, style, trailing || (spec.type === 'symlink' && style === 14));
  if (spec.type !== 'link' || spec.linkname === undefined) return { name };
  return { name, linkname: spell(spec.linkname, Math.floor(intent.target / 2), false) };
}

function spell(path: ByteString, style: number, slash: boolean): ByteString {
  const end = slash ? '/' : '';
  if (path === '') return style % 2 === 0 ? './' : '/';
  switch (style) {
    case 8:
    case 9:
    case 14:
      return `./${path}${end}`;
    case 10:
      return `/${path}${end}`;
    case 11:
      return `${path.replaceAll('/', '//')}${end}`;
    case 12:
      return `${path.replaceAll('/', '/./')}${end}`;
    case 13:
      return `.//${path}${end}${end}`;
    default:
      return `${path}${end}`;
  }
}

/** Encodes the entry in the first of the wanted formats that can express it. */
function inFormat(spec: EntrySpec, head: number): EntrySpec {
  const wanted = (
    [
      ['ustar'],
      ['pax'],
      ['gnu'],
      ['ustar', 'pax'],
      ['gnu'],
      ['pax-all'],
      ['v7', 'ustar'],
      ['ustar', 'gnu'],
      ['v7', 'gnu'],
      ['pax'],
    ] as const
  )[head];
  const formats = spec.sparse?.format === 'gnu' ? (['gnu'] as const) : (wanted ?? []);
  for (const format of formats) {
    const candidate: EntrySpec = { ...spec, format };
    try {
      encodeEntry(candidate);
      return candidate;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return { ...spec, format: 'pax' };
}
