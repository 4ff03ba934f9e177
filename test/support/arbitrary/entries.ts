/**
 * The entries that intents add to a layer: files, directories, links and special files, with random attributes.
 * They include what readers get wrong: tars inside of files, sparse files, and links whose headers contradict their
 * targets.
 */
import { type ByteString, bytesOf, concat, utf8 } from '../model/byte-string.ts';
import { parentOf } from '../model/filesystem.ts';
import { encodeEntry, type EntrySpec } from '../model/tar-bytes.ts';
import { filesOf, join, ownPaths, pick } from './choices.ts';
import type { Draft, Intent } from './draft.ts';

const MODES = [0o644, 0o755, 0o4755, 0o2755, 0o1777, 0o600, 0o000, 0o6711];
const OWNERS = [0, 0, 1000, 65_534, 2_097_151, 2_097_152, 3_000_000];
const OWNER_NAMES: readonly ByteString[] = ['', 'root', utf8('j\u00f6rg'), 'u'.repeat(40)];
const TIMES = [
  '1700000000',
  '0',
  '1700000000.123456789',
  '-1',
  '-1.5',
  '-0.000000001',
  '1.1',
  '8589934592',
  '1234567890.000000001',
];
const XATTRS: readonly Readonly<Record<string, ByteString>>[] = [
  {},
  {},
  {},
  {},
  { 'user.a': 'x' },
  { 'security.capability': '\x01\0\0\x02\0\x20\n=\0\0\0\xff\0\0\0\0\0\0\0\0' },
  { 'user.a': 'y', 'user.\xe9 b': '12 k=v\n' },
];
const LENGTHS = [9, 0, 511, 512, 513, 1, 1025, 700];
const SPARSES = ['gnu', '0.0', '0.1', '1.0'] as const;

function attributesOf(intent: Intent, defaultMode: number): Partial<EntrySpec> {
  if (intent.attributes === 0) return { mode: defaultMode, mtime: '1700000000' };
  let rest = intent.attributes;
  const choose = <T>(list: readonly T[]): T => {
    const chosen = list[rest % list.length];
    rest = Math.floor(rest / list.length);
    if (chosen === undefined) throw new RangeError('an empty list');
    return chosen;
  };
  return {
    mtime: choose(TIMES),
    xattrs: choose(XATTRS),
    mode: choose(MODES),
    uid: choose(OWNERS),
    gid: choose([0, 1000, 3_000_000]),
    uname: choose(OWNER_NAMES),
    gname: choose(['', 'staff']),
  };
}

function content(draft: Draft, intent: Intent): Uint8Array {
  draft.serial += 1;
  if (intent.data === 9) {
    // A tar inside of a file: a reader that looks for headers instead of counting bytes would find `evil`.
    return concat([
      bytesOf(`inner tar ${draft.serial}`.padEnd(512, '.')),
      encodeEntry({ name: 'evil', body: bytesOf('evil') }),
      encodeEntry({ name: '.wh.a' }),
    ]);
  }
  const length = LENGTHS[intent.data % LENGTHS.length] ?? 9;
  // The very first byte differs from file to file.
  const text = `${String.fromCharCode(0x21 + (draft.serial % 90))}data ${draft.serial};`;
  return bytesOf(text.repeat(Math.ceil(length / text.length)).slice(0, length));
}

export function file(draft: Draft, intent: Intent, path: ByteString): EntrySpec {
  return {
    ...attributesOf(intent, 0o644),
    name: path,
    type: 'file',
    body: content(draft, intent),
    ...(intent.head === 9 && intent.attributes % 2 === 1 ? { typeflag: '7' } : {}),
  };
}

export function directory(intent: Intent, path: ByteString): EntrySpec {
  return { ...attributesOf(intent, 0o755), name: path, type: 'dir' };
}

export function symlink(intent: Intent, path: ByteString): EntrySpec {
  const targets: readonly ByteString[] = [
    'a',
    '../b',
    '/a/b',
    '.',
    'd\xff',
    '../../../..',
    'q'.repeat(130),
    './/a/',
  ];
  return {
    ...attributesOf(intent, 0o777),
    name: path,
    type: 'symlink',
    linkname: targets[intent.target % targets.length] ?? 'a',
  };
}

export function special(intent: Intent, path: ByteString): EntrySpec {
  const type = (['fifo', 'char', 'block'] as const)[intent.data % 3] ?? 'fifo';
  const numbers = type === 'fifo' ? {} : { devmajor: intent.target % 3, devminor: intent.target };
  return { ...attributesOf(intent, 0o600), ...numbers, name: path, type };
}

export function sparseFile(draft: Draft, intent: Intent, path: ByteString): EntrySpec {
  const pieces = [1, 2, 0, 5, 30][intent.data % 5] ?? 1;
  const length = [7, 512, 600][intent.target % 3] ?? 7;
  const size = pieces * 2048 + 1024 + intent.target;
  const shift = (intent.name % 2) * 512;
  const map = Array.from({ length: pieces }, (_, i): [number, number] => [i * 2048 + shift, length]);
  // As GNU tar writes it, a file that is one hole has one empty piece at its end.
  if (pieces === 0) map.push([size, 0]);
  draft.serial += 1;
  const text = `${String.fromCharCode(0x21 + (draft.serial % 90))}piece ${draft.serial};`;
  return {
    ...attributesOf(intent, 0o644),
    name: path,
    type: 'file',
    sparse: { format: SPARSES[intent.spelling % 4] ?? 'gnu', size, map },
    body: bytesOf(text.repeat(Math.ceil((pieces * length) / text.length)).slice(0, pieces * length)),
  };
}

export function hardLink(draft: Draft, intent: Intent, path: ByteString): EntrySpec | undefined {
  const own = new Set(ownPaths(draft));
  const inLayer = filesOf(draft.current).filter((target) => own.has(target));
  const inLower = filesOf(draft.lower);
  const candidates = intent.target % 3 === 2 || inLayer.length === 0 ? inLower : inLayer;
  const target = pick(candidates, Math.floor(intent.target / 3));
  return target === undefined ? undefined : linkTo(draft, intent, path, target);
}

/** Returns a link. Its header repeats the target's metadata as archivers do, but now and then it contradicts it. */
export function linkTo(
  draft: Draft,
  intent: Intent,
  path: ByteString,
  target: ByteString,
): EntrySpec | undefined {
  const node = draft.current.get(target);
  if (node === undefined || node.kind === 'dir') return undefined;
  const usual: Partial<EntrySpec> = {
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    uname: node.uname,
    gname: node.gname,
    mtime: node.mtime ?? '0',
  };
  const attributes = intent.attributes % 4 === 3 ? attributesOf(intent, 0o644) : usual;
  return { ...attributes, name: path, type: 'link', linkname: target };
}

export function whiteout(path: ByteString): EntrySpec {
  const parent = parentOf(path) ?? '';
  return { name: join(parent, `.wh.${path.slice(parent === '' ? 0 : parent.length + 1)}`), mode: 0 };
}

export function opaque(path: ByteString): EntrySpec {
  return { name: join(path, '.wh..wh..opq'), mode: 0 };
}
