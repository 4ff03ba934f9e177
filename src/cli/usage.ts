/** The notation of a command's arguments, `SRC [DST]`: help, errors and pages write it alike. */
import type { Command, Positional } from './command.ts';

/** Returns the word for an argument in help and errors: `SRC`, `FILES…`. */
export function placeholderOf({ name }: Pick<Positional, 'name'>): string {
  return name.endsWith('..') ? `${name.slice(0, -2).toUpperCase()}…` : name.toUpperCase();
}

/** Returns how a command is written: `ocislim squash SRC [DST] [options]`. */
export function usageOf({ name, positionals, options, rest }: Command): string {
  const places = positionals.map((each) =>
    each.required ? placeholderOf(each) : `[${placeholderOf(each)}]`,
  );
  const more = Object.keys(options).length > 0 ? ['[options]'] : [];
  return ['ocislim', name, ...places, ...more, ...(rest === undefined ? [] : ['[-- COMMAND…]'])].join(' ');
}
