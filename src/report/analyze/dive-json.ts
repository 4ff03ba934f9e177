/**
 * Renders an image as dive exports it (`dive --json`), for programs that read that. The trees are dive's: whiteouts are files by their
 * names, and directories without an entry are empty nodes.
 */
import { entryAt, type ImageEntry, type LayeredImage } from '../../analyze/entries.ts';
import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { parentOf, type Path } from '../../bytes/path.ts';
import { whiteoutName } from '../../changeset/layer-index.ts';
import { safeJson, safeJsonText } from '../escape.ts';
import type { Analyzed } from './analyzed.ts';

/** Yields the export. Each layer has its own tree, of which a node is held for each path. */
export function* renderDiveJson({ analysis, scanned }: Analyzed): Generator<string> {
  const { dive, layers } = analysis;
  yield '{\n  "layer": [';
  for (const { number, diffId, diveBytes, instruction } of layers) {
    const command = (instruction ?? '').replace(/^\/bin\/sh -c /, '');
    const about = { index: number - 1, id: diffId.slice(diffId.indexOf(':') + 1), digestId: diffId };
    const head = safeJsonText(JSON.stringify({ ...about, sizeBytes: diveBytes, command }));
    yield `${number === 1 ? '' : ','}\n    ${head.slice(0, -1)},"fileList":[`;
    let separator = '';
    for (const node of nodesOf(scanned, number)) {
      yield `${separator}\n      ${safeJsonText(JSON.stringify(node))}`;
      separator = ',';
    }
    yield ']}';
  }
  yield '\n  ],\n  "image": {';
  yield `"sizeBytes":${dive.sizeBytes},"inefficientBytes":${dive.wastedBytes},"efficiencyScore":${dive.efficiency},`;
  yield '"fileReference":[';
  for (const [i, { path, count, bytes }] of dive.inefficient.entries())
    yield `${i === 0 ? '' : ','}\n      {"count":${count},"sizeBytes":${bytes},"file":${safeJson(`/${textOf(path)}`)}}`;
  yield ']}\n}\n';
}

/** Lists the nodes of a layer as dive visits them: what is in a directory before it, by name. */
function* nodesOf(image: LayeredImage, layer: number): Generator<object> {
  const entries = treeOf(image, layer);
  // With NUL in the place of the slash, which sorts before everything, contents follow their directory at once.
  const sorted = [...entries.keys()].map((name) => name.replaceAll('/', ascii`\0`)).sort();
  const open: ByteString[] = [];
  const nodeOf = (name: ByteString) => {
    const entry = entries.get(name) ?? null;
    return entry === null ? emptyNode : fileInfo(entryAt(image, layer, entry), name);
  };
  for (const key of sorted) {
    const name = key.replaceAll('\0', ascii`/`);
    for (let top = open.at(-1); top !== undefined && !name.startsWith(`${top}/`); top = open.at(-1)) {
      yield nodeOf(top);
      open.pop();
    }
    open.push(name);
  }
  for (let top = open.pop(); top !== undefined; top = open.pop()) yield nodeOf(top);
}

/** Collects the names of a layer, each with its last entry; null for a directory that only others imply. */
function treeOf({ indexes }: LayeredImage, layer: number): ReadonlyMap<ByteString, number | null> {
  const found = new Map<ByteString, number | null>();
  const { kinds = [], paths = [] } = indexes.get(layer) ?? {};
  const imply = (from: Path) => {
    for (let at = from; at !== '' && !found.has(at); at = parentOf(at)) found.set(at, null);
  };
  for (const [entry, kind] of kinds.entries()) {
    const path = paths[entry] as Path;
    if (kind === 'opaque') imply(path);
    else imply(parentOf(path));
    if (kind !== 'opaque' && kind !== 'ignored' && path !== '')
      found.set(kind === 'whiteout' ? whiteoutName(path) : path, entry);
  }
  return found;
}

const emptyNode = {
  path: '',
  typeFlag: 0,
  linkName: '',
  size: 0,
  fileMode: 0,
  uid: 0,
  gid: 0,
  isDir: false,
};

/** The type of a tar header as ASCII, and the bits of the type in Go's `os.FileMode`. */
const types: Readonly<Record<ImageEntry['kind'], readonly [flag: string, bits: number]>> = {
  file: ['0', 0],
  link: ['1', 0],
  symlink: ['2', 2 ** 27],
  char: ['3', 2 ** 26 + 2 ** 21],
  block: ['4', 2 ** 26],
  directory: ['5', 2 ** 31],
  fifo: ['6', 2 ** 25],
  whiteout: ['0', 0],
  opaque: ['0', 0],
  ignored: ['0', 0],
};

function fileInfo({ kind, length, mode, uid, gid, target }: ImageEntry, name: ByteString): object {
  const [flag, bits] = types[kind];
  const special = ((mode & 0o4000) << 12) + ((mode & 0o2000) << 12) + ((mode & 0o1000) << 11);
  return {
    path: textOf(name),
    typeFlag: flag.charCodeAt(0),
    linkName: target === null ? '' : textOf(target),
    size: length,
    fileMode: bits + special + (mode & 0o777),
    uid,
    gid,
    isDir: kind === 'directory',
  };
}

/** Decodes a name as Go's JSON does: what is not UTF-8 becomes U+FFFD. */
function textOf(name: ByteString): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}
