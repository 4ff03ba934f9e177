/**
 * Compares the attributes of two entries: mode, owner, time, extended attributes, contents. `compare-rootfs.ts` calls it for each path
 * that both images have.
 */
import type { Change } from '../../changeset/change.ts';
import type { Traits } from '../../layers/read/traits.ts';
import { show } from './difference.ts';

/** The attributes of a directory without an entry of its own. */
const implied: Traits = {
  mode: 0o755,
  owner: JSON.stringify(['0', '0', '', '']),
  mtime: '',
  records: '[]',
  content: '',
  stored: '',
  length: 0,
};

/** Makes attributes comparable. An implied directory has no time and no owner's name, so these do not count on the other side either. */
export function levelled(a: Traits | null, b: Traits | null): [Traits, Traits] {
  if (a !== null && b !== null) return [a, b];
  return [a === null ? implied : withoutNames(a), b === null ? implied : withoutNames(b)];
}

function withoutNames(traits: Traits): Traits {
  const [uid, gid] = JSON.parse(traits.owner) as string[];
  return { ...traits, owner: JSON.stringify([uid, gid, '', '']), mtime: '' };
}

/** A difference between two entries, without its path. */
export type TraitDifference = {
  readonly what: 'mode' | 'owner' | 'time' | 'xattr' | 'content' | 'stored' | 'target' | 'device';
  readonly a: string;
  readonly b: string;
};

/** Compares the attributes of two entries of one kind. */
export function compareTraits(kind: Change['kind'], a: Traits, b: Traits): TraitDifference[] {
  const found: TraitDifference[] = [];
  if (a.mode !== b.mode) found.push({ what: 'mode', a: octal(a.mode), b: octal(b.mode) });
  if (a.owner !== b.owner) found.push({ what: 'owner', a: ownerName(a.owner), b: ownerName(b.owner) });
  if (a.mtime !== b.mtime) found.push({ what: 'time', a: a.mtime, b: b.mtime });
  if (a.records !== b.records)
    for (const difference of compareRecords(a.records, b.records)) found.push(difference);
  if (a.content !== b.content) found.push(compareContent(kind, a.content, b.content));
  else if (a.stored !== b.stored) found.push({ what: 'stored', a: a.stored, b: b.stored });
  return found;
}

function compareContent(kind: Change['kind'], a: string, b: string): TraitDifference {
  if (kind === 'symlink') return { what: 'target', a: show(a), b: show(b) };
  return { what: kind === 'file' ? 'content' : 'device', a, b };
}

function compareRecords(a: string, b: string): TraitDifference[] {
  const [was, is] = [a, b].map((text) => new Map(JSON.parse(text) as [string, string][])) as [
    Map<string, string>,
    Map<string, string>,
  ];
  const recordText = (records: Map<string, string>, key: string) => {
    const name = show(key.replace(/^SCHILY\.xattr\./, ''));
    const value = records.get(key);
    return value === undefined ? `no ${name}` : `${name}=${show(value)}`;
  };
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((key) => was.get(key) !== is.get(key))
    .map((key) => ({ what: 'xattr', a: recordText(was, key), b: recordText(is, key) }));
}

function ownerName(owner: string): string {
  const [uid, gid, uname = '', gname = ''] = JSON.parse(owner) as string[];
  const names = uname === '' && gname === '' ? '' : ` (${show(uname)}:${show(gname)})`;
  return `${uid}:${gid}${names}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
