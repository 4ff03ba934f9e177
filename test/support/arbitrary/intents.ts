import { type ByteString, bytesOf, concat, show, utf8 } from '../model/byte-string.ts';
import {
  ambiguities,
  applyLayer,
  InvalidLayer,
  isBelow,
  linkGroups,
  parentOf,
  placeOf,
  type Rootfs,
} from '../model/filesystem.ts';
import { encodeEntry, type EntrySpec } from '../model/tar-bytes.ts';
import { type ModelEntry, readTar } from '../model/tar-reader.ts';

/** A choice of small numbers, given a meaning only by what is there when its turn comes: so that stacks shrink. */
export type Intent = {
  readonly op: number;
  /** Which existing path, or which directory. */
  readonly where: number;
  /** Which name of the alphabet. */
  readonly name: number;
  /** Which link target, or which second path. */
  readonly target: number;
  /** How names are spelled. */
  readonly spelling: number;
  /** How the head is written. */
  readonly head: number;
  /** Owner, mode, time, xattrs. */
  readonly attributes: number;
  /** How long the content is. */
  readonly data: number;
};

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

/** What is being built: the layers below as the model applies them, and the layer so far. */
export type Draft = {
  readonly lower: Rootfs;
  current: Rootfs;
  readonly specs: EntrySpec[];
  readonly model: ModelEntry[];
  /** Makes every content its own. */
  serial: number;
  /** Only what umoci can unpack: see `LayerStackOptions`. */
  readonly portable: boolean;
};

export type IntentName = (typeof OPERATIONS)[number]['name'];
export type Operation = {
  readonly name: string;
  readonly weight: number;
  readonly run: (draft: Draft, intent: Intent) => void;
};

export const OPERATIONS = [
  {
    name: 'file',
    weight: 5,
    run: (draft, intent) => add(draft, intent, file(draft, intent, freePath(draft, intent))),
  },
  {
    name: 'directory',
    weight: 5,
    run: (draft, intent) => add(draft, intent, directory(intent, freePath(draft, intent))),
  },
  {
    name: 'hard link',
    weight: 7,
    run: (draft, intent) => add(draft, intent, hardLink(draft, intent, freePath(draft, intent))),
  },
  {
    name: 'whiteout',
    weight: 5,
    run: (draft, intent) => add(draft, intent, whiteout(existing(draft, intent, draft.lower))),
  },
  {
    name: 'overwrite',
    weight: 4,
    run: (draft, intent) => add(draft, intent, file(draft, intent, existing(draft, intent))),
  },
  {
    name: 'directory over',
    weight: 3,
    run: (draft, intent) => add(draft, intent, directory(intent, existing(draft, intent))),
  },
  {
    name: 'opaque',
    weight: 3,
    run: (draft, intent) => add(draft, intent, opaque(anyDirectory(draft, intent))),
  },
  {
    name: 'symlink',
    weight: 2,
    run: (draft, intent) => add(draft, intent, symlink(intent, freePath(draft, intent))),
  },
  {
    name: 'symlink over',
    weight: 1,
    run: (draft, intent) => add(draft, intent, symlink(intent, existing(draft, intent))),
  },
  {
    name: 'link over',
    weight: 2,
    run: (draft, intent) => add(draft, intent, hardLink(draft, intent, existing(draft, intent))),
  },
  {
    name: 'special',
    weight: 2,
    run: (draft, intent) => add(draft, intent, special(intent, freePath(draft, intent))),
  },
  {
    name: 'sparse',
    weight: 2,
    run: (draft, intent) => add(draft, intent, sparseFile(draft, intent, freePath(draft, intent))),
  },
  {
    name: 'deep file',
    weight: 2,
    run: (draft, intent) => add(draft, intent, file(draft, intent, deepPath(draft, intent))),
  },
  {
    name: 'whiteout of nothing',
    weight: 1,
    run: (draft, intent) => add(draft, intent, whiteout(freePath(draft, intent))),
  },
  {
    name: 'whiteout of own',
    weight: 2,
    run: (draft, intent) => {
      const path = pick(ownPaths(draft), intent.where);
      if (path !== undefined) add(draft, intent, whiteout(path));
    },
  },
  {
    name: 'duplicate',
    weight: 2,
    run: (draft, intent) => {
      const path = pick(ownPaths(draft), intent.where);
      if (path !== undefined) add(draft, intent, file(draft, intent, path));
    },
  },
  {
    // t2; ln t2 t1; t2'
    name: 'link between',
    weight: 2,
    run: (draft, intent) => {
      const path = freePath(draft, intent);
      const link = siblingOf(path, intent.target);
      add(draft, intent, file(draft, intent, path));
      add(draft, intent, linkTo(draft, intent, link, path));
      add(draft, intent, file(draft, { ...intent, data: intent.data + 1 }, path));
    },
  },
  {
    // `ln t l; rewrite t`, with t in a lower layer.
    name: 'link, then replace its target',
    weight: 1,
    run: (draft, intent) => {
      const target = pick(filesOf(draft.lower), intent.target);
      if (target === undefined) return;
      add(draft, intent, linkTo(draft, intent, freePath(draft, intent), target));
      add(draft, intent, file(draft, intent, target));
    },
  },
  {
    name: 'whiteout of a linked name',
    weight: 2,
    run: (draft, intent) => {
      const path = pick(linkedPaths(draft.lower), intent.where);
      if (path !== undefined) add(draft, intent, whiteout(path));
    },
  },
  {
    name: 'overwrite a linked name',
    weight: 2,
    run: (draft, intent) => {
      const path = pick(linkedPaths(draft.lower), intent.where);
      if (path !== undefined) add(draft, intent, file(draft, intent, path));
    },
  },
  {
    // rm -r d; mkdir d; touch d/new: with a whiteout or an opaque marker, before or after.
    name: 're-create',
    weight: 2,
    run: (draft, intent) => {
      const path = pick(directoriesOf(draft.lower).slice(1), intent.where);
      if (path === undefined) return;
      const marker = intent.target % 4 < 2 ? whiteout(path) : opaque(path);
      const after = intent.target % 2 === 1;
      if (!after) add(draft, intent, marker);
      add(draft, intent, directory(intent, path));
      add(draft, intent, file(draft, intent, join(path, nameOf(intent))));
      if (after) add(draft, intent, marker);
    },
  },
  {
    name: 'new opaque directory',
    weight: 1,
    run: (draft, intent) => {
      const path = freePath(draft, intent);
      add(draft, intent, directory(intent, path));
      add(draft, intent, opaque(path));
    },
  },
  {
    name: 'below a lower file',
    weight: 1,
    run: (draft, intent) => {
      const path = pick(filesOf(draft.lower), intent.where);
      if (path !== undefined) add(draft, intent, file(draft, intent, join(path, nameOf(intent))));
    },
  },
  {
    name: 'root',
    weight: 1,
    run: (draft, intent) => add(draft, intent, directory(intent, '')),
  },
  {
    name: 'leftover',
    weight: 1,
    run: (draft, intent) => {
      const directory = intent.where % 3 === 2 ? anyDirectory(draft, intent) : '';
      const names = ['.wh..wh.plnk', '.wh..wh.aufs', '.wh..wh.orph', '.wh..wh.plnk/12.34'];
      const name = names[intent.name % names.length] ?? '.wh..wh.aufs';
      const isDirectory = name.endsWith('plnk') || name.endsWith('orph');
      add(draft, intent, { name: join(directory, name), type: isDirectory ? 'dir' : 'file', mode: 0o600 });
    },
  },
  {
    name: 'global header',
    weight: 1,
    run: (draft, intent) =>
      add(draft, intent, { name: '', type: 'global', pax: [['comment', `c${intent.name}`]] }),
  },
] as const satisfies readonly Operation[];

export function tryApply(lower: Rootfs, entries: readonly ModelEntry[]): Rootfs | undefined {
  try {
    const upper = applyLayer(lower, entries);
    return ambiguities(lower, entries).length === 0 ? upper : undefined;
  } catch (error) {
    if (error instanceof InvalidLayer) return undefined;
    throw error;
  }
}

/** Adds an entry where the layer stays valid with it, spelled and encoded as the intent wants. */
function add(draft: Draft, intent: Intent, spec: EntrySpec | undefined): void {
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

/** Whether all runtimes can unpack the entry over those layers: see `LayerStackOptions.portable`. */
export function isPortable(lower: Rootfs, spec: EntrySpec): boolean {
  const odd = spec.type === 'global' || spec.typeflag === '7' || spec.sparse?.format === 'gnu';
  const device = spec.type === 'char' || spec.type === 'block';
  // Linux lets `security.*` be set by few, and `user.*` only on files and directories.
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

/** Whether a layer leaves a directory that only a marker below it implies: umoci 0.4 does not make one. */
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

/** The entry in the first of the wanted formats that can say it. */
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

// What intents choose from. Lists are in a fixed order with the plainest first, so that 0 is the simplest choice.

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list.length === 0 ? undefined : list[index % list.length];
}

function byDepth(paths: readonly ByteString[]): ByteString[] {
  return [...paths].sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1));
}

function directoriesOf(rootfs: Rootfs): ByteString[] {
  return byDepth([...rootfs].filter(([, node]) => node.kind === 'dir').map(([path]) => path));
}

function filesOf(rootfs: Rootfs): ByteString[] {
  return byDepth([...rootfs].filter(([, node]) => node.kind !== 'dir').map(([path]) => path));
}

function linkedPaths(rootfs: Rootfs): ByteString[] {
  return byDepth([...linkGroups(rootfs)].filter(([, names]) => names.length > 1).map(([path]) => path));
}

function ownPaths(draft: Draft): ByteString[] {
  const paths = draft.model.flatMap((entry) => {
    if (entry.type === 'global') return [];
    const place = placeOf(entry.name);
    return place.is === 'content' && place.path !== '' ? [place.path] : [];
  });
  return [...new Set(paths)];
}

function existing(draft: Draft, intent: Intent, rootfs: Rootfs = draft.current): ByteString {
  const paths = byDepth([...rootfs.keys()].filter((path) => path !== ''));
  return pick(paths, intent.where) ?? nameOf(intent);
}

function anyDirectory(draft: Draft, intent: Intent): ByteString {
  const lower = directoriesOf(draft.lower);
  const current = directoriesOf(draft.current);
  return pick([...lower.slice(1), ...current], intent.where) ?? '';
}

function nameOf(intent: Intent): ByteString {
  return NAMES[intent.name] ?? 'a';
}

function join(directory: ByteString, name: ByteString): ByteString {
  return directory === '' ? name : `${directory}/${name}`;
}

/** A path in some directory, up to four deep; whether something is there is chance. */
function freePath(draft: Draft, intent: Intent): ByteString {
  const parents = directoriesOf(draft.current).filter((path) => path.split('/').length < 4);
  return join(pick(parents, intent.where) ?? '', nameOf(intent));
}

/** A path whose parents may not exist. */
function deepPath(draft: Draft, intent: Intent): ByteString {
  const parents = directoriesOf(draft.current).filter((path) => path.split('/').length < 3);
  const between = NAMES[intent.target % NAMES.length] ?? 'a';
  return join(join(pick(parents, intent.where) ?? '', between), nameOf(intent));
}

function siblingOf(path: ByteString, choice: number): ByteString {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const names = NAMES.filter((name) => name !== base).slice(0, 4);
  return join(parentOf(path) ?? '', names[choice % names.length] ?? 'z');
}

// Entries.

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
    // A tar inside of a file: a reader that looks for headers instead of counting would find `evil`.
    return concat([
      bytesOf(`inner tar ${draft.serial}`.padEnd(512, '.')),
      encodeEntry({ name: 'evil', body: bytesOf('evil') }),
      encodeEntry({ name: '.wh.a' }),
    ]);
  }
  const length = LENGTHS[intent.data % LENGTHS.length] ?? 9;
  // The very first byte differs from file to file already.
  const text = `${String.fromCharCode(0x21 + (draft.serial % 90))}data ${draft.serial};`;
  return bytesOf(text.repeat(Math.ceil(length / text.length)).slice(0, length));
}

function file(draft: Draft, intent: Intent, path: ByteString): EntrySpec {
  return {
    ...attributesOf(intent, 0o644),
    name: path,
    type: 'file',
    body: content(draft, intent),
    ...(intent.head === 9 && intent.attributes % 2 === 1 ? { typeflag: '7' } : {}),
  };
}

function directory(intent: Intent, path: ByteString): EntrySpec {
  return { ...attributesOf(intent, 0o755), name: path, type: 'dir' };
}

function symlink(intent: Intent, path: ByteString): EntrySpec {
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

function special(intent: Intent, path: ByteString): EntrySpec {
  const type = (['fifo', 'char', 'block'] as const)[intent.data % 3] ?? 'fifo';
  const numbers = type === 'fifo' ? {} : { devmajor: intent.target % 3, devminor: intent.target };
  return { ...attributesOf(intent, 0o600), ...numbers, name: path, type };
}

function sparseFile(draft: Draft, intent: Intent, path: ByteString): EntrySpec {
  const pieces = [1, 2, 0, 5, 30][intent.data % 5] ?? 1;
  const length = [7, 512, 600][intent.target % 3] ?? 7;
  const size = pieces * 2048 + 1024 + intent.target;
  const shift = (intent.name % 2) * 512;
  const map = Array.from({ length: pieces }, (_, i): [number, number] => [i * 2048 + shift, length]);
  // A file that is one hole has, as GNU tar writes it, one empty piece at its end.
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

function hardLink(draft: Draft, intent: Intent, path: ByteString): EntrySpec | undefined {
  const own = new Set(ownPaths(draft));
  const inLayer = filesOf(draft.current).filter((target) => own.has(target));
  const inLower = filesOf(draft.lower);
  const candidates = intent.target % 3 === 2 || inLayer.length === 0 ? inLower : inLayer;
  const target = pick(candidates, Math.floor(intent.target / 3));
  return target === undefined ? undefined : linkTo(draft, intent, path, target);
}

/** A link; its header repeats the target's metadata as archivers do, except now and then, where it says something else. */
function linkTo(draft: Draft, intent: Intent, path: ByteString, target: ByteString): EntrySpec | undefined {
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

function whiteout(path: ByteString): EntrySpec {
  const parent = parentOf(path) ?? '';
  return { name: join(parent, `.wh.${path.slice(parent === '' ? 0 : parent.length + 1)}`), mode: 0 };
}

function opaque(path: ByteString): EntrySpec {
  return { name: join(path, '.wh..wh..opq'), mode: 0 };
}
