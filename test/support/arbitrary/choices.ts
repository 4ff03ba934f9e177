/**
 * The alphabets that intents choose names, targets and paths from. Lists are in a fixed order with the plainest
 * first, so that 0 is the simplest choice and stacks shrink.
 */
import type { ByteString } from '../model/byte-string.ts';
import { utf8 } from '../model/byte-string.ts';
import { linkGroups, parentOf, placeOf, type Rootfs } from '../model/filesystem.ts';
import type { Draft, Intent } from './draft.ts';

export const NAMES: readonly ByteString[] = [
  'a',
  'b',
  'c',
  'd',
  'x.wh.y',
  '.wh-not',
  'not.a.wh..wh..opq',
  utf8('\u00e9'),
  utf8('e\u0301'),
  '\xff\xfe\x80',
  'new\nline',
  'B',
  'e=q l 7',
  '...',
  'back\\slash',
  'k'.repeat(100),
  'n'.repeat(120),
  'p'.repeat(180),
  `${'p'.repeat(180)}/${'q'.repeat(130)}`,
];

export function pick<T>(list: readonly T[], index: number): T | undefined {
  return list.length === 0 ? undefined : list[index % list.length];
}

function byDepth(paths: readonly ByteString[]): ByteString[] {
  return [...paths].sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1));
}

export function directoriesOf(rootfs: Rootfs): ByteString[] {
  return byDepth([...rootfs].filter(([, node]) => node.kind === 'dir').map(([path]) => path));
}

export function filesOf(rootfs: Rootfs): ByteString[] {
  return byDepth([...rootfs].filter(([, node]) => node.kind !== 'dir').map(([path]) => path));
}

export function linkedPaths(rootfs: Rootfs): ByteString[] {
  return byDepth([...linkGroups(rootfs)].filter(([, names]) => names.length > 1).map(([path]) => path));
}

export function ownPaths(draft: Draft): ByteString[] {
  const paths = draft.model.flatMap((entry) => {
    if (entry.type === 'global') return [];
    const place = placeOf(entry.name);
    return place.is === 'content' && place.path !== '' ? [place.path] : [];
  });
  return [...new Set(paths)];
}

export function existing(draft: Draft, intent: Intent, rootfs: Rootfs = draft.current): ByteString {
  const paths = byDepth([...rootfs.keys()].filter((path) => path !== ''));
  return pick(paths, intent.where) ?? nameOf(intent);
}

export function anyDirectory(draft: Draft, intent: Intent): ByteString {
  const lower = directoriesOf(draft.lower).slice(1);
  const current = directoriesOf(draft.current).slice(1);
  if (lower.length + current.length === 0) return nameOf(intent);
  return pick([...lower, ...current, ''], intent.where) ?? '';
}

export function nameOf(intent: Intent): ByteString {
  return NAMES[intent.name] ?? 'a';
}

export function join(directory: ByteString, name: ByteString): ByteString {
  return directory === '' ? name : `${directory}/${name}`;
}

/** Returns a path in some directory, up to four deep. Whether something is there already is left to chance. */
export function freePath(draft: Draft, intent: Intent): ByteString {
  const parents = directoriesOf(draft.current).filter((path) => path.split('/').length < 4);
  return join(pick(parents, intent.where) ?? '', nameOf(intent));
}

/** Returns a path whose parents may not exist. */
export function deepPath(draft: Draft, intent: Intent): ByteString {
  const parents = directoriesOf(draft.current).filter((path) => path.split('/').length < 3);
  const between = NAMES[intent.target % NAMES.length] ?? 'a';
  return join(join(pick(parents, intent.where) ?? '', between), nameOf(intent));
}

export function siblingOf(path: ByteString, choice: number): ByteString {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const names = NAMES.filter((name) => name !== base).slice(0, 4);
  return join(parentOf(path) ?? '', names[choice % names.length] ?? 'z');
}
