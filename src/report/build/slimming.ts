/**
 * The part of the report about what slimming removed and changed, entry by entry and by rule. `build.ts` calls it for images that
 * were squashed or pruned.
 */
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { type LayerRange, numbersIn } from '../../image/image.ts';
import type { ImageOutcome } from '../../jobs/rewrite/records.ts';
import { tarBytesOf } from '../../layers/index.ts';
import type { Removal } from '../../slim/resolve/layer-pruning.ts';
import { pathFields } from '../escape.ts';
import type { RemovedEntry, SlimmingReport } from '../report.ts';
import { namedBy, pathOf, typeOf } from './entries.ts';
import { heaviestFirst, sum } from './numbers.ts';
import { reportEdited } from './packages.ts';

/** Reports what slimming removed from one image. `squashOrigin` is the option that made a squash drop what it dropped. */
export function reportSlimming(outcome: ImageOutcome, squashOrigin: string): SlimmingReport {
  const { resolution } = outcome;
  const removed = resolution.removals.map((removal) => reportRemoval(removal, outcome, squashOrigin));
  return {
    removedEntries: removed.length,
    filesRemoved: removed.filter(({ type }) => type === 'file').length,
    removedBytes: sum(removed.map(({ bytes }) => bytes)),
    ...tarsOf(outcome),
    byRule: sumByRule(removed),
    removed,
    promoted: resolution.promotions.map(({ change, from, reason }) => ({
      ...namedBy(outcome, change),
      layer: Math.max(change.layer, 1),
      from: from === null ? '' : namedBy(outcome, from).path,
      reason,
    })),
    cleared: [...resolution.cleared].map(([id, { from, to }]) => {
      const change = resolution.change(id);
      return {
        ...namedBy(outcome, change),
        layer: change.layer,
        oldMode: octal(from),
        newMode: octal(to),
      };
    }),
    ...reportEdited(outcome),
    ...reportLinked(outcome),
    ...reportNoise(outcome),
  };
}

/** Counts what was taken over from the previous version; the field is absent without a previous version. */
function reportNoise({ resolution: { relayered } }: ImageOutcome): Pick<SlimmingReport, 'noise'> {
  const adopted = relayered?.adopted ?? null;
  if (adopted === null) return {};
  return { noise: { mode: 'adopt', entries: adopted.times, compiled: adopted.compiled } };
}

/** Adds up the tars of the layers that slimming changed, before and after. */
function tarsOf({ indexes, layers }: ImageOutcome): Pick<SlimmingReport, 'bytesBefore' | 'bytesAfter'> {
  const edited = layers.flatMap(({ content, sealed }) =>
    content.kind === 'stored' || content.kind === 'added' ? [] : [{ content, sealed }],
  );
  const sourceBytes = (range: LayerRange) =>
    sum(numbersIn(range).map((number) => indexes.get(number)?.tarBytes ?? 0));
  return {
    bytesBefore: sum(
      edited.map(({ content }) =>
        // Of several layers that are made of the same sources, the first counts them.
        content.kind === 'edited' && (content.part?.number ?? 1) === 1 ? sourceBytes(content.range) : 0,
      ),
    ),
    bytesAfter: sum(
      edited.map(
        ({ content, sealed }) => (sealed === null ? null : tarBytesOf(sealed)) ?? content.edit.tarBytes,
      ),
    ),
  };
}

function sumByRule(removed: readonly RemovedEntry[]): SlimmingReport['byRule'] {
  const byRule = new Map<string, { rule: string; origin: string; entries: number; bytes: number }>();
  for (const { rule, origin, bytes } of removed) {
    const key = `${origin}\0${rule}`;
    const row = byRule.get(key) ?? { rule, origin, entries: 0, bytes: 0 };
    row.entries++;
    row.bytes += bytes;
    byRule.set(key, row);
  }
  return heaviestFirst(byRule.values());
}

function reportRemoval(
  { change, reason, how }: Removal,
  outcome: ImageOutcome,
  squashOrigin: string,
): RemovedEntry {
  const index = outcome.indexes.get(change.layer) as LayerIndex;
  const digest = outcome.facts.get(change.layer)?.digests.get(change.entry);
  return {
    ...namedBy(outcome, change),
    layer: change.layer,
    type: typeOf(change),
    size: index.sizes[change.entry] ?? 0,
    ...(digest === undefined ? {} : { digest }),
    bytes: index.bytes[change.entry] ?? 0,
    ...ruleOf(reason, squashOrigin),
    how,
  };
}

function ruleOf(
  reason: Removal['reason'],
  squashOrigin: string,
): { readonly rule: string; readonly origin: string } {
  switch (reason.kind) {
    case 'rule':
      return { rule: nameOfRule(reason.rule.text), origin: reason.rule.origin };
    case 'shadowed':
      return { rule: 'shadowed', origin: '--shadowed' };
    case 'idle':
      return { rule: 'whiteouts with nothing left to hide', origin: '--shadowed' };
    case 'squashed':
      return { rule: 'shadowed', origin: squashOrigin };
  }
}

/** Returns a rule as reports name it: a glob is not called as what layers above hide. A slash at its start changes nothing. */
function nameOfRule(text: string): string {
  return text === 'shadowed' ? '/shadowed' : text;
}

/** Reports the files that became hard links; the field is absent from runs that link no files. */
function reportLinked(outcome: ImageOutcome): Pick<SlimmingReport, 'linked'> {
  const { image, resolution } = outcome;
  if (!image.plan.arrangements.some(({ hardlinks }) => hardlinks)) return {};
  const links = resolution.linked.map(({ link, to, size }) => {
    const target = pathFields(pathOf(outcome, to));
    return {
      ...namedBy(outcome, link),
      layer: link.layer,
      to: target.path,
      ...(target.pathBase64 === undefined ? {} : { toBase64: target.pathBase64 }),
      size,
    };
  });
  return { linked: { files: links.length, bytes: sum(links.map(({ size }) => size)), links } };
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
