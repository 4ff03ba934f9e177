/**
 * The rule for what the trace saw: the paths in use, and what made calls fail. `program.ts` lists it, and all other rules follow from
 * what it keeps.
 */
import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { type Uses, uses } from '../../trace/trace.ts';
import { MiB } from '../../units.ts';
import { placeOfReplaced } from '../replaced.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import type { ClosureRule, Need } from '../rule.ts';

/** Keeps the paths that the trace saw in use. All other rules follow from these. */
export const traceRule: ClosureRule = {
  name: 'trace',
  describe:
    'Every path in the image that the trace saw in use, also by the names that the run itself gave it (rename, link, symlink, bind mount). For a listed directory, only the directory (see `listed`); for a symlink that was only read, only the symlink; for a created file that the image does not have, its directory; the same for a file that the run emptied before anything else, and that the user of the image can create; for a call that failed, what made it fail.',
  reads: (path) => (path === 'etc/passwd' ? MiB : 0),
  *roots(context) {
    const { fs, trace } = context;
    for (const path of [...trace.paths.keys()].sort()) {
      const bits = trace.paths.get(path) ?? 0;
      const detail = describeUses(bits);
      const place = placeOfReplaced(path, bits, context);
      if (place !== null) {
        yield { path: place, detail: ascii`a file in it was replaced` };
        continue;
      }
      // lstat(2) or readlink(2): the program used the symlink itself.
      if ((bits & uses.link) !== 0) yield { path, detail, itself: true };
      yield* failuresOf(fs, path, bits);
      if ((bits & ~(uses.link | uses.fail | uses.failLink)) === 0) continue;
      yield { path, detail };
      if ((bits & uses.write) === 0) continue;
      const { missing } = fs.resolve(path);
      if (missing !== null)
        yield { path: fs.nearestDirectory(missing), detail: ascii`something was created in it` };
    }
  },
};

/**
 * Yields what made calls fail: the path, or what they met on the way to one that the image does not have (a file in place of a
 * directory, a loop, a directory).
 */
function* failuresOf(fs: Filesystem, path: ByteString, bits: Uses): Generator<Need> {
  for (const [bit, follow] of [
    [uses.fail, true],
    [uses.failLink, false],
  ] as const) {
    if ((bits & bit) === 0) continue;
    const detail = ascii`a call failed for it`;
    yield { path, detail, itself: !follow, strength: 'whole' };
    const { missing } = fs.resolve(path, { follow });
    if (missing === null) continue;
    const isThere = fs.kind(missing) !== null;
    yield {
      path: isThere ? missing : fs.nearestDirectory(missing),
      detail,
      itself: isThere,
      strength: 'whole',
    };
  }
}

/** Returns the strongest use in words. */
function describeUses(bits: Uses): ByteString {
  const words = (
    [
      [uses.exec, ascii`executed`],
      [uses.open, ascii`opened`],
      [uses.write, ascii`written`],
      [uses.list, ascii`listed`],
      [uses.connect, ascii`connected to`],
      [uses.stat, ascii`looked at`],
      [uses.link, ascii`read as a symlink`],
      [uses.fail | uses.failLink, ascii`a call failed for it`],
    ] as const
  ).filter(([bit]) => (bits & bit) !== 0);
  return words[0]?.[1] ?? ascii`traced`;
}
