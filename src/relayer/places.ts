/**
 * Knows the directories in which an image keeps things that have nothing to do with each other. Trees of files begin below them;
 * `trees.ts` and `path-claims.ts` ask.
 */
import { parentOf, type Path } from '../bytes/path.ts';

const shared =
  /^(?:|bin|boot|data|etc|home|lib(?:32|64|x32)?|media|mnt|opt|root|sbin|srv|(?:usr|usr\/local|\.local)(?:\/(?:bin|sbin|lib(?:32|64|exec)?|share|include|src|etc))?|(?:usr\/)?lib\/[^/]+-linux-[^/]+|var|var\/(?:lib|opt|www|spool))$/;

/** Tells whether a directory is one of those that many programs share. */
export function isShared(directory: Path): boolean {
  return shared.test(directory);
}

/** Returns the highest directory above a path that is not shared; for a file in a shared one, that directory. */
export function placeOf(path: Path): Path {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    const directory = path.slice(0, at) as Path;
    if (!isShared(directory)) return directory;
  }
  return parentOf(path);
}
