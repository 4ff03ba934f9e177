import { root } from '../bytes/path.ts';
import { type ByteString } from '../bytes/bytes.ts';
import type { Change } from '../changeset/change.ts';
import type { LayerIndex } from '../changeset/layer-index.ts';
import { opaqueMarkerName, whiteoutName } from '../changeset/layer-index.ts';
import { describeEncoder } from '../codec/describe-encoder.ts';
import { type PackingOption, pullSeconds } from '../compress/policy.ts';
import {
  actionOf,
  blobOf,
  compressionOf,
  type KeptLayer,
  type LayerAction as SealedAction,
  type SealedLayer,
  tarBytesOf,
  type UnchangedLayer,
} from '../layers/write/sealed-layer.ts';
import { describePlatform, type ImageOutcome, type RunOutcome } from '../jobs/rewrite/run.ts';
import type { LayerTuning } from '../jobs/rewrite/tune-layers.ts';
import { type Content, layerOf, type LayerRange, numbersIn, rangeOf, topOf } from '../image/image.ts';
import { layerMediaType } from '../oci/media-type.ts';
import type { Removal } from '../slim/resolve/layer-pruning.ts';
import { type Surface, type SurfaceFile, surfaceKinds } from '../rootfs/surface/surface.ts';
import { pathFields } from './escape.ts';
import { formatBandwidth } from './figures.ts';
import { describeKeeping } from './keeping.ts';
import type {
  LayerAction,
  LayerReport,
  PlatformReport,
  RemovedEntry,
  Report,
  RestoringReport,
  SlimmingReport,
  SurfaceReport,
  TuningReport,
} from './report.ts';

export interface ReportContext {
  readonly tool: { readonly name: string; readonly version: string };
  readonly command: string;
  readonly sourceReference: string;
  readonly destinationReferences: readonly string[];
  readonly warnings: Report['warnings'];
  /** The image beside the result that has all that was removed. */
  readonly debug?: { readonly reference: string; readonly digest: string } | null;
  /** Why a squash dropped what it dropped: "--last", "--all". */
  readonly squashOrigin: string;
}

/** The report of a run, or of a dry run. */
export function buildReport(outcome: RunOutcome, context: ReportContext): Report {
  const { set, root, images } = outcome;
  const unchanged = root !== null && root.descriptor.digest === set.root.descriptor.digest;
  return {
    reportVersion: 1,
    tool: { ...context.tool },
    command: context.command,
    dryRun: root === null,
    source: {
      reference: context.sourceReference,
      digest: set.root.descriptor.digest,
      mediaType: set.root.descriptor.mediaType,
    },
    destination:
      root === null
        ? null
        : {
            references: [...context.destinationReferences],
            digest: root.descriptor.digest,
            mediaType: root.descriptor.mediaType,
          },
    ...(context.debug == null ? {} : { debug: { ...context.debug } }),
    unchanged,
    warnings: context.warnings,
    encoders: outcome.encodings.map((encoding) => {
      const { name, version, level, blockSize } = describeEncoder(encoding);
      return { name, version, level, blockSize };
    }),
    ...(outcome.budgets.length === 0
      ? {}
      : {
          budgets: outcome.budgets.map(({ budget, spent, estimated }) => ({
            seconds: budget,
            trialSeconds: round(spent),
            estimatedSeconds: round(estimated),
          })),
        }),
    platforms: images.map((image) => describeImage(image, context)),
    transfer: describeTransfer(outcome),
  };
}

function describeImage(outcome: ImageOutcome, context: ReportContext): PlatformReport {
  const [traced] = outcome.resolution.traced;
  const slimmed = outcome.image.plan.layers.some(({ content }) => content.kind === 'rewritten');
  const layers = outcome.image.plan.layers.map((_, i) => {
    const tuned = outcome.tunings.get(i);
    const layer = describeLayer(outcome, i);
    return tuned === undefined ? layer : { ...layer, tuning: describeTuning(tuned) };
  });
  return {
    platform: describePlatform(outcome),
    sourceDigest: outcome.image.descriptor.digest,
    digest: outcome.manifest?.descriptor.digest ?? null,
    layers,
    slimming: slimmed ? describeSlimming(outcome, context) : null,
    keeping: traced === undefined ? null : describeKeeping(traced),
    surface: describeSurface(outcome.resolution.surface),
    ...describeRestoring(outcome),
    compressing: describeCompressing(outcome),
  };
}

/** Nothing at all for a run that does not restore. */
function describeRestoring(outcome: ImageOutcome): { restoring?: RestoringReport } {
  const { restored } = outcome.resolution;
  if (restored === null) return {};
  const sizes = restored.changes.map(({ layer, entry }) => outcome.indexes.get(layer)?.bytes[entry] ?? 0);
  return {
    restoring: {
      original: outcome.image.original?.descriptor.digest ?? '',
      entries: restored.changes.length,
      bytes: sizes.reduce((a, b) => a + b, 0),
      stillMissing: restored.missing,
      paths: restored.changes.map((change, i) => ({
        ...pathFields(pathOf(outcome, change)),
        type: typeOf(change),
        bytes: sizes[i] as number,
      })),
    },
  };
}

const actionNames: Record<SealedAction, LayerAction> = {
  present: 'kept',
  mounted: 'mounted',
  copied: 'copied',
  rewritten: 'rewritten',
  recompressed: 'recompressed',
  'not-smaller': 'kept-not-smaller',
  dropped: 'dropped',
};

function describeLayer(outcome: ImageOutcome, i: number): LayerReport {
  const { image, indexes, resolution, layers } = outcome;
  const layer = image.plan.layers[i] as (typeof image.plan.layers)[number];
  const sealed = layers?.[i] ?? null;
  const before = sourceNumbers(layer.content).map((number) =>
    describeSource(outcome, number, indexes, sealed),
  );
  if (sealed === null) {
    if (layer.content.kind === 'restored') {
      const content = resolution.contents[i];
      const isEmpty = content?.kind === 'restored' && content.isEmpty;
      return { action: isEmpty ? 'dropped' : 'planned', before, after: null };
    }
    const stays = resolution.contents[i]?.kind === 'stored' && layer.encodings.at(-1)?.kind === 'keep';
    const { descriptor, diffId } = layerOf(image, topOf(layer.content));
    const same = {
      digest: descriptor.digest,
      mediaType: descriptor.mediaType,
      size: descriptor.size,
      uncompressedSize: before[0]?.uncompressedSize ?? null,
      diffId,
    };
    return { action: stays ? 'kept' : 'planned', before, after: stays ? same : null };
  }
  if (sealed.kind === 'dropped') return { action: 'dropped', before, after: null };
  // What is restored lies above all source layers.
  const { descriptor } = layerOf(image, Math.max(topOf(layer.content), 1));
  const family = outcome.manifest?.descriptor.mediaType.includes('docker') === true ? 'docker' : 'oci';
  const compression = compressionOf(image, layer, sealed);
  const mediaType = compression === null ? null : layerMediaType(family, compression);
  return {
    action: actionNames[actionOf(sealed)],
    before,
    after: {
      digest: sealed.blob.digest,
      mediaType: mediaType ?? descriptor.mediaType,
      size: sealed.blob.size,
      uncompressedSize:
        tarBytesOf(sealed) ?? (before.length === 1 ? (before[0]?.uncompressedSize ?? null) : null),
      diffId: sealed.diffId,
    },
  };
}

function describeTuning({ goal, tarBytes, sampledBytes, chosen, options }: LayerTuning): TuningReport {
  const describe = (option: PackingOption): TuningReport['chosen'] => {
    const { encoding, compression, size, work } = option;
    return {
      compression,
      ...(encoding?.kind === 'gzip' ? { engine: encoding.engine } : {}),
      level: encoding === null || encoding.kind === 'none' ? null : encoding.level,
      asItIs: encoding === null,
      size,
      pullSeconds: goal.kind === 'pull' ? round(pullSeconds(option, tarBytes, goal.bytesPerSecond)) : null,
      encodeSeconds: work === null ? null : round(work),
    };
  };
  return {
    goal: goal.kind === 'size' ? goal.effort : `pull at ${formatBandwidth(goal.bytesPerSecond)}`,
    tarBytes,
    sampledBytes,
    chosen: describe(chosen),
    options: options.map(describe),
  };
}

/** To milliseconds. */
function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

function describeSource(
  { image }: ImageOutcome,
  number: number,
  indexes: ReadonlyMap<number, LayerIndex>,
  sealed: SealedLayer | null,
): LayerReport['before'][number] {
  const { descriptor, diffId } = layerOf(image, number);
  const filled = image.config.history.filter((row) => !row.emptyLayer);
  // The tar of a layer that was only packed again is that of its source.
  const unpacked = sealed === null || isRewritten(sealed) ? null : tarBytesOf(sealed);
  return {
    number,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    size: descriptor.size,
    uncompressedSize: indexes.get(number)?.tarBytes ?? unpacked,
    diffId,
    createdBy: filled.length === image.config.diffIds.length ? (filled[number - 1]?.createdBy ?? null) : null,
  };
}

function isRewritten(sealed: SealedLayer): boolean {
  switch (sealed.kind) {
    case 'unchanged':
      return false;
    case 'repacked':
    case 'recalled':
      return sealed.change === 'rewritten';
    case 'dropped':
      return true;
  }
}

function describeSlimming(outcome: ImageOutcome, context: ReportContext): SlimmingReport {
  const { resolution, indexes, layers } = outcome;
  const removed = resolution.removals.map((removal) =>
    describeRemoval(removal, outcome, context.squashOrigin),
  );
  const byRule = new Map<string, { rule: string; origin: string; entries: number; bytes: number }>();
  for (const { rule, origin, bytes } of removed) {
    const key = `${origin}\0${rule}`;
    const row = byRule.get(key) ?? { rule, origin, entries: 0, bytes: 0 };
    row.entries++;
    row.bytes += bytes;
    byRule.set(key, row);
  }
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
  const edited = resolution.contents.flatMap((content, i) =>
    content.kind === 'stored' ? [] : [{ content, sealed: layers?.[i] ?? null }],
  );
  const tarBytes = (range: LayerRange) =>
    sum(numbersIn(range).map((number) => indexes.get(number)?.tarBytes ?? 0));
  return {
    removedEntries: removed.length,
    filesRemoved: removed.filter(({ type }) => type === 'file').length,
    removedBytes: sum(removed.map(({ bytes }) => bytes)),
    bytesBefore: sum(edited.map(({ content }) => (content.kind === 'edited' ? tarBytes(content.range) : 0))),
    bytesAfter: sum(
      edited.map(
        ({ content, sealed }) => (sealed === null ? null : tarBytesOf(sealed)) ?? content.edit.tarBytes,
      ),
    ),
    byRule: [...byRule.values()].sort((a, b) => b.bytes - a.bytes || (a.rule < b.rule ? -1 : 1)),
    removed,
    promoted: resolution.promotions.map(({ change, from, reason }) => ({
      ...pathFields(pathOf(outcome, change)),
      layer: Math.max(change.layer, 1),
      from: from === null ? '' : pathFields(pathOf(outcome, from)).path,
      reason,
    })),
    cleared: [...resolution.cleared].map(([id, { from, to }]) => {
      const change = resolution.change(id);
      return {
        ...pathFields(pathOf(outcome, change)),
        layer: change.layer,
        oldMode: octal(from),
        newMode: octal(to),
      };
    }),
    ...describeLinked(outcome),
  };
}

/** Nothing at all for a run that links no files. */
function describeLinked(outcome: ImageOutcome): Pick<SlimmingReport, 'linked'> {
  const { image, resolution } = outcome;
  if (!image.plan.arrangements.some(({ hardlinks }) => hardlinks)) return {};
  const links = resolution.linked.map(({ link, to, size }) => {
    const target = pathFields(pathOf(outcome, to));
    return {
      ...pathFields(pathOf(outcome, link)),
      layer: link.layer,
      to: target.path,
      ...(target.pathBase64 === undefined ? {} : { toBase64: target.pathBase64 }),
      size,
    };
  });
  const bytes = links.reduce((sum, { size }) => sum + size, 0);
  return { linked: { files: links.length, bytes, links } };
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

function pathOf({ resolution }: ImageOutcome, change: Change): ByteString {
  const path = resolution.table?.paths[change.path] ?? root;
  if (change.kind === 'whiteout') return whiteoutName(path);
  return change.kind === 'opaque' ? opaqueMarkerName(path) : path;
}

function describeRemoval(
  { change, reason, how }: Removal,
  outcome: ImageOutcome,
  squashOrigin: string,
): RemovedEntry {
  const index = outcome.indexes.get(change.layer) as LayerIndex;
  const digest = outcome.facts.get(change.layer)?.digests.get(change.entry);
  const because = (): { rule: string; origin: string } => {
    switch (reason.kind) {
      case 'rule':
        return { rule: reason.rule.text, origin: reason.rule.origin };
      case 'shadowed':
        return { rule: 'shadowed', origin: '--shadowed' };
      case 'idle':
        return { rule: 'whiteouts with nothing left to hide', origin: '--shadowed' };
      case 'squashed':
        return { rule: 'shadowed', origin: squashOrigin };
    }
  };
  return {
    ...pathFields(pathOf(outcome, change)),
    layer: change.layer,
    type: typeOf(change),
    size: index.sizes[change.entry] ?? 0,
    ...(digest === undefined ? {} : { digest }),
    bytes: index.bytes[change.entry] ?? 0,
    ...because(),
    how,
  };
}

function typeOf({ kind }: Change): RemovedEntry['type'] {
  switch (kind) {
    case 'file':
    case 'directory':
    case 'symlink':
    case 'fifo':
    case 'whiteout':
      return kind;
    case 'link':
      return 'hardlink';
    case 'char':
      return 'character-device';
    case 'block':
      return 'block-device';
    case 'opaque':
      return 'whiteout';
  }
}

function describeSurface(surface: Surface | null): SurfaceReport | null {
  if (surface === null) return null;
  const { before, after, ports, user, isRoot, secrets } = surface;
  const list = (files: readonly SurfaceFile[]) =>
    files.map(({ path, names }) => ({
      ...pathFields(path),
      ...(names.length === 0 ? {} : { names: names.map((name) => pathFields(name).path) }),
    }));
  return {
    files: surfaceKinds.map((kind) => ({ kind, before: list(before[kind]), after: list(after[kind]) })),
    ports,
    user,
    isRoot,
    secrets,
  };
}

/**
 * What packing saved and what slimming saved. Exact where a layer went through one of them only; where it went through
 * both, slimming's share is estimated by the ratio at which its source layers were packed.
 */
function describeCompressing(outcome: ImageOutcome): PlatformReport['compressing'] {
  const { image, layers, resolution, indexes } = outcome;
  const sizeBefore = image.manifest.layers.reduce((sum, { size }) => sum + size, 0);
  if (layers === null)
    return { sizeBefore, sizeAfter: null, savedBySlimming: null, savedByPacking: null, estimated: false };
  let bySlimming = 0;
  let byPacking = 0;
  let estimated = false;
  image.plan.layers.forEach((layer, i) => {
    const sealed = layers[i] as SealedLayer;
    const sources = sourceNumbers(layer.content);
    const before = sources.reduce((sum, number) => sum + layerOf(image, number).descriptor.size, 0);
    const content = resolution.contents[i];
    const saved = before - (blobOf(sealed)?.size ?? 0);
    if (content === undefined || content.kind === 'stored' || sealed.kind === 'dropped') {
      if (sealed.kind === 'dropped') bySlimming += saved;
      else byPacking += saved;
      return;
    }
    if (layer.content.kind === 'restored') {
      bySlimming += saved;
      return;
    }
    estimated = true;
    const tarBefore = sources.reduce((sum, number) => sum + (indexes.get(number)?.tarBytes ?? 0), 0);
    const share = tarBefore === 0 ? 0 : Math.round(before * (1 - (tarBytesOf(sealed) ?? 0) / tarBefore));
    bySlimming += share;
    byPacking += saved - share;
  });
  const sizeAfter = layers.reduce((sum, sealed) => sum + (blobOf(sealed)?.size ?? 0), 0);
  return { sizeBefore, sizeAfter, savedBySlimming: bySlimming, savedByPacking: byPacking, estimated };
}

type Arrival = UnchangedLayer['adoption'] | 'written';

/** Returns how the blob of a layer got to the target. */
function arrivalOf(layer: KeptLayer): Arrival {
  switch (layer.kind) {
    case 'unchanged':
      return layer.adoption;
    case 'repacked':
      return 'written';
    case 'recalled':
      return layer.from === 'target' ? 'present' : 'written';
  }
}

function describeTransfer({ images, downloaded, set, cache }: RunOutcome): Report['transfer'] {
  const seen = new Map<string, { readonly arrival: Arrival; readonly size: number }>();
  for (const layer of images.flatMap(({ layers }) => layers ?? []))
    if (layer.kind !== 'dropped')
      seen.set(layer.blob.digest, { arrival: arrivalOf(layer), size: layer.blob.size });
  const bytesOf = (wanted: Arrival) =>
    [...seen.values()].reduce((total, { arrival, size }) => total + (arrival === wanted ? size : 0), 0);
  const copied = bytesOf('copied');
  const small = images.reduce(
    (total, { image, manifest }) =>
      total + (manifest === null ? 0 : manifest.bytes.length + image.config.bytes.length),
    0,
  );
  const read = images.reduce(
    (total, { image }) => total + image.manifest.bytes.length + image.config.bytes.length,
    set.index === null ? 0 : set.root.bytes.length,
  );
  return {
    presentBytes: bytesOf('present'),
    mountedBytes: bytesOf('mounted'),
    copiedBytes: copied,
    downloadedBytes: cache === null ? downloaded + copied + read : cache.downloaded,
    cachedBytes: cache?.reused ?? 0,
    uploadedBytes: copied + bytesOf('written') + small,
  };
}

function sourceNumbers(content: Content): readonly number[] {
  const range = rangeOf(content);
  return range === null ? [] : numbersIn(range);
}
