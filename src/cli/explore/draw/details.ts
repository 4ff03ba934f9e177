/**
 * The details of the layer or path under the cursor: what it is, which instruction made it, and why it is or is not in the image.
 * `frame.ts` shows them below the panes.
 */
import type { Path } from '../../../bytes/path.ts';
import type { Change } from '../../../changeset/change.ts';
import { displayPath, escapeText } from '../../../report/escape.ts';
import { shortInstruction } from '../../../analyze/instruction.ts';
import { modeText, timeText } from '../../../report/look/listing-text.ts';
import { formatSize } from '../../../units.ts';
import type { Contents, LayerRow } from '../contents.ts';
import { statusNames } from '../scope.ts';
import { pathAtCursor, type State } from '../state.ts';
import type { Piece } from './line.ts';
import { broken, countOf, cutStart } from './text.ts';

type Line = readonly Piece[];

/** Returns the lines of the details, the most important first, as pieces. */
export function detailLines(state: State): readonly Line[] {
  const { contents, focus, scope, size } = state;
  const path = pathAtCursor(state);
  if (focus === 'layers' || path === null) {
    const layer = contents.layers[scope.layer - 1];
    return layer === undefined ? imageDetails(contents) : layerDetails(layer, size.columns);
  }
  return pathDetails(state, path);
}

function imageDetails({ title, layers, table }: Contents): readonly Line[] {
  const sum = (pick: (layer: LayerRow) => number): string =>
    formatSize(layers.reduce((total, layer) => total + pick(layer), 0));
  return [
    [['strong', escapeText(title.name)], `  ${title.digest}`],
    [
      `${layers.length} layers, ${sum(({ transferBytes }) => transferBytes)} to pull, ${sum(({ contentBytes }) => contentBytes)} of files`,
    ],
    [
      `hidden by layers above ${sum(({ shadowedBytes }) => shadowedBytes)}, copies of other files ${sum(({ duplicateBytes }) => duplicateBytes)}`,
    ],
    [`${countOf(table.paths.length - 1, 'path')}${title.platform === null ? '' : `, ${title.platform}`}`],
  ];
}

function layerDetails(layer: LayerRow, columns: number): readonly Line[] {
  const { number, digest, transferBytes, contentBytes, shadowedBytes, duplicateBytes, entries, markers } =
    layer;
  const text = escapeText(shortInstruction(layer.instruction, 2000));
  const instruction = broken(text === '' ? 'no instruction is known' : text, Math.max(10, columns - 2));
  return [
    [['strong', `layer ${number}`], `  ${digest}`],
    [
      `${formatSize(transferBytes)} to pull, ${formatSize(contentBytes)} of files, `,
      `${formatSize(shadowedBytes)} hidden above, ${formatSize(duplicateBytes)} copies`,
    ],
    ...instruction.slice(0, 3).map((each): Line => [each]),
    [
      `${entries.toLocaleString('en')} entries, ${countOf(markers, 'whiteout')}`,
      ...(layer.created === null ? [] : [`, ${escapeText(layer.created)}`]),
    ],
  ];
}

function pathDetails(state: State, path: number): readonly Line[] {
  const { contents, tree, size } = state;
  const { table, changes } = contents;
  const name = `/${displayPath(table.paths[path] as Path)}`;
  const change = changes.all[(tree.node[path] as number) - 1];
  const head: Line = [['strong', cutStart(name, size.columns - 2)]];
  const below = `${formatSize(tree.total[path] as number)} in ${countOf(tree.files[path] as number, 'file')}`;
  if (change === undefined)
    return [head, [`directory without an entry, ${below}`], ownersLine(contents, path)];
  const isFolder = change.kind === 'directory';
  const lines: readonly Line[] = [
    head,
    [attributesOf(contents, change), isFolder ? `  ${below}` : `  ${formatSize(bytesOf(contents, change))}`],
    [`layer ${change.layer}: `, ['dim', instructionOf(contents, change.layer)]],
    fateLine(state, path, change),
    ownersLine(contents, path),
    copiesLine(contents, path),
  ];
  return lines.filter((each) => each.length > 0);
}

function bytesOf({ changes: { file, size } }: Contents, { id }: Change): number {
  const carrier = file[id] as number;
  return carrier < 0 ? 0 : (size[carrier] as number);
}

/** Writes mode, owner and time (in UTC) as `ls -ln` does. */
function attributesOf({ indexes }: Contents, { kind, layer, entry }: Change): string {
  const index = indexes.get(layer);
  const mode = (index?.modes[entry] ?? 0) & 0o7777;
  const [uid, gid] = [index?.uids[entry] ?? 0, index?.gids[entry] ?? 0];
  return `${modeText({ kind, mode })}  ${uid}:${gid}  ${timeText(index?.mtimes[entry] ?? 0)}`;
}

function instructionOf({ layers }: Contents, number: number): string {
  const text = escapeText(shortInstruction(layers[number - 1]?.instruction ?? '', 500));
  return text === '' ? '(no instruction is known)' : text;
}

/** Says why a path is in the image, or which layer took it away. */
function fateLine({ contents, tree }: State, path: number, change: Change): Line {
  const until = hiddenBy(contents, path, change.id);
  const hidden = until === 0 ? 'visible in the image' : null;
  const status = statusNames[tree.status[path] as number];
  const shown = status === 'changed' ? ', replaces what layers below have' : '';
  if (hidden !== null) return [`${hidden}${shown}`];
  const stands = standsAt(contents, path);
  const word = stands ? 'replaced' : 'deleted';
  return [
    ['removed', `${word} by layer ${until}`],
    ...(until === change.layer ? [' (a later entry of its own)'] : [`: ${instructionOf(contents, until)}`]),
  ];
}

/** Returns the layer that hides a change; 0 for a visible one. */
function hiddenBy({ spans, changes }: Contents, path: number, id: number): number {
  for (let i = 0; i < spans.path.length; i++)
    if (spans.path[i] === path && spans.node[i] === id + 1) return spans.until[i] as number;
  return changes.layer[id] as number;
}

function standsAt({ spans }: Contents, path: number): boolean {
  for (let i = spans.path.length - 1; i >= 0; i--) if (spans.path[i] === path) return spans.until[i] === 0;
  return false;
}

function ownersLine({ table, ownersOf }: Contents, path: number): Line {
  const owners = ownersOf(table.paths[path] as Path);
  return owners.length === 0 ? [] : [`belongs to ${owners.map(escapeText).join(', ')}`];
}

/** Names the other layers that carry the path: a rule takes it from each. */
function copiesLine({ at, changes }: Contents, path: number): Line {
  const layers = new Set<number>();
  let bytes = 0;
  for (let i = at.start[path] as number; i < (at.start[path + 1] as number); i++) {
    const id = at.ids[i] as number;
    layers.add(changes.layer[id] as number);
    bytes += changes.size[id] as number;
  }
  if (layers.size < 2 || bytes === 0) return [];
  return [`carried by layers ${[...layers].join(', ')}: ${formatSize(bytes)} together`];
}
