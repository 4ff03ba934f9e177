/**
 * Follows the names of a trace through what the traced run itself made: symlinks, hard links, renamed files and directories, bind
 * mounts. `close-image.ts` adds to the trace the paths of the image that such names led to.
 *
 * Order and time do not count: a name may have led to whatever the run ever put there, and to what the image has there. So the
 * result holds too much rather than too little, also for runs that were merged, and for processes that ran at the same time.
 */
import { type ByteString, ascii, asByteString } from '../bytes/bytes.ts';
import { cleanPath, join, type Path, parentOf, root } from '../bytes/path.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import { atOnce, type Steps } from '../steps.ts';
import { addUses, type NameChange, type Trace, type TracedPath, type Uses, uses } from '../trace/trace.ts';

/** What of an image is asked here. */
export type ImageNames = Pick<Filesystem, 'kind' | 'target' | 'resolve'>;

/** Names that are followed between two pauses. */
const namesPerStep = 1024;
/** The uses of a path itself, where it is a symlink, and those that tell of what is missing, too. */
const atLink = uses.link | uses.failLink;
const failed = uses.fail | uses.failLink;

/** The most symlinks that Linux follows in one walk (fs/namei.c, MAXSYMLINKS). */
const maxLinks = 40;
/** The most places that one name is taken to lead to. */
const maxPlaces = 64;
/** The longest path in bytes that is taken for a place of the image. */
const longest = 1024;
/** The most paths whose places are remembered. */
const mostKnown = 100_000;
/** The most steps of the walks of one name. */
const maxSteps = 512;
/** The most rounds in which changes whose own names lead through other changes are placed. */
const maxRounds = 8;

/** Returns the trace with the paths of the image that its names led to by changes of names. */
export function followChanges(image: ImageNames, trace: Trace): Trace {
  return atOnce(followSteps(image, trace));
}

/** Follows the names of a trace in steps. */
export function* followSteps(image: ImageNames, trace: Trace): Steps<Trace> {
  if (trace.changes.length === 0) return trace;
  const names = new ChangedNames(image, []);
  yield* names.placeSteps(trace.changes);
  let seen = 0;
  const paths = new Map<TracedPath, Uses>(trace.paths);
  const add = (path: Path, bits: Uses): void => {
    if (path !== root && bits !== 0) addUses(paths, path, bits);
  };
  for (const [name, used] of trace.paths) {
    if (++seen % namesPerStep === 0) yield;
    if (!names.concern(name)) continue;
    // Which of the files that had this name was replaced, the trace does not tell.
    const bits = used & ~uses.replaced;
    if (bits !== used) addUses(paths, name, bits);
    const itself = (bits & atLink) !== 0;
    if (itself) for (const found of names.find(name, { follow: false })) addFound(image, found, bits, add);
    if (itself && (bits & ~(atLink | uses.write)) === 0) continue;
    for (const found of names.find(name, { follow: true })) addFound(image, found, bits & ~atLink, add);
  }
  return { ...trace, paths };
}

/** Adds a place of the image. One that the image does not have tells where something was made, or what was in the way. */
function addFound(
  image: ImageNames,
  { path, isLink }: FoundName,
  bits: Uses,
  add: (path: Path, bits: Uses) => void,
): void {
  if (isLink || image.kind(path) === 'symlink') add(path, uses.link);
  else if (image.kind(path) !== null || (bits & (uses.write | failed)) !== 0) add(path, bits);
}

/** A place of the image that a name may have led to. */
export interface FoundName {
  /** A literal path of the image, which may not have it. */
  readonly path: Path;
  /** Whether it is a symlink of the image on the way. */
  readonly isLink: boolean;
}

/** Where a walk is. */
interface Step {
  /** The path by the names of the run, free of symlinks. */
  readonly at: Path;
  /** The names that are still ahead, the next one last. */
  readonly ahead: readonly ByteString[];
  readonly links: number;
}

/** The names of an image after changes that a run made. */
export class ChangedNames {
  readonly #image: ImageNames;
  /** What else a path has been, by path free of symlinks. */
  readonly #moved = new Map<Path, Set<Path>>();
  /** The targets of the symlinks that the run made, by path free of symlinks. */
  readonly #made = new Map<Path, Set<ByteString>>();
  /** All directories above changed paths, and the paths. */
  readonly #touched = new Set<Path>();
  /** Places that were computed since the last change, by path. Names share most of their ways. */
  readonly #knownPlaces = new Map<Path, readonly Path[]>();

  constructor(image: ImageNames, changes: readonly NameChange[]) {
    this.#image = image;
    atOnce(this.placeSteps(changes));
  }

  /** Takes further changes, in steps. */
  *placeSteps(changes: readonly NameChange[]): Steps<void> {
    // A change may lead through another one that came later in the trace of another process.
    for (let round = 0, grew = true; grew && round < maxRounds; round++) {
      grew = false;
      for (const [i, change] of changes.entries()) {
        grew = this.#place(change) || grew;
        if (i % namesPerStep === namesPerStep - 1) yield;
      }
    }
  }

  /** Returns whether any change concerns a name. */
  concern(name: ByteString): boolean {
    const { path, links, missing } = this.#image.resolve(name);
    // Of a name that the image does not have, the rest may be what the run made below.
    if (missing !== null && this.#touched.has(missing)) return true;
    return [path ?? missing ?? root, ...links].some((each) => this.#isChanged(each));
  }

  /** Returns whether a path, or a directory above it, was changed. */
  #isChanged(path: Path): boolean {
    for (let at = path; at !== root; at = parentOf(at))
      if (this.#moved.has(at) || this.#made.has(at)) return true;
    return false;
  }

  /**
   * Returns the places of the image that a name may lead to by the changes, and the symlinks of the image on those ways. A name
   * that no change concerns leads to its own place only.
   */
  find(name: ByteString, { follow }: { readonly follow: boolean }): readonly FoundName[] {
    const links = new Set<Path>();
    const places = new Set<Path>();
    for (const at of this.#walk(name, follow, links)) for (const place of this.#places(at)) places.add(place);
    return [
      ...[...links].map((path) => ({ path, isLink: true })),
      ...[...places].map((path) => ({ path, isLink: false })),
    ];
  }

  /** Takes one change. Returns whether it told something new. */
  #place(change: NameChange): boolean {
    let isNew = false;
    const note = <T>(map: Map<Path, Set<T>>, at: Path, item: T): void => {
      const known = map.get(at) ?? new Set<T>();
      if (known.has(item)) return;
      isNew = true;
      this.#knownPlaces.clear();
      map.set(at, known.add(item));
      for (let path = at; path !== root && !this.#touched.has(path); path = parentOf(path))
        this.#touched.add(path);
    };
    for (const at of this.#walk(change.path, false, new Set())) {
      if (at === root) continue;
      if (change.kind === 'symlink') note(this.#made, at, change.target);
      else for (const from of this.#sources(change.from)) if (from !== at) note(this.#moved, at, from);
    }
    return isNew;
  }

  /** Returns where a renamed name was. Names that were only made by the run and lead to nothing of the image are left out. */
  #sources(name: ByteString): readonly Path[] {
    return [...this.#walk(name, false, new Set())].filter(
      (from) =>
        from !== root &&
        (this.#touched.has(from) || this.#places(from).some((place) => this.#image.kind(place) !== null)),
    );
  }

  /** Returns the paths free of symlinks that a name may lead to, by the names of the run. Adds symlinks of the image to `links`. */
  #walk(name: ByteString, follow: boolean, links: Set<Path>): ReadonlySet<Path> {
    const ends = new Set<Path>();
    const seen = new Set<string>();
    const steps: Step[] = [{ at: root, ahead: namesOf(name), links: 0 }];
    // An array yields what is added to it meanwhile: ways over few symlinks come first, so that the bounds cut off others.
    for (const step of steps) {
      const key = `${step.at}\0${step.ahead.join('/')}`;
      if (seen.has(key) || seen.size > maxSteps) continue;
      seen.add(key);
      if (step.ahead.length === 0) {
        if (ends.size < maxPlaces) ends.add(step.at);
        continue;
      }
      for (const next of this.#step(step, follow, links)) steps.push(next);
    }
    return ends;
  }

  /** Goes one name further, to all places where it may lead. */
  #step({ at, ahead, links }: Step, follow: boolean, passed: Set<Path>): readonly Step[] {
    const rest = ahead.slice(0, -1);
    const name = ahead.at(-1) as ByteString;
    if (name === '..') return [{ at: parentOf(at), ahead: rest, links }];
    const next = join(at, name);
    const isFollowed = rest.length > 0 || follow;
    const steps: Step[] = [];
    // What the image has as a symlink, and no change concerns, is nothing else.
    if (!isFollowed || this.#image.kind(next) !== 'symlink' || this.#isChanged(next))
      steps.push({ at: next, ahead: rest, links });
    if (!isFollowed || links === maxLinks) return steps;
    for (const target of this.#targets(next, passed)) {
      const start = target.startsWith('/') ? root : at;
      steps.push({ at: start, ahead: [...rest, ...namesOf(target)], links: links + 1 });
    }
    return steps;
  }

  /** Returns where a path may lead if it is a symlink: one of the image, or one that the run made. */
  #targets(at: Path, passed: Set<Path>): ReadonlySet<ByteString> {
    const targets = new Set<ByteString>();
    for (const place of this.#places(at)) {
      for (const made of this.#made.get(place) ?? []) targets.add(made);
      const target = this.#image.target(place);
      if (target === null) continue;
      passed.add(place);
      targets.add(target);
    }
    return targets;
  }

  /** Returns all paths under which the image, or the run, may have had what is at a path. The path itself comes first. */
  #places(at: Path): readonly Path[] {
    const known = this.#knownPlaces.get(at);
    if (known !== undefined) return known;
    const places = this.#findPlaces(at);
    if (this.#knownPlaces.size >= mostKnown) this.#knownPlaces.clear();
    this.#knownPlaces.set(at, places);
    return places;
  }

  #findPlaces(at: Path): readonly Path[] {
    const places = new Set<Path>([at]);
    // A set yields what is added to it meanwhile.
    for (const place of places) {
      for (let above = place; above !== root; above = parentOf(above))
        for (const from of this.#moved.get(above) ?? []) {
          if (places.size >= maxPlaces) return [...places];
          // Moves in circles would make longer and longer paths of one.
          if (from.length + place.length - above.length > longest) continue;
          places.add(
            above === place ? from : cleanPath(ascii`${from}${asByteString(place.slice(above.length))}`),
          );
        }
    }
    return [...places];
  }
}

/** Returns the names of a path, the first one last. */
function namesOf(path: ByteString): readonly ByteString[] {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .reverse();
}
