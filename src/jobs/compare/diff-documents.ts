/**
 * Lists what differs in the documents of two images: configs, histories, manifests, indexes. `diff.ts` calls it with a tally that knows
 * which aspects count.
 */
import { align } from '../../analyze/diff/align.ts';
import type { HistoryChange, Ignorable, MemberChange } from '../../analyze/diff/image-diff.ts';
import type { AspectTally } from '../../analyze/diff/verdict.ts';
import type { Image } from '../../image/image.ts';
import type { HistoryRow, ImageConfig } from '../../oci/image-config.ts';
import { isJsonObject, type JsonObject, own } from '../../oci/json.ts';
import type { Manifest } from '../../oci/manifest.ts';
import type { ImageSet } from '../image-set.ts';
import { canonical, compareMembers, type MemberDifference, without } from './compare-members.ts';
import { hiderOf, hideSecrets } from './hidden-values.ts';

/** Lists the members of two configs that differ, except the history and the DiffIDs. Secret values are hidden. */
export function diffConfigs(a: ImageConfig, b: ImageConfig, tally: AspectTally): readonly MemberChange[] {
  const [before, after] = [a, b].map(({ json }) => without(json, ['history', 'rootfs'])) as [
    JsonObject,
    JsonObject,
  ];
  const found = [...compareMembers('', before, after)].flatMap((each) =>
    each.member === 'config.Env' ? [...compareEnvironments(a, b, each)] : [each],
  );
  const hider = hiderOf([a, b]);
  return counted(
    found.map((each) => hideSecrets(each, hider)),
    configAspect,
    tally,
  );
}

function configAspect(member: string): Ignorable {
  if (member === 'created') return 'created';
  if (member.startsWith('config.Env')) return 'env';
  return member === 'config.Labels' || member.startsWith('config.Labels.') ? 'labels' : 'config';
}

/** Compares variables by name; the whole lists where they cannot be read so, or where only their order differs. */
function* compareEnvironments(
  a: ImageConfig,
  b: ImageConfig,
  whole: MemberDifference,
): Generator<MemberDifference> {
  const [before, after] = [variables(a), variables(b)];
  const found = before === null || after === null ? [] : [...compareMembers('config.Env', before, after)];
  yield* found.length === 0 ? [whole] : found;
}

/** Returns the variables of a config by name; null where they are not texts, or one has two values. */
function variables({ json }: ImageConfig): JsonObject | null {
  const config = own(json, 'config');
  const list = isJsonObject(config) ? (own(config, 'Env') ?? []) : [];
  if (!Array.isArray(list) || !list.every((text) => typeof text === 'string')) return null;
  const pairs = list.map((text: string): [string, string] => {
    const equals = text.indexOf('=');
    return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
  });
  return new Set(pairs.map(([name]) => name)).size === pairs.length ? Object.fromEntries(pairs) : null;
}

/** Lists the rows of two histories that differ. */
export function diffHistories(a: ImageConfig, b: ImageConfig, tally: AspectTally): readonly HistoryChange[] {
  const keyOf = ({ json }: HistoryRow) => canonical(without(json, ['created'])) ?? '';
  const changes: HistoryChange[] = [];
  const hider = hiderOf([a, b]);
  const shown = (row: HistoryRow | null | undefined) =>
    row?.createdBy == null ? null : hider(row.createdBy);
  for (const [i, j] of align(a.history.map(keyOf), b.history.map(keyOf))) {
    const [was, is] = [i === null ? null : a.history[i], j === null ? null : b.history[j]];
    const members = was && is ? rowMembers(was, is, tally) : [];
    const isListed = was && is ? members.length > 0 : tally.note('history');
    if (!isListed) continue;
    const numbers = { numberA: i === null ? null : i + 1, numberB: j === null ? null : j + 1 };
    changes.push({ ...numbers, a: shown(was), b: shown(is), members });
  }
  return changes;
}

function rowMembers(a: HistoryRow, b: HistoryRow, tally: AspectTally): string[] {
  return [...compareMembers('', a.json, b.json)]
    .map(({ member }) => member)
    .filter((member) => tally.note(member === 'created' ? 'created' : 'history'));
}

/** Lists the members of two manifests that differ, except those of their layers and the digest of the config. */
export function diffManifests(a: Image, b: Image, tally: AspectTally): readonly MemberChange[] {
  const plain = ({ json, mediaType, config }: Manifest): JsonObject => ({
    ...without(json, ['layers', 'config']),
    mediaType,
    config: without(config.json, ['digest', 'size', 'data']),
  });
  return counted([...compareMembers('', plain(a.manifest), plain(b.manifest))], documentAspect, tally);
}

/** Lists the members of two indexes that differ, except their rows. An image without an index has another media type. */
export function diffIndexes(a: ImageSet, b: ImageSet, tally: AspectTally): readonly MemberChange[] {
  if (a.index === null && b.index === null) return [];
  const plain = ({ root, index }: ImageSet): JsonObject => ({
    ...(index === null ? {} : without(index.json, ['manifests', 'schemaVersion'])),
    mediaType: root.descriptor.mediaType,
  });
  return counted([...compareMembers('', plain(a), plain(b))], documentAspect, tally);
}

/** Lists the members of the rows of an index that differ between two images, except platform and digest. */
export function diffRows(a: JsonObject, b: JsonObject, tally: AspectTally): readonly MemberChange[] {
  const plain = (row: JsonObject) => ({ descriptor: without(row, ['digest', 'size', 'mediaType', 'data']) });
  return counted([...compareMembers('', plain(a), plain(b))], documentAspect, tally);
}

function documentAspect(member: string): Ignorable {
  return member === 'mediaType' || member.endsWith('.mediaType') ? 'mediatype' : 'annotations';
}

function counted(
  found: readonly MemberDifference[],
  aspectOf: (member: string) => Ignorable,
  tally: AspectTally,
): readonly MemberChange[] {
  return found
    .map((each) => ({ member: each.member, aspect: aspectOf(each.member), a: each.a, b: each.b }))
    .filter(({ aspect }) => tally.note(aspect));
}
