import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { parentOf } from '../../bytes/path.ts';
import { type Uses, uses } from '../../trace/trace.ts';
import type { ClosureRule } from '../rule.ts';

/** What the trace saw. */
export const trace: ClosureRule = {
  name: 'trace',
  describe:
    'Every path that a trace saw in use and that is in the image. Of a directory that was listed only the directory; of a symlink that was only read as one only the symlink; of what was created where nothing is, the directory.',
  *roots({ fs, trace }) {
    for (const [path, bits] of [...trace.paths].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
      const detail = describeUses(bits);
      if ((bits & uses.link) !== 0) yield { path, detail, itself: true };
      if (bits === uses.link) continue;
      yield { path, detail };
      if ((bits & uses.write) === 0) continue;
      const { missing } = fs.resolve(path);
      if (missing !== null) {
        let home = parentOf(missing);
        while (home !== '' && fs.kind(home) !== 'directory') home = parentOf(home);
        yield { path: home, detail: ascii`something was created in it` };
      }
    }
  },
};

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
