import { ascii } from '../../bytes/bytes.ts';
import type { ClosureRule } from '../rule.ts';

/**
 * The other names of a needed file cost one header each. A program with many names (busybox, git) would lose all those that the
 * trace did not see.
 */
export const hardLinkRule: ClosureRule = {
  name: 'hard-link',
  describe: 'With the granularity `package` or `directory`: the other names (hard links) of a needed file.',
  *follow(path, context) {
    const { fs, granularity } = context;
    if (granularity === 'file' || context.strengthOf(path) !== 'needed' || fs.kind(path) !== 'file') return;
    for (const name of fs.names(path))
      if (name !== path)
        yield { path: name, detail: ascii`another name of it`, strength: 'whole', itself: true };
  },
};
