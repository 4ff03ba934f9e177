import { ascii } from '../../bytes/bytes.ts';
import { reverseSymlinks } from '../symlinks.ts';
import type { ClosureRule } from '../rule.ts';

/**
 * The other names of what stays. Where a symlink that stays leads is kept by the closure itself; this is the way back, since
 * kernels record what was opened free of symlinks (fanotify, audit of inodes). They stay as part of something used, not
 * as used: a link to a shared file must not make its own package a used one.
 *
 * Nothing depends on which name of a hard link stays: where the one that carries the data goes, a kept one is promoted.
 * See `hard-link`.
 */
export const symlink: ClosureRule = {
  name: 'symlink',
  describe: 'Symlinks that lead to what stays.',
  *follow(path, { fs }) {
    for (const link of reverseSymlinks(fs).get(path) ?? [])
      yield { path: link, detail: ascii`leads there`, strength: 'whole', itself: true };
  },
};
