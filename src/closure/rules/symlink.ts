import { ascii } from '../../bytes/bytes.ts';
import { reverseSymlinks } from '../symlinks.ts';
import type { ClosureRule } from '../rule.ts';

/**
 * Keeps the symlinks that lead to a path. The closure itself keeps where symlinks lead; this is the way back, since some tracers
 * record paths without symlinks (fanotify, audit of inodes). They stay as `whole`: a link to a shared file must not make the package
 * of the link stay.
 *
 * Hard links need no such rule: if the name with the data goes, another name carries it. See `hard-link`.
 */
export const symlinkRule: ClosureRule = {
  name: 'symlink',
  describe: 'The symlinks that lead to a path that stays.',
  *follow(path, { fs }) {
    for (const link of reverseSymlinks(fs).get(path) ?? [])
      yield { path: link, detail: ascii`leads there`, strength: 'whole', itself: true };
  },
};
