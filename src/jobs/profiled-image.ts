/**
 * What an image tells a profile of its program: where names lead, what is a directory, what runs a script, which directories are volumes. `trace apparmor` and
 * `slim --record` ask.
 */
import { type ByteString, noBytes, utf8Bytes } from '../bytes/bytes.ts';
import { cleanPath, type Path } from '../bytes/path.ts';
import { readInterpreter } from '../closure/rules/script.ts';
import type { Runtime } from '../oci/runtime.ts';
import type { FileFacts } from '../rootfs/facts/facts.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
import type { ProfiledImage } from '../trace/apparmor/path-patterns.ts';
import { type Trace, type TracedPath, type Uses, uses } from '../trace/trace.ts';
import { tracedPath } from '../trace/traced-path.ts';

/** The most symlinks and missing directories of one name that are followed. */
const mostSteps = 40;

/** Permission bits of one class of users. */
const read = 4;
const write = 2;

/** Returns what the image of a trace tells, in steps. The paths of the trace must count from the root: see `placeTrace`. */
export function* profiledImageSteps(
  { fs, facts }: { readonly fs: Filesystem; readonly facts: Pick<FileFacts, 'script'> },
  { volumes, user }: Pick<Runtime, 'volumes' | 'user'>,
  trace: Pick<Trace, 'paths'>,
): Steps<ProfiledImage> {
  return {
    resolve: (path) => leadsTo(fs, path, 0),
    isDirectory: (path) => {
      const kind = fs.kind(cleaned(path));
      return kind === null ? null : kind === 'directory';
    },
    interpreter: (path) => {
      const found = fs.resolve(path).path;
      const line = found === null ? null : facts.script(found);
      return line === null ? null : tracedPath(noBytes, readInterpreter(line).interpreter);
    },
    volumes: volumes.flatMap((volume) => tracedPath(noBytes, utf8Bytes(volume)) || []),
    overridesModes: isRoot(user) && (yield* overrides(fs, trace.paths)),
  };
}

/** Returns where a name leads. What the image does not have leads where its directory does, and a dangling symlink to its target. */
function leadsTo(fs: Filesystem, path: TracedPath, steps: number): TracedPath {
  const found = fs.resolve(path).path;
  if (found !== null) return found;
  if (steps >= mostSteps) return path;
  const slash = path.lastIndexOf('/');
  const above = slash < 0 ? noBytes : leadsTo(fs, path.slice(0, slash), steps + 1);
  const literal = tracedPath(above, path.slice(slash + 1)) ?? path;
  const target = fs.target(cleaned(literal));
  return target === null ? literal : leadsTo(fs, tracedPath(above, target) ?? literal, steps + 1);
}

/** Returns a path as the file system knows it; that of the root for one with `..`, which it does not know. */
function cleaned(path: ByteString): Path {
  return path.split('/').includes('..' as ByteString) ? cleanPath(noBytes) : cleanPath(path);
}

function isRoot(user: string): boolean {
  return ['', '0', 'root'].includes(user.split(':', 1)[0] ?? '');
}

/** Returns whether some file was used in a way that its mode does not allow root without the capability to override modes. */
function* overrides(fs: Filesystem, paths: Trace['paths']): Steps<boolean> {
  let seen = 0;
  for (const [path, bits] of paths) {
    if (++seen % itemsPerStep === 0) yield;
    const { path: found, missing } = fs.resolve(path);
    if (found !== null ? lacks(fs, found, wanted(bits)) : creates(bits) && lacksAbove(fs, missing))
      return true;
  }
  return false;
}

function wanted(bits: Uses): number {
  return ((bits & (uses.open | uses.list)) === 0 ? 0 : read) | (creates(bits) ? write : 0);
}

function creates(bits: Uses): boolean {
  return (bits & uses.write) !== 0;
}

function lacksAbove(fs: Filesystem, missing: Path | null): boolean {
  return missing !== null && lacks(fs, fs.nearestDirectory(missing), write);
}

/** Returns whether the mode of a file refuses root a use: as its owner, as a member of its group, or as another user. */
function lacks(fs: Filesystem, path: Path, use: number): boolean {
  const shift = fs.uid(path) === 0 ? 6 : fs.gid(path) === 0 ? 3 : 0;
  return ((fs.mode(path) >> shift) & use) !== use;
}
