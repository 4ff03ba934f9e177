/**
 * Findings about visible files with the same contents: one for those of each layer that hard links can replace, and one for all others.
 * A row of the table in `all.ts`.
 */
import { baseOf, type Path, parentOf, quotePath } from '../../bytes/path.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { WasteFinding } from '../analysis.ts';
import type { Duplicate } from '../duplicates.ts';
import { counted, type FindingContext, leastBytes, nameLayer, Places, sizeOf } from './finding.ts';

/** Files with the same contents, and the heaviest of them with what it repeats. */
interface Repeated {
  readonly places: Places;
  example: { readonly path: Path; readonly original: Path; readonly bytes: number } | null;
}

export function* duplicateFindings(context: FindingContext): Steps<readonly WasteFinding[]> {
  const findings: WasteFinding[] = [];
  const others: Repeated = { places: new Places(), example: null };
  for (const layer of context.indexes.keys()) {
    const linkable: Repeated = { places: new Places(), example: null };
    let seen = 0;
    for (const duplicate of context.duplicates.of(layer)) {
      if (++seen % itemsPerStep === 0) yield;
      add(context, layer, duplicate, isLinkable(context, layer, duplicate) ? linkable : others);
    }
    if (linkable.places.bytes >= leastBytes) findings.push(linkableFinding(context, layer, linkable));
  }
  if (others.places.bytes >= leastBytes) findings.push(otherFinding(context, others));
  return findings;
}

function add(context: FindingContext, layer: number, { entry, before }: Duplicate, to: Repeated): void {
  const path = context.indexes.get(layer)?.paths[entry] as Path;
  const bytes = sizeOf(context.indexes, layer, entry);
  to.places.add(parentOf(path), bytes, layer);
  if (to.example !== null && to.example.bytes >= bytes) return;
  to.example = { path, original: context.indexes.get(before.layer)?.paths[before.entry] as Path, bytes };
}

/** Tells whether a hard link could stand for the file, as far as the headers tell: the same layer, owner, mode and time. */
function isLinkable({ indexes }: FindingContext, layer: number, { entry, before }: Duplicate): boolean {
  if (before.layer !== layer) return false;
  const { uids, gids, modes, mtimes } = indexes.get(layer) as LayerIndex;
  return [uids, gids, modes, mtimes].every((column) => column[entry] === column[before.entry]);
}

function linkableFinding(
  context: FindingContext,
  layer: number,
  { places, example }: Repeated,
): WasteFinding {
  return {
    kind: 'duplicates',
    bytes: places.bytes,
    files: places.files,
    layer,
    by: null,
    why: `${nameLayer(context, layer)} has ${counted(places.files, 'file')} twice or more, with the same owner, mode and time${exampleOf(example)}`,
    places: places.heaviest(),
    dockerfile: 'Link the copies (ln, cp --link), or remove all but one, in the same instruction.',
    command: ['prune', '--shadowed', '--dedupe-hardlink', '--layers', String(layer)],
  };
}

function otherFinding(context: FindingContext, { places, example }: Repeated): WasteFinding {
  const layer = places.heaviestLayer;
  const most =
    layer === null || places.layer !== null ? '' : `, most of them in ${nameLayer(context, layer)}`;
  const where = places.layer === null ? '' : ` in ${nameLayer(context, places.layer)}`;
  return {
    kind: 'duplicates',
    bytes: places.bytes,
    files: places.files,
    layer: places.layer,
    by: null,
    why: `${counted(places.files, 'file')}${where} ${places.files === 1 ? 'has' : 'have'} the contents of another visible file${most}${exampleOf(example)}`,
    places: places.heaviest(),
    dockerfile: 'Keep one copy and link or point the others to it.',
    command: null,
  };
}

function exampleOf(example: Repeated['example']): string {
  if (example === null) return '';
  const { path, original } = example;
  const same = baseOf(path) === baseOf(original) ? quotePath(parentOf(original)) : quotePath(original);
  return `: ${quotePath(path)} is also in ${same}`;
}
