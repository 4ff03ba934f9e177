import { ascii } from '../../bytes/bytes.ts';
import { type Path, parentOf } from '../../bytes/path.ts';
import type { ClosureRule } from '../rule.ts';
import { PerClosure, spreads } from './spreading.ts';

/** Directories that stay whole by now. */
const whole = new PerClosure<Path>();

/** The most cautious: whatever lies beside a used file may be found by listing, or by a name that is put together. */
export const directoryRule: ClosureRule = {
  name: 'directory',
  describe:
    'With granularity `directory`: the directories that directly hold a needed file keep all their files besides, not their subdirectories.',
  *follow(path, context) {
    if (context.granularity !== 'directory' || !spreads(path, context)) return;
    const directory = parentOf(path);
    const done = whole.of(context);
    if (done.has(directory)) return;
    done.add(directory);
    const detail = ascii`is beside ${path}`;
    for (const file of context.fs.children(directory))
      if (context.fs.kind(file) !== 'directory') yield { path: file, detail, strength: 'whole' };
  },
};
