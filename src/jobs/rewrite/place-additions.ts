/**
 * Finds where new layers go in what an image has: through its symlinks, into its directories. The
 * resolution of plans calls it, with the headers of the layers below.
 */
import { findRedirects, type LinkView } from '../../build/redirects.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { stackSteps } from '../../changeset/stack.ts';
import { baseOf, join, type Path, parentOf, quotePath, root } from '../../bytes/path.ts';
import { OcislimError } from '../../errors.ts';
import { type Addition, ancestors, dependsOnImage, type Placement } from '../../image/addition.ts';
import { type Image, nameOfImage, numbersIn } from '../../image/image.ts';
import { type Filesystem, mergeStack } from '../../rootfs/filesystem.ts';
import type { ResolvedContent } from '../../slim/resolve/resolve.ts';
import { inTurns } from '../../steps.ts';

/** Returns the layers whose headers decide where new layers go: all, or none. */
export function layersToPlaceOn({ plan, manifest }: Image): readonly number[] {
  const depends = plan.layers.some(
    ({ content }) => content.kind === 'added' && dependsOnImage(content.addition),
  );
  return depends ? numbersIn({ from: 1, to: manifest.layers.length }) : [];
}

/**
 * Places the new layers of an image. What one of them makes is there for those above it. `indexes` has all layers of the image.
 * @throws LAYER_INVALID, UNSUPPORTED where a file of the image is in the way
 */
export async function placeAdditions(
  image: Image,
  contents: readonly ResolvedContent[],
  indexes: ReadonlyMap<number, LayerIndex>,
  signal: AbortSignal,
): Promise<readonly ResolvedContent[]> {
  if (layersToPlaceOn(image).length === 0) return contents;
  const sorted = new Map([...indexes].sort(([a], [b]) => a - b));
  const files = mergeStack(await inTurns(stackSteps(sorted), signal), sorted);
  const made = new Set<Path>();
  return contents.map((content) => {
    if (content.kind !== 'added' || !dependsOnImage(content.addition)) return content;
    const placement = placeOn(new Place(files, made, nameOfImage(image)), content.addition);
    for (const path of [...ancestors(placement.destination), placement.destination]) made.add(path);
    return { ...content, placement };
  });
}

/** What an image has, and the directories that new layers below have made. */
class Place implements LinkView {
  readonly #files: Filesystem;
  readonly #made: ReadonlySet<Path>;
  readonly #name: string;

  constructor(files: Filesystem, made: ReadonlySet<Path>, name: string) {
    this.#files = files;
    this.#made = made;
    this.#name = name;
  }

  /** Returns where a name leads. What the image lacks is where the directory above it leads. @throws UNSUPPORTED */
  lead(path: Path): Path {
    if (path === root) return root;
    const { path: found, missing } = this.#files.resolve(path);
    if (found !== null) return found;
    if (missing !== null && this.#files.kind(missing) !== null)
      throw new OcislimError(
        'UNSUPPORTED',
        `nothing can be put at ${quotePath(path)}: in ${this.#name}, ${quotePath(missing)} is a ${this.#files.kind(missing)}`,
        { advice: 'Name another path in the image.' },
      );
    return join(this.lead(parentOf(path)), baseOf(path));
  }

  /** Returns the kind of what the image has at a path: "file". Null for a directory, and where it has nothing. */
  other(path: Path): string | null {
    const kind = this.isDirectory(path) ? null : this.#files.kind(path);
    return kind === 'directory' ? null : kind;
  }

  /** Refuses a directory where the image has something else. @throws UNSUPPORTED */
  requireDirectory(path: Path): void {
    const kind = this.other(path);
    if (kind === null) return;
    throw new OcislimError(
      'UNSUPPORTED',
      `no directory can be put at ${quotePath(path)}: in ${this.#name}, it is a ${kind}`,
      { advice: 'Name another path in the image.' },
    );
  }

  isDirectory(path: Path): boolean {
    return path === root || this.#made.has(path) || this.#files.kind(path) === 'directory';
  }

  *symlinks(directory: Path): Generator<Path> {
    for (const path of this.#files.below(directory)) if (this.#files.kind(path) === 'symlink') yield path;
  }

  directoryAt(link: Path): Path | null {
    const { path } = this.#files.resolve(link);
    return path !== null && this.#files.kind(path) === 'directory' ? path : null;
  }
}

function placeOn(place: Place, addition: Addition): Placement {
  const { kind, into, name, follows } = addition;
  let destination = place.lead(addition.destination);
  if (kind !== 'file' || into) place.requireDirectory(destination);
  const isInside = kind === 'file' && (into || place.isDirectory(destination));
  if (isInside) destination = join(destination, name);
  const above = ancestors(destination);
  return {
    destination,
    exists: place.isDirectory(destination),
    made: above.filter((path) => !place.isDirectory(path)),
    redirects: follows ? findRedirects(addition.path, destination, place) : [],
  };
}
