/**
 * Makes unified diffs of small texts that differ between two images. `diff-pair.ts` calls it after files were compared, and it reads the
 * layers concerned once more.
 */
import { isUtf8 } from 'node:buffer';
import type { FileChange } from '../../analyze/diff/image-diff.ts';
import { parentOf, type Path } from '../../bytes/path.ts';
import { type Image, layerOf } from '../../image/image.ts';
import type { Digest } from '../../oci/digest.ts';
import { inTurns, type Steps } from '../../steps.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { KiB, MiB } from '../../units.ts';
import type { RootfsPair } from './compare-rootfs.ts';
import type { FileList } from './diff-files.ts';
import type { LayerDigester, SideName } from './layer-digester.ts';
import type { Rootfs } from './rootfs.ts';

/** The largest file that is shown, and the most bytes that are held of all. */
const largestText = 64 * KiB;
const mostBytes = 64 * MiB;
/** The most lines that a diff may add and remove. Finding it takes up to the square of this. */
const mostEdits = 4096;

/** Two images, with what was found in them. */
export interface PatchedPair {
  readonly images: Readonly<Record<SideName, Image>>;
  readonly rootfs: RootfsPair;
  readonly files: FileList;
}

interface PatchContext {
  readonly digester: LayerDigester;
  readonly jobs: number;
  readonly signal: AbortSignal;
}

/** Where the contents of a file are. */
interface Spot {
  readonly side: SideName;
  readonly layer: number;
  readonly entry: number;
}

/** Where the contents of a file of both sides are; null where a side lacks the file. */
interface Spots {
  readonly a: Spot | null;
  readonly b: Spot | null;
}

/** Returns the changes of a list, those of small texts with a unified diff. Other files have their sizes and digests. */
export async function withPatches(
  { images, rootfs, files }: PatchedPair,
  { digester, jobs, signal }: PatchContext,
): Promise<readonly FileChange[]> {
  const chosen = chooseTexts(rootfs, files);
  if (chosen.size === 0) return files.changes;
  const spots = [...chosen.values()].flatMap(({ a, b }) => [a, b]).filter((spot) => spot !== null);
  const layers = [...Map.groupBy(spots, (spot) => diffIdOf(images, spot))];
  const read = await mapParallel(layers, jobs, signal, async ([diffId, found], _, inner) => {
    const [{ side, layer }] = found as [Spot];
    const wanted = new Set(found.map(({ entry }) => entry));
    return [
      diffId,
      await digester.contents({ side, image: images[side], number: layer }, wanted, inner),
    ] as const;
  });
  const contents = new Map<Digest, ReadonlyMap<number, Uint8Array>>(read);
  const textOf = (spot: Spot) => textIn(contents.get(diffIdOf(images, spot))?.get(spot.entry));
  const patchOfOne = (path: Path, { a, b }: Spots): string | null => {
    const text = a === null ? b && textOf(b) : textOf(a);
    return text === null ? null : onePatch(a === null ? 'b' : 'a', path, text);
  };
  const { formatPatch, OMIT_HEADERS, structuredPatch } = await import('diff');
  const patchOf = (path: Path, before: string, after: string): string | null => {
    const options = { context: 3, maxEditLength: mostEdits };
    const made = structuredPatch('', '', before, after, '', '', options);
    if (made === undefined) return null;
    return `--- ${nameIn('a', path)}\n+++ ${nameIn('b', path)}\n${formatPatch(made, OMIT_HEADERS)}`;
  };
  const patchAt = (path: Path, { a, b }: Spots): string | null => {
    if (a === null || b === null) return patchOfOne(path, { a, b });
    const [before, after] = [textOf(a), textOf(b)];
    return before === null || after === null ? null : patchOf(path, before, after);
  };
  function* steps(): Steps<readonly FileChange[]> {
    const changes: FileChange[] = [];
    for (const [i, change] of files.changes.entries()) {
      const spot = chosen.get(i);
      if (spot !== undefined) yield;
      const patch = spot === undefined ? null : patchAt(change.path, spot);
      changes.push(patch === null ? change : { ...change, patch });
    }
    return changes;
  }
  return inTurns(steps(), signal);
}

/** Chooses the files that may be small texts, by position in the list; those that both sides have come first, if not all can be held. */
function chooseTexts(rootfs: RootfsPair, { changes, ids }: FileList): ReadonlyMap<number, Spots> {
  const chosen = new Map<number, Spots>();
  // A patch makes no directory where something else is, so what is new in it has none. Directories come before what is in them.
  const remade = new Set(
    changes.flatMap(({ path, a, b }) =>
      b?.kind === 'directory' && a !== null && a.kind !== b.kind ? [path] : [],
    ),
  );
  let held = 0;
  for (const isOfBoth of [true, false])
    for (const [i, { path, change, a, b }] of changes.entries()) {
      if (!isOfBoth && remade.has(parentOf(path))) {
        remade.add(path);
        continue;
      }
      if (change === 'attributes' || (change === 'changed') !== isOfBoth) continue;
      if ([a, b].some((state) => state !== null && (state.kind !== 'file' || state.bytes > largestText)))
        continue;
      const spotAt = (side: SideName) => spotOf(side, rootfs[side], ids[i] as number);
      const spots = { a: a && spotAt('a'), b: b && spotAt('b') };
      if ((a !== null && spots.a === null) || (b !== null && spots.b === null)) continue;
      held += (a?.bytes ?? 0) + (b?.bytes ?? 0);
      if (held > mostBytes) return chosen;
      chosen.set(i, spots);
    }
  return chosen;
}

/** Returns where the contents of a file are; null for a sparse one, whose body is not its contents. */
function spotOf(side: SideName, rootfs: Rootfs, id: number): Spot | null {
  const place = rootfs.placeOf(id);
  return place === null || rootfs.traitsOf(id)?.stored !== 'plain' ? null : { side, ...place };
}

function diffIdOf(images: PatchedPair['images'], { side, layer }: Spot): Digest {
  return layerOf(images[side], layer).diffId;
}

/** Returns the text of a file; null for one that is binary, or was not read. */
function textIn(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined || bytes.includes(0) || !isUtf8(bytes)) return null;
  return Buffer.from(bytes).toString('utf8');
}

/** Makes the patch of a file that one side alone has; null for an empty one, of which a patch has no line. */
function onePatch(side: SideName, path: Path, text: string): string | null {
  if (text === '') return null;
  const lines = text.split('\n');
  const isOpen = lines.at(-1) !== '';
  if (!isOpen) lines.pop();
  const [mark, from, to] =
    side === 'a' ? ['-', nameIn('a', path), '/dev/null'] : ['+', '/dev/null', nameIn('b', path)];
  const ranges = side === 'a' ? `-1,${lines.length} +0,0` : `-0,0 +1,${lines.length}`;
  const body = lines.map((line) => `${mark}${line}\n`).join('');
  return `--- ${from}\n+++ ${to}\n@@ ${ranges} @@\n${body}${isOpen ? '\\ No newline at end of file\n' : ''}`;
}

/**
 * Returns a name for the head of a patch, as git writes it: quoted as in C where it holds a quote, a backslash or anything but plain
 * ASCII; with a tab behind it where it holds a space, since GNU patch ends a name there.
 */
function nameIn(side: SideName, path: Path): string {
  const name = `${side}/${path}`;
  if (/^[\x20-\x7e]*$/.test(name) && !/["\\]/.test(name)) return name.includes(' ') ? `${name}\t` : name;
  const quoted = name.replace(/["\\]/g, '\\$&').replace(/[^\x20-\x7e]/g, octal);
  return `"${quoted}"`;
}

function octal(byte: string): string {
  return `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`;
}
