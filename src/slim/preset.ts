/**
 * What a preset is, and the words that its globs are written with. `presets.ts` has the table of all; presets that are long have a
 * file of their own beside it.
 */
import type { Condition, RuledKind } from '../rules/rule.ts';

/** What may go wrong at run time: `none` for caches that nothing reads, `high` for what programs or scanners need. */
export type Risk = 'none' | 'low' | 'medium' | 'high';

/** A named set of rules. Within it the last match wins; its `!` rules do not touch other presets or rules. */
export interface Preset {
  readonly name: string;
  readonly title: string;
  readonly risk: Risk;
  /** Whether `slim` uses it without being asked. */
  readonly safe: boolean;
  /** What breaks, or why nothing does. */
  readonly note: string;
  /** `clear-setuid` clears the setuid and setgid bits of the files that match, and removes nothing. */
  readonly effect: 'remove' | 'clear-setuid';
  readonly rules: readonly PresetRule[];
}

/** A glob (with `!` for an exception), or a glob with conditions on the kind of an entry or on other files. */
export type PresetRule =
  | string
  | { readonly glob: string; readonly only?: RuledKind; readonly needs?: Condition };

/** The common fields of the presets that `slim` uses by default, and of all others. */
export const safe = { risk: 'none', safe: true, effect: 'remove' } as const;
export const optional = { safe: false, effect: 'remove' } as const;

/** The home directories of users. */
export const homes = ['root', 'home/*'];

/** Returns every glob below every prefix. */
export const each = (prefixes: readonly string[], ...globs: readonly string[]): string[] =>
  prefixes.flatMap((prefix) => globs.map((glob) => `${prefix}/${glob}`));

/** Restricts globs to entries of one kind. */
export const only = (kind: RuledKind, ...globs: readonly string[]): PresetRule[] =>
  globs.map((glob) => ({ glob, only: kind }));
