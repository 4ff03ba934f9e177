/** The gate about paths that must not be there, not even in a layer below. The table of gates has it. */
import type { Path } from '../../bytes/path.ts';
import type { RuledKind } from '../../rules/rule.ts';
import { createMatcher, parseRule } from '../../rules/rules.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { allEntries } from '../entries.ts';
import type { ChangeKind } from '../../changeset/layer-index.ts';
import { breach, type Breach, type Gate, type Judged } from './gate.ts';
import { displayed, listed } from './names.ts';

/** The paths that match a glob, and the first layer that has one. */
interface Found {
  readonly paths: Set<Path>;
  readonly layer: number;
  hidden: number;
}

/** Globs with the semantics of rules: `!` takes back. */
export const forbiddenPaths: Gate<readonly string[]> = {
  title: 'No layer has a path that is forbidden',
  isDeep: false,
  judge: (globs, judged) => findSteps(globs, judged),
};

function* findSteps(globs: readonly string[], { image }: Judged): Steps<readonly Breach[]> {
  const match = createMatcher(globs.map((glob) => parseRule(glob, 'forbiddenPaths')));
  const found = new Map<string, Found>();
  let seen = 0;
  for (const { path, kind, layer, fate } of allEntries(image)) {
    if (++seen % itemsPerStep === 0) yield;
    if (kind === 'whiteout' || kind === 'opaque' || kind === 'ignored') continue;
    const rule = match(path, ruledKind(kind));
    if (rule === null) continue;
    const known = found.get(rule.text) ?? { paths: new Set(), layer, hidden: 0 };
    found.set(rule.text, known);
    known.paths.add(path);
    if (fate !== 'kept') known.hidden++;
  }
  return [...found].map(([glob, { paths, layer, hidden }]) => {
    const names = listed([...paths].map(displayed));
    const [path = null] = paths;
    const still = hidden === 0 ? '' : `; ${hidden} of them no container sees, but a layer still has`;
    return breach(`${glob} is forbidden, and there is ${names}${still}`, {
      fix: 'List it in .dockerignore, or delete it in the instruction that makes it',
      command: ['prune', '--rule', glob],
      layer,
      path,
    });
  });
}

function ruledKind(kind: ChangeKind): RuledKind {
  if (kind === 'directory' || kind === 'symlink') return kind;
  return kind === 'file' || kind === 'link' ? 'file' : 'other';
}
