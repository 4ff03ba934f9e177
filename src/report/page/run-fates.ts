/** The words for what a run did to files. `files-of-run.ts` and `run-result.ts` take them. */
import type { Removal } from '../../slim/resolve/layer-pruning.ts';
import type { Resolution } from '../../slim/resolve/resolve.ts';
import type { Rule } from '../../rules/rule.ts';
import { escapeText } from '../escape.ts';
import { memoized } from './memoized.ts';
import type { Fate } from './page.ts';

const stays = { before: true, after: true } as const;
const goes = { before: true, after: false } as const;
const comes = { before: false, after: true } as const;

export const kept: Fate = {
  group: 'kept',
  name: 'kept',
  why: 'A container sees it, and no rule names it.',
  ...stays,
};
export const hidden: Fate = {
  group: 'hidden',
  name: 'hidden, still there',
  why: 'A layer above replaces or deletes it; prune --shadowed removes it.',
  ...stays,
};
export const replaced: Fate = {
  group: 'changed',
  name: 'replaced',
  why: 'Another entry of its layer has its data.',
  ...goes,
};
export const moved: Fate = {
  group: 'changed',
  name: 'has the data of a removed name',
  why: 'It was a hard link to a file whose own name went.',
  ...comes,
};
export const linked: Fate = {
  group: 'changed',
  name: 'hard link to an identical file',
  why: 'Another file of its layer has the data (--dedupe-hardlink).',
  ...comes,
};
export const edited: Fate = {
  group: 'changed',
  name: 'edited',
  why: 'It lists fewer packages than before (--package-db sync).',
  ...comes,
};
export const restored: Fate = {
  group: 'added',
  name: 'restored',
  why: 'It came back from the original.',
  ...comes,
};

/** Returns why entries went, by layer and entry. */
export function reasonsOf(
  { removals }: Pick<Resolution, 'removals'>,
  squashOrigin: string,
): ReadonlyMap<number, ReadonlyMap<number, Fate>> {
  const reasons = new Map<number, Map<number, Fate>>();
  const ofRule = memoized(fateOfRule);
  const squashed: Fate = {
    ...shadowed,
    name: 'replaced within the squashed layers',
    why: escapeText(`no container saw it (${squashOrigin})`),
  };
  const fateOf = ({ reason, how }: Removal): Fate => {
    switch (reason.kind) {
      case 'rule':
        return ofRule(reason.rule, how);
      case 'shadowed':
      case 'idle':
        return shadowed;
      case 'squashed':
        return squashed;
    }
  };
  for (const removal of removals) {
    const { layer, entry } = removal.change;
    const ofLayer = reasons.get(layer) ?? new Map<number, Fate>();
    // The first reason counts: a later stage sees what an earlier one made of the entry.
    if (!ofLayer.has(entry)) ofLayer.set(entry, fateOf(removal));
    reasons.set(layer, ofLayer);
  }
  return reasons;
}

const shadowed: Fate = {
  group: 'removed',
  name: 'hidden by a layer above',
  why: 'no container saw it (--shadowed)',
  ...goes,
};

function fateOfRule({ text, origin }: Rule, how: Removal['how']): Fate {
  const removed = { group: 'removed', ...goes } as const;
  const rest = how === 'hidden' ? '; a layer that was not selected still holds it, under a whiteout' : '';
  if (origin.startsWith('--trace'))
    return { ...removed, name: 'not used', why: escapeText(`no trace needs it (${origin})${rest}`) };
  // Presets go by their names, since each has many globs.
  const name = origin.startsWith('preset ') ? origin : text;
  return { ...removed, name: escapeText(name), why: escapeText(`${text} (${origin})${rest}`) };
}

/** Returns the fate of what a rule of the closure keeps; `described` says what the rule keeps. */
export const keptBy = memoized(
  (rule: string, described: string): Fate => ({
    ...kept,
    name: `kept: ${escapeText(rule)}`,
    why: escapeText(described),
  }),
);
