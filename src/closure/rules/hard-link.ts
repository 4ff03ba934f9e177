import { ascii } from '../../bytes/bytes.ts';
import type { ClosureRule } from '../rule.ts';

/**
 * The other names of a file that is needed. They cost a header each, and one program under many names (busybox, git)
 * would lose all those that no trace saw.
 */
export const hardLink: ClosureRule = {
  name: 'hard-link',
  describe:
    'With granularity `package` or `directory`: the other names (hard links) of a file that is needed.',
  *follow(path, context) {
    const { fs, granularity } = context;
    if (granularity === 'file' || context.strengthOf(path) !== 'needed' || fs.kind(path) !== 'file') return;
    for (const name of fs.names(path))
      if (name !== path)
        yield { path: name, detail: ascii`another name of it`, strength: 'whole', itself: true };
  },
};
