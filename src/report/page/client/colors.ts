/**
 * Chooses colours: warm ones for what goes, cool ones for what stays, so that they differ in lightness and not in hue alone. The
 * values are in `page.css`, as variables for light and dark.
 */
import type { FateGroup } from '../page.ts';
import type { Model } from './model.ts';

/** What cells are coloured by. */
export type ColorBy = 'fate' | 'layer';

/** An entry of the legend. */
export interface LegendEntry {
  readonly color: string;
  readonly name: string;
  readonly why: string;
  /** Bytes before and after. */
  readonly bytes: number;
  /** The fates or layers that it stands for. */
  readonly members: ReadonlySet<number>;
}

/** The colours of one image. */
export interface Palette {
  /** Returns the class of the colour of a row. */
  readonly colorOf: (row: number) => string;
  readonly legend: readonly LegendEntry[];
}

/** How many rules, and how many layers, have colours of their own. */
const ruleColors = 6;
const layerColors = 8;
/** The share of the largest layer from which on a layer has a colour of its own. */
const leastShare = 0.002;

/** Chooses the colours of an image. */
export function paletteOf(model: Model, by: ColorBy): Palette {
  const entries = by === 'fate' ? fateEntries(model) : layerEntries(model);
  const column = by === 'fate' ? model.table.fates : model.table.layers;
  const colors = new Map(
    entries.flatMap(({ color, members }) => [...members].map((each) => [each, color] as const)),
  );
  return { colorOf: (row) => colors.get(column[row] as number) ?? 'c-rest', legend: entries };
}

const groupNames: Readonly<Record<Exclude<FateGroup, 'removed'>, string>> = {
  kept: 'kept',
  hidden: 'hidden by a layer above, still stored',
  duplicate: 'the same contents as another file',
  changed: 'changed',
  added: 'added',
};

function fateEntries(model: Model): LegendEntry[] {
  const { fates } = model.info;
  const members = (group: FateGroup) =>
    fates.flatMap((fate, i) => (fate.group === group && (model.fateRows[i] as number) > 0 ? [i] : []));
  const sum = (numbers: readonly number[]) =>
    numbers.reduce((total, i) => total + (model.fateBytes[i] as number), 0);
  // Rules of one name are one entry: a preset has many globs.
  const rules = new Map<string, number[]>();
  for (const i of members('removed')) {
    const { name } = fates[i] as { name: string };
    rules.set(name, [...(rules.get(name) ?? []), i]);
  }
  const sorted = [...rules].sort(([, a], [, b]) => sum(b) - sum(a));
  const removed = sorted.slice(0, ruleColors).map(([name, own], i): LegendEntry => {
    const why = fates[own[0] as number]?.why ?? '';
    return { color: `c-rule${i}`, name, why, bytes: sum(own), members: new Set(own) };
  });
  const rest = sorted.slice(ruleColors).flatMap(([, own]) => own);
  return [
    ...(['kept', 'added', 'changed', 'duplicate', 'hidden'] as const).map((group): LegendEntry => {
      const own = members(group);
      const why = own.length === 1 ? (fates[own[0] as number]?.why ?? '') : '';
      const name = own.length === 1 ? (fates[own[0] as number]?.name ?? '') : groupNames[group];
      return { color: `c-${group}`, name, why, bytes: sum(own), members: new Set(own) };
    }),
    ...removed,
    { color: 'c-rest', name: 'other rules', why: '', bytes: sum(rest), members: new Set(rest) },
  ].filter((entry) => entry.members.size > 0);
}

function layerEntries(model: Model): LegendEntry[] {
  const [before, after] = model.layerBytes;
  const bytes = Array.from(before, (own, i) => Math.max(own, after[i] as number));
  const numbers = bytes.flatMap((own, i) => (i > 0 && own > 0 ? [i] : []));
  const most = bytes.reduce((max, own) => Math.max(max, own), 0);
  const largest = numbers
    .filter((number) => (bytes[number] as number) >= most * leastShare)
    .toSorted((a, b) => (bytes[b] as number) - (bytes[a] as number))
    .slice(0, layerColors);
  const rest = numbers.filter((number) => !largest.includes(number));
  return [
    ...largest
      .map((number, i): LegendEntry => {
        const instruction = model.info.layers[number - 1] ?? '';
        return {
          color: `c-layer${i}`,
          name: `layer ${number}`,
          why: instruction,
          bytes: bytes[number] as number,
          members: new Set([number]),
        };
      })
      .toSorted((a, b) => [...a.members][0]! - [...b.members][0]!),
    {
      color: 'c-rest',
      name: rest.length === 1 ? `layer ${rest[0]}` : 'other layers',
      why: '',
      bytes: rest.reduce((sum, number) => sum + (bytes[number] as number), 0),
      members: new Set(rest),
    },
  ].filter((entry) => entry.members.size > 0);
}
