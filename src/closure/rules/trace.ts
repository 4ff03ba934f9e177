import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { type Uses, uses } from '../../trace/trace.ts';
import type { ClosureRule } from '../rule.ts';

/** Keeps the paths that the trace saw in use. All other rules follow from these. */
export const traceRule: ClosureRule = {
  name: 'trace',
  describe:
    'Every path in the image that the trace saw in use. For a listed directory, only the directory; for a symlink that was only read, only the symlink; for a created file that the image does not have, its directory.',
  *roots({ fs, trace }) {
    for (const path of [...trace.paths.keys()].sort()) {
      const bits = trace.paths.get(path) ?? 0;
      const detail = describeUses(bits);
      // lstat(2) or readlink(2): the program used the symlink itself.
      if ((bits & uses.link) !== 0) yield { path, detail, itself: true };
      if (bits === uses.link) continue;
      yield { path, detail };
      if ((bits & uses.write) === 0) continue;
      const { missing } = fs.resolve(path);
      if (missing !== null)
        yield { path: fs.nearestDirectory(missing), detail: ascii`something was created in it` };
    }
  },
};

/** Returns the strongest use in words. */
function describeUses(bits: Uses): ByteString {
  const words = (
    [
      [uses.exec, ascii`executed`],
      [uses.open, ascii`opened`],
      [uses.write, ascii`written`],
      [uses.list, ascii`listed`],
      [uses.stat, ascii`looked at`],
      [uses.link, ascii`read as a symlink`],
    ] as const
  ).filter(([bit]) => (bits & bit) !== 0);
  return words[0]?.[1] ?? ascii`traced`;
}
