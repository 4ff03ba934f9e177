/**
 * Finds the patterns that stand for a path of a trace. AppArmor sees paths without symlinks, `..` and `/proc/self`, so that a path as a
 * program wrote it may need another pattern, or several. `file-rules.ts` calls it for each path.
 */
import { type ByteString, asByteString, joinBytes } from '../../bytes/bytes.ts';
import type { NameChange, TracedPath } from '../trace.ts';
import { started } from '../traced-path.ts';
import { anywhere, literally, type Rights, rights } from './file-rule.ts';
import { looksMadeUp, outOfProc, procParts, scratchDepth, withoutNumbers } from './places.ts';

/** What an image knows about the paths of the program that was traced in it. */
export interface ProfiledImage {
  /** Returns where a path leads, through symlinks; where the image has nothing there, through those on the way. */
  readonly resolve: (path: TracedPath) => TracedPath;
  /** Whether a path without symlinks is a directory; null where the image has nothing there. */
  readonly isDirectory: (path: TracedPath) => boolean | null;
  /** Returns the program that the kernel runs a script with (`#!`); null for any other file. */
  readonly interpreter: (path: TracedPath) => TracedPath | null;
  /** The directories of its volumes, in which each container has other files. */
  readonly volumes: readonly TracedPath[];
  /** Whether its program starts as root and uses files that their modes keep from root, unless a capability overrides them. */
  readonly overridesModes: boolean;
}

/** A pattern, as the parts of a rule, and the path that it is for, without `..`. */
export interface PathPattern {
  readonly path: TracedPath;
  readonly parts: readonly string[];
}

/** The most symlinks that are followed, as in the kernel (path_resolution(7)). */
const mostLinks = 40;
/** Directories that are symlinks to those of the same name in /usr, or the other way round, in many images. */
const merged: ReadonlySet<string> = new Set(['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']);

export class PathPatterns {
  readonly #image: ProfiledImage | null;
  /** The symlinks that the run made, by path. */
  readonly #links = new Map<TracedPath, ByteString[]>();

  constructor(changes: readonly NameChange[], image: ProfiledImage | null) {
    this.#image = image;
    for (const change of changes) {
      if (change.kind !== 'symlink') continue;
      const path = joinBytes(namesOf(change.path), '/');
      const known = this.#links.get(path);
      if (known === undefined) this.#links.set(path, [change.target]);
      else known.push(change.target);
    }
  }

  /** Returns the patterns for a path that was used with these rights. */
  of(path: TracedPath, used: Rights): readonly PathPattern[] {
    return [...this.#targets(path)].map((each) => ({ path: each, parts: this.#partsOf(each, used) }));
  }

  /** Returns all paths that a path may lead to: as it is written, and through symlinks of the run and the image. */
  #targets(path: TracedPath): ReadonlySet<TracedPath> {
    const found = new Set<TracedPath>();
    const add = (each: TracedPath): void => {
      found.add(tidy(each));
      if (this.#image !== null && !isRelative(each)) found.add(tidy(this.#image.resolve(each)));
    };
    add(path);
    // The set grows while it is visited.
    if (this.#links.size > 0)
      for (const each of found) for (const other of found.size < mostLinks ? this.#led(each) : []) add(other);
    return found;
  }

  /** Yields where symlinks that the run made on the way of a path lead. */
  *#led(path: TracedPath): Generator<TracedPath> {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, Math.max(0, path.lastIndexOf('/', end - 1)));
      for (const target of this.#links.get(path.slice(0, end)) ?? [])
        yield joinBytes(
          [...(target.startsWith('/') ? [] : [above]), ...target.split('/'), path.slice(end)].filter(
            (name) => name !== '' && name !== '.',
          ),
          '/',
        );
    }
  }

  #partsOf(path: TracedPath, used: Rights): readonly string[] {
    const names = namesOf(path);
    if (isRelative(path)) return relativeParts(names.slice(1).map(literally));
    if (names[0] === 'proc') return procParts(names);
    const depth = scratchDepth(names);
    if (depth > 0 && names.slice(depth).some(looksMadeUp))
      return [...names.slice(0, depth).map(literally), '**'];
    if ((used & rights.execute) === 0) {
      const volume = this.#image?.volumes.find((each) => path.startsWith(`${each}/`));
      if (volume !== undefined) return [...namesOf(volume).map(literally), '**'];
    }
    if (names[0] === 'dev' && names[1] === 'pts' && names.length === 3) return ['dev', 'pts', '*'];
    // The next run may choose another number where this one wrote.
    const isWritten = (used & rights.write) !== 0;
    return this.#withOtherHomes(names, names.map(isWritten ? withoutNumbers : literally));
  }

  /** Without an image, it is not known which of /bin and /usr/bin, /run and /var/run is the symlink. */
  #withOtherHomes(names: readonly ByteString[], parts: readonly string[]): readonly string[] {
    if (this.#image !== null) return parts;
    const [first = '', second = ''] = names;
    if (first === 'usr' && merged.has(second)) return [`{,usr/}${second}`, ...parts.slice(2)];
    if (merged.has(first)) return [`{,usr/}${first}`, ...parts.slice(1)];
    if (first === 'var' && second === 'run') return ['{,var/}run', ...parts.slice(2)];
    return first === 'run' ? ['{,var/}run', ...parts.slice(1)] : parts;
  }
}

/** Returns a path as AppArmor sees it, as far as its text tells. */
function tidy(path: TracedPath): TracedPath {
  return joinBytes(outOfProc(namesOf(path)), '/');
}

/** Whether a path counts from the directory in which the program was started, which the trace did not show. */
function isRelative(path: TracedPath): boolean {
  return path === started || path.startsWith(`${started}/`);
}

/** Writes a path below a directory that is not known. */
function relativeParts(parts: readonly string[]): readonly string[] {
  const [first, ...rest] = parts;
  return first === undefined ? ['**'] : [`${anywhere}${first}`, ...rest];
}

/** Returns the names of a path, in which `..` is resolved as text. */
export function namesOf(path: TracedPath): readonly ByteString[] {
  const names: ByteString[] = [];
  for (const name of path.split('/'))
    if (name === '..') {
      if (names.at(-1) !== started) names.pop();
    } else if (name !== '' && (name !== '.' || names.length === 0)) names.push(asByteString(name));
  return names;
}
