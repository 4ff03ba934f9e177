/** A command-line option as data: yargs, the documentation pages and completion are all made from it. */
export interface Option {
  readonly name: string;
  readonly alias?: string;
  readonly type: 'string' | 'boolean' | 'number' | 'list';
  /** What stands for the value in help: `N`, `FILE`. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly default?: string | number | boolean;
  readonly describe: string;
  readonly group: OptionGroup;
}

export type OptionGroup =
  | 'Layers'
  | 'What to remove'
  | 'Traces'
  | 'Recording'
  | 'What to restore'
  | 'Packing'
  | 'Result'
  | 'Reports'
  | 'Registries'
  | 'Work';

/** Values by option name, as yargs gives them: absent options are undefined. */
export type Values = Readonly<Record<string, unknown>>;

export function text(values: Values, name: string): string | null {
  const value = values[name];
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null;
}

export function flag(values: Values, name: string): boolean {
  return values[name] === true;
}

export function list(values: Values, name: string): readonly string[] {
  const value = values[name];
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}

/** Values of a comma-separated, repeatable option. */
export function names(values: Values, name: string): readonly string[] {
  return list(values, name).flatMap((item) =>
    item
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );
}

/** `K=V` pairs of a repeatable option. Pairs without a key give `null`. */
export function pairs(values: Values, name: string): Readonly<Record<string, string>> | null {
  const split = list(values, name).map((item): [string, string] => {
    const equals = item.indexOf('=');
    return equals < 1 ? ['', ''] : [item.slice(0, equals), item.slice(equals + 1)];
  });
  // Entries, since an assignment to `__proto__` would be lost.
  return split.some(([key]) => key === '') ? null : Object.fromEntries(split);
}
