/**
 * Files that hold the times of other files, and are of no use once these are others. `adopt-noise.ts` asks for each that differs from the
 * one of the previous version: then the files that it tells of keep their times.
 */
import type { Path } from '../../bytes/path.ts';

/** A kind of file that holds times of others, by the names of both. */
interface Witness {
  readonly itself: RegExp;
  readonly others: RegExp;
}

const witnesses: readonly Witness[] = [
  // fontconfig reads all fonts again where a directory has another time than its cache says.
  {
    itself: /^var\/cache\/fontconfig\/[^/]+\.cache-\d+$/,
    others:
      /^(?:usr\/(?:local\/)?(?:share|lib|X11R6\/lib\/X11)\/(?:[^/]+\/)*fonts|(?:root|home\/[^/]+)\/\.(?:fonts|local\/share\/fonts))(?:\/|$)/,
  },
  // Java leaves out a shared archive of classes where a jar or the modules of its runtime have another time.
  { itself: /\.jsa$/, others: /(?:\.jar|\/lib\/modules)$/ },
  // Bootsnap compiles again what has another time.
  { itself: /(?:^|\/)tmp\/cache\/bootsnap[^/]*\//, others: /\.(?:rb|ya?ml|json)$/ },
];

/** Collects which files must keep their times. */
export class TimeWitnesses {
  readonly #found = new Set<Witness>();

  /** Takes a file that is not that of the previous version. */
  note(path: Path): void {
    for (const witness of witnesses) if (witness.itself.test(path)) this.#found.add(witness);
  }

  /** Tells whether a file that was noted holds the time of this one. */
  holdsTimeOf(path: Path): boolean {
    for (const { others } of this.#found) if (others.test(path)) return true;
    return false;
  }
}
