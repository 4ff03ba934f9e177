import { type Path, rootPath } from '../bytes/path.ts';
import type { Condition } from './rule.ts';
import { joinBytes } from '../bytes/bytes.ts';

/** Returns the paths of which at least one must exist for the condition to hold for `path`. */
export function witnesses(condition: Condition, path: Path): readonly Path[] {
  switch (condition) {
    case 'python-source':
      return pythonSources(path);
  }
}

/**
 * Returns the possible sources of a compiled module: `a/__pycache__/m.cpython-311.opt-1.pyc` and `a/m.pyc` come from
 * `a/m.py` (PEP 3147). A script's name may hold
 * dots of its own, so every prefix that ends before a dot is tried.
 */
function pythonSources(path: Path): readonly Path[] {
  const cut = path.lastIndexOf('/') + 1;
  const directory = path.slice(0, cut);
  const parts = path.slice(cut).split('.');
  const cached = /(?:^|\/)__pycache__\/$/.test(directory);
  const home = cached ? directory.slice(0, -'__pycache__/'.length) : directory;
  const shortest = cached ? 1 : parts.length - 1;
  const sources: Path[] = [];
  for (let count = parts.length - 1; count >= shortest && count > 0; count--) {
    sources.push(rootPath`${home}${joinBytes(parts.slice(0, count), '.')}.py`);
  }
  return sources;
}
