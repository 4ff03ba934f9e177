/**
 * The model of layers: what a container sees of a stack of them, written from the OCI image specification alone. It
 * shares no line with the code that is tested, and the laws compare the two.
 */
import { type ByteString, show } from './byte-string.ts';
import type { ModelEntry } from './tar-reader.ts';

export type NodeKind = 'dir' | 'file' | 'symlink' | 'char' | 'block' | 'fifo';

/** One inode. Two paths with the same `inode` are hard links of each other, and hold the same object. */
export type RootfsNode = {
  readonly inode: number;
  readonly kind: NodeKind;
  /** Whether no entry described this directory, and something below it implies it: 0755, 0:0, no time. */
  readonly implied: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: ByteString;
  readonly gname: ByteString;
  /** Canonical decimal seconds; undefined for an implied directory. */
  readonly mtime: string | undefined;
  readonly xattrs: ReadonlyMap<string, ByteString>;
  readonly content: string;
  readonly target: ByteString;
  readonly devmajor: number;
  readonly devminor: number;
};

/** A root filesystem: nodes by normalised path (no leading slash; the root itself is `''`). */
export type Rootfs = ReadonlyMap<ByteString, RootfsNode>;

/** The members of an entry that {@link applyLayers} needs. */
export type LayerEntry = Omit<ModelEntry, 'typeflag' | 'head' | 'body' | 'sparse' | 'pax' | 'size'>;

export type InvalidReason =
  | 'parent-reference'
  | 'bad-whiteout'
  | 'below-whiteout'
  | 'below-non-directory'
  | 'root-is-no-directory'
  | 'dangling-link'
  | 'link-to-directory';

/** A layer that no runtime could or should apply. */
export class InvalidLayer extends Error {
  readonly reason: InvalidReason;

  constructor(reason: InvalidReason, name: ByteString) {
    super(`${reason}: ${show(name)}`);
    this.reason = reason;
  }
}

/** The meaning of an entry's name. */
export type Place =
  | { readonly is: 'content'; readonly path: ByteString }
  | { readonly is: 'whiteout'; readonly path: ByteString }
  | { readonly is: 'opaque'; readonly path: ByteString }
  | { readonly is: 'leftover' };

/** Returns the one path that `a`, `/a`, `./a`, `a/`, `a//` and `./a/.` mean. Throws InvalidLayer for `..`. */
export function normalise(name: ByteString): ByteString {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new InvalidLayer('parent-reference', name);
  return parts.join('/');
}

/**
 * Returns whether a name is content, a whiteout, an opaque marker or an AUFS leftover. Throws InvalidLayer for
 * markers that name nothing.
 */
export function placeOf(name: ByteString): Place {
  const path = normalise(name);
  const parts = path.split('/');
  const base = parts.pop() ?? '';
  if (parts.some((part) => part.startsWith('.wh..wh.'))) return { is: 'leftover' };
  if (parts.some((part) => part.startsWith('.wh.'))) throw new InvalidLayer('below-whiteout', name);
  if (base === '.wh..wh..opq') return { is: 'opaque', path: parts.join('/') };
  if (base.startsWith('.wh..wh.')) return { is: 'leftover' };
  if (!base.startsWith('.wh.')) return { is: 'content', path };
  const hidden = base.slice('.wh.'.length);
  if (hidden === '' || hidden === '.' || hidden === '..') throw new InvalidLayer('bad-whiteout', name);
  return { is: 'whiteout', path: [...parts, hidden].join('/') };
}

/** Returns the parent of a path; undefined for the root. */
export function parentOf(path: ByteString): ByteString | undefined {
  if (path === '') return undefined;
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/** Returns the root filesystem of no layers: a root directory that no entry described. */
export function emptyRootfs(): Rootfs {
  return new Map([['', impliedDirectory(1)]]);
}

/** Applies layers bottom to top. Throws InvalidLayer. */
export function applyLayers(layers: readonly (readonly LayerEntry[])[]): Rootfs {
  return layers.reduce((rootfs: Rootfs, layer) => applyLayer(rootfs, layer), emptyRootfs());
}

/**
 * Applies one layer to the root filesystem of those below it. First all its whiteouts and opaque markers act on the
 * lower layers, wherever they stand in the tar. Then its entries are taken in their order, with the parents that
 * they and the markers imply.
 */
export function applyLayer(lower: Rootfs, entries: readonly LayerEntry[]): Rootfs {
  const nodes = new Map(lower);
  const placed = entries
    .filter((entry) => entry.type !== 'global')
    .map((entry) => ({ entry, place: placeOf(entry.name) }));

  for (const { place } of placed) {
    if (place.is === 'whiteout') removeTree(nodes, place.path);
    if (place.is === 'opaque') removeChildren(nodes, place.path);
  }

  let lastInode = [...lower.values()].reduce((most, node) => Math.max(most, node.inode), 0);
  const newInode = (): number => {
    lastInode += 1;
    return lastInode;
  };
  /** Paths other than directories that this very layer has put there. */
  const own = new Set<ByteString>();

  const remove = (path: ByteString): void => {
    const wasDirectory = nodes.get(path)?.kind === 'dir';
    removeTree(nodes, path);
    own.delete(path);
    if (!wasDirectory) return;
    for (const other of own) if (isBelow(other, path)) own.delete(other);
  };
  const makeDirectory = (path: ByteString, name: ByteString): void => {
    const parent = parentOf(path);
    if (parent !== undefined) makeDirectory(parent, name);
    if (nodes.get(path)?.kind === 'dir') return;
    if (own.has(path)) throw new InvalidLayer('below-non-directory', name);
    nodes.set(path, impliedDirectory(newInode()));
  };
  const makeParents = (path: ByteString, name: ByteString): void => {
    const parent = parentOf(path);
    if (parent !== undefined) makeDirectory(parent, name);
  };

  for (const { entry, place } of placed) {
    if (place.is === 'leftover') continue;
    if (place.is === 'opaque') {
      makeDirectory(place.path, entry.name);
      continue;
    }
    makeParents(place.path, entry.name);
    if (place.is === 'whiteout') continue;
    const { path } = place;

    if (entry.type === 'dir') {
      const existing = nodes.get(path);
      if (existing?.kind === 'dir') {
        nodes.set(path, nodeOf(entry, existing.inode));
      } else {
        remove(path);
        nodes.set(path, nodeOf(entry, newInode()));
      }
      continue;
    }

    if (path === '') throw new InvalidLayer('root-is-no-directory', entry.name);
    remove(path);
    if (entry.type === 'link') {
      const target = nodes.get(normalise(entry.linkname));
      if (target === undefined) throw new InvalidLayer('dangling-link', entry.linkname);
      if (target.kind === 'dir') throw new InvalidLayer('link-to-directory', entry.linkname);
      nodes.set(path, target);
    } else {
      nodes.set(path, nodeOf(entry, newInode()));
    }
    own.add(path);
  }
  return nodes;
}

function impliedDirectory(inode: number): RootfsNode {
  return {
    inode,
    kind: 'dir',
    implied: true,
    mode: 0o755,
    uid: 0,
    gid: 0,
    uname: '',
    gname: '',
    mtime: undefined,
    xattrs: new Map(),
    content: '',
    target: '',
    devmajor: 0,
    devminor: 0,
  };
}

function nodeOf(entry: LayerEntry, inode: number): RootfsNode {
  if (entry.type === 'link' || entry.type === 'global') throw new TypeError('has no node of its own');
  return {
    inode,
    kind: entry.type,
    implied: false,
    mode: entry.mode & 0o7777,
    uid: entry.uid,
    gid: entry.gid,
    uname: entry.uname,
    gname: entry.gname,
    mtime: entry.mtime,
    xattrs: entry.xattrs,
    content: entry.content,
    target: entry.type === 'symlink' ? entry.linkname : '',
    devmajor: entry.devmajor,
    devminor: entry.devminor,
  };
}

/** Returns whether `path` lies inside of the directory `top`. A path is not below itself. */
export function isBelow(path: ByteString, top: ByteString): boolean {
  return path !== top && (top === '' || path.startsWith(`${top}/`));
}

function removeTree(nodes: Map<ByteString, RootfsNode>, path: ByteString): void {
  if (nodes.get(path)?.kind === 'dir') removeChildren(nodes, path);
  nodes.delete(path);
}

function removeChildren(nodes: Map<ByteString, RootfsNode>, path: ByteString): void {
  for (const other of nodes.keys()) if (isBelow(other, path)) nodes.delete(other);
}

/**
 * Returns paths where runtimes disagree, each with the reason: a layer that puts a file over a lower directory and
 * then a directory there again. Applied in place, as here, the lower children are gone; unpacked on its own and
 * then overlaid, they are back. The specification forbids the duplicate and so does not decide.
 */
export function ambiguities(lower: Rootfs, entries: readonly LayerEntry[]): string[] {
  const found: string[] = [];
  const markers = entries.filter((entry) => {
    const { is } = entry.type === 'global' ? { is: 'leftover' } : placeOf(entry.name);
    return is === 'whiteout' || is === 'opaque';
  });
  const left = new Map(lower);
  for (const marker of markers) {
    const place = placeOf(marker.name);
    if (place.is === 'whiteout') removeTree(left, place.path);
    if (place.is === 'opaque') removeChildren(left, place.path);
  }
  const replaced = new Set<ByteString>();
  for (const entry of entries) {
    const place: Place = entry.type === 'global' ? { is: 'leftover' } : placeOf(entry.name);
    if (place.is !== 'content') continue;
    if (entry.type !== 'dir' && left.get(place.path)?.kind === 'dir') replaced.add(place.path);
    if (entry.type === 'dir' && replaced.has(place.path)) {
      found.push(`${show(place.path)}: a lower directory, replaced and made again in one layer`);
    }
  }
  return found;
}

/** Returns the hard-link groups: for each path, all the paths of its inode, sorted. */
export function linkGroups(rootfs: Rootfs): Map<ByteString, readonly ByteString[]> {
  const byInode = new Map<number, ByteString[]>();
  for (const [path, node] of rootfs) {
    const names = byInode.get(node.inode);
    if (names === undefined) byInode.set(node.inode, [path]);
    else names.push(path);
  }
  const groups = new Map<ByteString, readonly ByteString[]>();
  for (const names of byInode.values()) {
    names.sort();
    for (const name of names) groups.set(name, names);
  }
  return groups;
}

/**
 * Returns every difference between two root filesystems, a line each; empty when a container could not tell them
 * apart.
 */
export function diffRootfs(left: Rootfs, right: Rootfs): string[] {
  const lines: string[] = [];
  const leftGroups = linkGroups(left);
  const rightGroups = linkGroups(right);
  for (const path of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const a = left.get(path);
    const b = right.get(path);
    if (a === undefined && b !== undefined) lines.push(`${show(path)}: only right has it (${b.kind})`);
    if (a !== undefined && b === undefined) lines.push(`${show(path)}: only left has it (${a.kind})`);
    if (a === undefined || b === undefined) continue;
    for (const what of diffNodes(a, b)) lines.push(`${show(path)}: ${what}`);
    const [names, others] = [leftGroups.get(path) ?? [], rightGroups.get(path) ?? []];
    if (names.length !== others.length || names.some((name, i) => name !== others[i])) {
      lines.push(`${show(path)}: hard links ${names.map(show).join(' ')} ≠ ${others.map(show).join(' ')}`);
    }
  }
  return lines;
}

function diffNodes(a: RootfsNode, b: RootfsNode): string[] {
  if (a.kind === 'dir' && b.kind === 'dir' && (a.implied || b.implied)) {
    const other = a.implied ? b : a;
    if (other.implied || isPlainDirectory(other)) return [];
    const [l, r] = [describeNode(a), describeNode(b)];
    return [`${l} ≠ ${r}`];
  }
  const lines: string[] = [];
  const compare = (what: string, l: unknown, r: unknown): void => {
    if (l !== r) lines.push(`${what} ${shown(l)} ≠ ${shown(r)}`);
  };
  compare('kind', a.kind, b.kind);
  compare('mode', a.mode.toString(8), b.mode.toString(8));
  compare('uid', a.uid, b.uid);
  compare('gid', a.gid, b.gid);
  compare('uname', a.uname, b.uname);
  compare('gname', a.gname, b.gname);
  compare('mtime', a.mtime, b.mtime);
  compare('content', a.content, b.content);
  compare('target', a.target, b.target);
  compare('device', `${a.devmajor},${a.devminor}`, `${b.devmajor},${b.devminor}`);
  for (const key of new Set([...a.xattrs.keys(), ...b.xattrs.keys()])) {
    compare(`xattr ${show(key)}`, a.xattrs.get(key), b.xattrs.get(key));
  }
  return lines;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? show(value) : String(value);
}

/** Returns whether a node is what a runtime makes of an implied directory. Its time does not count. */
function isPlainDirectory(node: RootfsNode): boolean {
  return node.mode === 0o755 && node.uid === 0 && node.gid === 0 && node.xattrs.size === 0;
}

/** Returns a node on one line, for messages. */
function describeNode(node: RootfsNode): string {
  if (node.implied) return 'dir (implied)';
  const parts = [node.kind, node.mode.toString(8).padStart(4, '0'), `${node.uid}:${node.gid}`];
  if (node.uname !== '' || node.gname !== '') parts.push(`${show(node.uname)}:${show(node.gname)}`);
  parts.push(`mtime ${node.mtime}`);
  if (node.kind === 'symlink') parts.push(`→ ${show(node.target)}`);
  if (node.kind === 'file') parts.push(show(node.content));
  if (node.kind === 'char' || node.kind === 'block') parts.push(`${node.devmajor},${node.devminor}`);
  for (const [key, value] of node.xattrs) parts.push(`${show(key)}=${show(value)}`);
  return parts.join(' ');
}

/** Returns a whole root filesystem, a path on each line with its inode number, for messages. */
export function describeRootfs(rootfs: Rootfs): string {
  return [...rootfs.keys()]
    .sort()
    .map((path) => {
      const node = rootfs.get(path);
      return node === undefined ? '' : `${show(path)} [${node.inode}] ${describeNode(node)}`;
    })
    .join('\n');
}

/**
 * Returns the root filesystem without the paths that the predicate selects, and without everything below them. The
 * root stays.
 */
export function removePaths(
  rootfs: Rootfs,
  predicate: (path: ByteString, node: RootfsNode) => boolean,
): Rootfs {
  const removed = [...rootfs]
    .filter(([path, node]) => path !== '' && predicate(path, node))
    .map(([path]) => path);
  const gone = (path: ByteString): boolean => removed.some((top) => path === top || isBelow(path, top));
  return new Map([...rootfs].filter(([path]) => !gone(path)));
}

/** Returns the root filesystem with only the selected paths and the directories above them. */
export function keepPaths(
  rootfs: Rootfs,
  predicate: (path: ByteString, node: RootfsNode) => boolean,
): Rootfs {
  const kept = [...rootfs].filter(([path, node]) => predicate(path, node)).map(([path]) => path);
  return new Map(
    [...rootfs].filter(([path]) => path === '' || kept.some((name) => name === path || isBelow(name, path))),
  );
}
