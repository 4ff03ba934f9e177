import { type Path, parentOf } from '../../../changeset/path.ts';
import type { ClosureRule } from '../rule.ts';
import { DoneOnce, spreads } from './spreading.ts';

const expanded = new DoneOnce<Path>();

/** The most cautious: whatever lies beside a used file may be found by listing, or by a name that is put together. */
export const directoryRule: ClosureRule = {
  name: 'directory',
  describe:
    'With granularity `directory`: the directories that directly hold a needed file keep all their files, not their subdirectories.',
  *follow(path, context) {
    if (context.granularity !== 'directory' || !spreads(path, context)) return;
    const directory = parentOf(path);
    if (!expanded.isFirst(context, directory)) return;
    const detail = `is beside ${path}`;
    for (const file of context.fs.children(directory))
      if (context.fs.kind(file) !== 'directory') yield { path: file, detail, strength: 'whole' };
  },
};
