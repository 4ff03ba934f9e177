/**
 * Renders an image as the export format of ncdu (dev.yorhel.nl/ncdu/jsonfmt, version 1.2), for `ncdu -f`. Directories are arrays in
 * each other, so rows are written one by one and none is held.
 */
import type { ByteString } from '../../bytes/bytes.ts';
import { baseOf } from '../../bytes/path.ts';
import { entryAt, type LayeredImage } from '../../analyze/entries.ts';
import { escapeText, pathFields, safeJson } from '../escape.ts';
import { truncate } from '../table.ts';
import { type Analyzed, type Row, rowOf, rowsOf, type Scope, stateText, type Tool } from './analyzed.ts';
import { instructionLine } from './words.ts';

/** Yields the export. `layers`: a directory for each layer, and in it one for each state of its entries. */
export function* renderNcdu(
  { analysis, scanned }: Analyzed,
  { scope, tool }: { readonly scope: Scope; readonly tool: Tool },
): Generator<string> {
  const writer = new DirectoryWriter();
  yield `[1,2,${JSON.stringify({ progname: tool.name, progver: tool.version })},\n`;
  yield beginOf(escapeText(analysis.image.name));
  if (scope === 'root') for (const row of rowsOf(scanned, 'root')) yield* writer.add(row, []);
  else
    for (const { number, instruction } of analysis.layers) {
      const made = escapeText(instructionLine(instruction)).replaceAll('/', '\u2215');
      const folder = truncate(`layer ${number}: ${made}`, 80);
      for (const row of sortedRows(scanned, number)) yield* writer.add(row, [folder, stateText(row)]);
    }
  yield* writer.closeTo(0);
  yield ']]\n';
}

/** Lists the entries of a layer by state, then by path. */
function* sortedRows(image: LayeredImage, layer: number): Generator<Row> {
  const changes = [...(image.stack.layers.get(layer) ?? [])];
  const columns = image.fates.layers.get(layer);
  const stateOf = (entry: number): number =>
    (columns?.hiddenBy[entry] ?? 0) * 8 + (columns?.fate[entry] ?? 0);
  changes.sort((a, b) => stateOf(a.entry) - stateOf(b.entry) || a.path - b.path);
  for (const { entry } of changes) yield rowOf(entryAt(image, layer, entry));
}

/** Returns the begin of a directory. */
function beginOf(name: string, more = ''): string {
  return `[{"name":${safeJson(name)}${more}}`;
}

/** Writes rows in the order of a walk: a directory before what is in it, without another between. */
class DirectoryWriter {
  /** The names of the open directories below the outermost. */
  readonly #open: string[] = [];

  /** Yields a row, and before it the ends and begins of directories that lead to it. `folders` are above its path. */
  *add(row: Row, folders: readonly string[]): Generator<string> {
    const isDirectory = row.kind === 'directory';
    const parts = row.path === '' ? [] : row.path.split('/');
    const names = [...folders, ...(isDirectory ? parts : parts.slice(0, -1)).map(nameOf)];
    let shared = 0;
    while (shared < names.length && names[shared] === this.#open[shared]) shared++;
    yield* this.closeTo(shared);
    for (const [i, name] of names.entries()) {
      if (i < shared) continue;
      const isOwn = isDirectory && parts.length > 0 && i === names.length - 1;
      yield `,\n${beginOf(name, isOwn ? attributesOf(row) : '')}`;
      this.#open.push(name);
    }
    if (!isDirectory)
      yield `,\n{"name":${safeJson(nameOf(baseOf(row.path)))}${sizeOf(row)}${attributesOf(row)}}`;
  }

  /** Closes directories until so many are open below the outermost. */
  *closeTo(depth: number): Generator<string> {
    for (; this.#open.length > depth; this.#open.pop()) yield ']';
  }
}

function nameOf(name: ByteString): string {
  return pathFields(name).path;
}

function sizeOf({ kind, bytes }: Row): string {
  const isFile = kind === 'file' || kind === 'link';
  return `${bytes === 0 ? '' : `,"asize":${bytes},"dsize":${bytes}`}${isFile ? '' : ',"notreg":true'}`;
}

function attributesOf({ uid, gid, mode }: Row): string {
  return `,"uid":${uid},"gid":${gid},"mode":${mode}`;
}
