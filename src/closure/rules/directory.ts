import { ascii } from '../../bytes/bytes.ts';
import { baseOf, type Path, parentOf } from '../../bytes/path.ts';
import { packageProbe, packagesOf } from '../../rootfs/packages/package-index.ts';
import type { ClosureContext, ClosureRule } from '../rule.ts';
import { PerClosure, spreads } from './spreading.ts';

/** Directories whose files were kept. */
const whole = new PerClosure<Path>();

/** The most cautious level: a program may find a file beside a used one by listing, or by a computed name. */
export const directoryRule: ClosureRule = {
  name: 'directory',
  describe:
    'With the granularity `directory`: all files beside a needed file, without subdirectories, and without the programs of packages that were not used.',
  reads: packageProbe,
  *follow(path, context) {
    if (context.granularity !== 'directory' || !spreads(path, context)) return;
    const directory = parentOf(path);
    if (!whole.isNew(directory, context)) return;
    const detail = ascii`is beside ${path}`;
    for (const file of context.fs.children(directory))
      if (context.fs.kind(file) !== 'directory' && !isOther(file, context))
        yield { path: file, detail, strength: 'whole' };
  },
};

/**
 * Returns whether a path leads to a program of a package. It would stay without its package: where a file of that is needed, the rule for
 * packages keeps it.
 */
function isOther(path: Path, context: ClosureContext): boolean {
  const { fs, facts } = context;
  const target = fs.resolve(path).path;
  if (target === null || packagesOf(context).ownersOf(target).length === 0) return false;
  // Some distributions mark libraries as executable too.
  const isElf = facts.elf(target) !== null && !/\.so(?:\.|$)/.test(baseOf(target));
  return (isElf || facts.script(target) !== null) && (fs.mode(target) & 0o111) !== 0;
}
