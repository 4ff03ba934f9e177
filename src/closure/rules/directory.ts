import { ascii } from '../../bytes/bytes.ts';
import { type Path, parentOf } from '../../bytes/path.ts';
import type { ClosureRule } from '../rule.ts';
import { PerClosure, spreads } from './spreading.ts';

/** Directories whose files were kept. */
const whole = new PerClosure<Path>();

/** The most cautious level: a program may find a file beside a used one by listing, or by a computed name. */
export const directoryRule: ClosureRule = {
  name: 'directory',
  describe: 'With the granularity `directory`: all files beside a needed file, without subdirectories.',
  *follow(path, context) {
    if (context.granularity !== 'directory' || !spreads(path, context)) return;
    const directory = parentOf(path);
    if (!whole.isNew(directory, context)) return;
    const detail = ascii`is beside ${path}`;
    for (const file of context.fs.children(directory))
      if (context.fs.kind(file) !== 'directory') yield { path: file, detail, strength: 'whole' };
  },
};
