/**
 * Turns a plan into the contents of every layer of the new image, once the headers of the source layers are known. The
 * interpreter (`jobs/rewrite/run.ts`) calls `resolve` between the scan and the writing; no layer bytes are read here.
 */
import type { Path } from '../../bytes/path.ts';
import type { Change } from '../../changeset/change.ts';
import { buildEdit, type LayerEdit, type NewContents } from '../../changeset/edit.ts';
import type { Promotion } from '../../changeset/express.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { PathTable } from '../../changeset/path-table.ts';
import { type Stack, stackSteps } from '../../changeset/stack.ts';
import {
  type CheckedClosure,
  checkTracedSteps,
  closeImageSteps,
  type TraceClosure,
} from '../../closure/close-image.ts';
import { checkNamedSteps, type NamedResult, refuseNamed } from '../../closure/named.ts';
import type { Problem } from '../../closure/problem.ts';
import { OcislimError } from '../../errors.ts';
import type { Addition, Placement } from '../../image/addition.ts';
import { atOnce, type Steps } from '../../steps.ts';
import { type Content, type Image, type LayerRange, numbersIn, overlaps } from '../../image/image.ts';
import { assignmentOf, type Relayering } from '../../image/relayering.ts';
import { runtimeOf } from '../../configure/configure.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import { mergeFacts } from '../../rootfs/facts/merged-facts.ts';
import { compareSurface, type Surface } from '../../rootfs/surface/surface.ts';
import type { Rule } from '../../rules/rule.ts';
import { arrangementOf } from '../arrange.ts';
import { type Finding, findingSteps } from '../findings/findings.ts';
import { type AdoptedNoise, adoptSteps } from './adopt-noise.ts';
import { type LinkedDuplicate, linkDuplicates } from './duplicates.ts';
import type { Removal } from './layer-pruning.ts';
import type { ClearedMode } from './marking.ts';
import { mergeRange } from './merge-range.ts';
import { orderSimilar } from './ordering.ts';
import type { SyncedPackages } from './package-sync.ts';
import { type PrunedStack, pruneSteps } from './prune-stack.ts';
import { type Relayered, relayerSteps } from './relayer-range.ts';
import { restoreStack } from './restore-stack.ts';
import { addedContent, unpruned, untouched } from './untouched.ts';

/** The contents of a layer of the new image. */
export type ResolvedContent =
  /** A source layer as it is. */
  | { readonly kind: 'stored'; readonly layer: number }
  /** One or more source layers, written as one. `isEmpty`: no entry is left. */
  | {
      readonly kind: 'edited';
      readonly range: LayerRange;
      readonly edit: LayerEdit;
      readonly isEmpty: boolean;
      /** Which part of the range it is, where several layers are made of it. Default: all of it. */
      readonly part?: LayerPart;
    }
  /** What comes back from the original, on top of the source layer `above`. */
  | {
      readonly kind: 'restored';
      readonly above: number;
      readonly edit: LayerEdit;
      readonly isEmpty: boolean;
    }
  /** Files of this machine, on top of the source layer `above`. */
  | AddedContent;

/** One of the layers that are made of the same source layers. */
export interface LayerPart {
  /** From 1, the lowest. */
  readonly number: number;
  readonly count: number;
  /** The names of the components in it, sorted. */
  readonly components: readonly string[];
}

/** New files, and where in the image they go. */
export interface AddedContent {
  readonly kind: 'added';
  readonly above: number;
  readonly addition: Addition;
  readonly placement: Placement;
}

/** The paths that a restoration brought back from the original. */
export interface Restoration {
  /** In path order, ancestors and the other names of hard links included. */
  readonly changes: readonly Change[];
  /** Paths that are still not as in the original. */
  readonly missing: number;
  /** Names that stay hard links, although the original has a file of its own there. Default: none. */
  readonly linked?: number;
}

/** What prunings did to the root filesystem. */
export interface PrunedFilesystem {
  readonly before: Filesystem;
  readonly after: Filesystem;
  /** Returns the rule that took a path; null for a path that no rule took. */
  readonly ruleOf: (path: Path) => Rule | null;
}

export interface Resolution {
  /** The layers of the new image, in the order of the plan. All parts of a layer of the plan are one after the other. */
  readonly contents: readonly ResolvedContent[];
  readonly table: PathTable | null;
  readonly removals: readonly Removal[];
  readonly promotions: readonly Promotion[];
  /** Files that became hard links to others that are the same, layer by layer. */
  readonly linked: readonly LinkedDuplicate[];
  /** Changes, by id, whose setuid and setgid bits are cleared. */
  readonly cleared: ReadonlyMap<number, ClearedMode>;
  readonly change: (id: number) => Change;
  readonly keptForLinks: readonly Change[];
  readonly unusedRules: readonly Rule[];
  /** Null for an image that is not pruned. */
  readonly pruned: PrunedFilesystem | null;
  /** What prunings by trace keep, and why. */
  readonly traced: readonly CheckedClosure[];
  /** Why the image may not run after a pruning by rules, which was forced. */
  readonly forced: readonly Problem[];
  /** What helps an attacker, before and after; null where nothing was pruned. */
  readonly surface: Surface | null;
  /** What is heavy and still there after a pruning, the heaviest first. */
  readonly findings: readonly Finding[];
  /** What became of package databases; null where they were to stay. */
  readonly synced: SyncedPackages | null;
  /** Null for an image that nothing is restored to. */
  readonly restored: Restoration | null;
  /** What the new layers hold; null for an image whose layers are not relayered. */
  readonly relayered: Relayered | null;
}

/** The input of a resolution. */
interface Known {
  readonly image: Image;
  /** By source layer number. */
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  /** Facts from the scan about files, by source layer number. */
  readonly facts: ReadonlyMap<number, LayerFacts>;
  /** The layers whose files were looked into; null for all. */
  readonly looked: ReadonlySet<number> | null;
  /** Returns the time for new entries of a range of layers, in seconds since 1970; null stands for a restored layer. */
  readonly mtimeOf: (range: LayerRange | null) => number;
}

export type ResolveResult =
  | { readonly kind: 'resolved'; readonly resolution: Resolution }
  /** A hard link leads to layers that have not been scanned. */
  | { readonly kind: 'needs'; readonly layers: readonly number[] }
  /** Rules took something that programs may need: the files of these layers must be looked into. */
  | { readonly kind: 'looks'; readonly layers: readonly number[] };

/** Resolves an image at once. @throws what `resolveSteps` throws */
export function resolve(
  image: Image,
  indexes: ReadonlyMap<number, LayerIndex>,
  mtimeOf: (range: LayerRange | null) => number,
  facts: ReadonlyMap<number, LayerFacts> = new Map(),
): ResolveResult {
  return atOnce(resolveSteps({ image, indexes, mtimeOf, facts, looked: null }));
}

/**
 * Decides which entries of which layer survive, and which data layers borrow from each other. Pure: the same image and
 * indexes give the same resolution. `facts` are what prunings by trace and the linking of duplicates must know of files.
 * @throws UNSAFE, LAYER_INVALID, TAR_INVALID (data after the end mark of a layer that would be rewritten)
 */
export function* resolveSteps(given: Known): Steps<ResolveResult> {
  const { image } = given;
  if (image.original !== null) return { kind: 'resolved', resolution: yield* resolveRestored(given) };
  if (given.indexes.size === 0) return { kind: 'resolved', resolution: untouched(image) };
  const both = yield* stackSteps(given.indexes);
  const { own: known, stack, previous } = splitVersions(given, both);
  const pruning = image.plan.prunings.length === 0 ? null : yield* pruneChecked(known, stack);
  if (pruning?.kind === 'looks') return pruning;
  const resolver = new LayerResolver({ ...known, previous }, stack, pruning?.pruned ?? null);
  for (const { content } of image.plan.layers) {
    const missing = yield* resolver.add(content);
    if (missing.length > 0) return { kind: 'needs', layers: missing };
    yield;
  }
  const described = yield* describePruning(known, stack, pruning);
  return { kind: 'resolved', resolution: { ...resolver.finish(), ...described } };
}

/** The layers of the previous version beside what is known of the image, whose entries may be taken over. */
interface Earlier {
  /** By numbers above those of the image. Empty without a previous version. */
  readonly layers: ReadonlyMap<number, readonly Change[]>;
  /** The indexes of both. */
  readonly indexes: ReadonlyMap<number, LayerIndex>;
}

/** Parts what is known of the image from its previous version. */
function splitVersions(
  known: Known,
  both: Stack,
): { readonly own: Known; readonly stack: Stack; readonly previous: Earlier } {
  const count = known.image.manifest.layers.length;
  const isOwn = ([number]: readonly [number, unknown]): boolean => number <= count;
  const layers = Map.groupBy(both.layers, isOwn);
  return {
    own: { ...known, indexes: new Map([...known.indexes].filter(isOwn)) },
    stack: { ...both, layers: new Map(layers.get(true)) },
    previous: { layers: new Map(layers.get(false)), indexes: known.indexes },
  };
}

interface CheckedPruning extends Pick<Resolution, 'traced' | 'forced'> {
  readonly kind: 'pruned';
  readonly pruned: PrunedStack;
}

/** Prunes the stack, with a closure for each pruning by trace, and checks whether the result would run. @throws UNSAFE */
function* pruneChecked(
  known: Known,
  stack: Stack,
): Steps<CheckedPruning | Extract<ResolveResult, { kind: 'looks' }>> {
  const { image, indexes, facts } = known;
  const closures: TraceClosure[] = [];
  const pruned = yield* pruneSteps(stack, image.plan.prunings, indexes, {
    *close(pruning, fs) {
      const closed = yield* closeImageSteps(image, pruning, fs, mergeFacts(fs, facts));
      if (closed !== null) closures.push(closed);
      return closed?.closure ?? null;
    },
    factsOf: (fs) => mergeFacts(fs, facts),
  });
  const isGone = (path: Path) => pruned.result.kind(path) === null;
  const traced: CheckedClosure[] = [];
  for (const closure of closures) traced.push(yield* checkTracedSteps(image, closure, isGone));
  // What a trace keeps is checked with everything that rules took.
  if (traced.length > 0) return { kind: 'pruned', pruned, traced, forced: [] };
  const named = yield* checkRuled(known, stack, pruned);
  return named.kind === 'looks' ? named : { kind: 'pruned', pruned, traced, forced: named.problems };
}

/** Checks that rules took nothing that the config names, and nothing that runs it. @throws UNSAFE, unless a pruning is forced */
function* checkRuled(known: Known, { table }: Stack, pruned: PrunedStack): Steps<NamedResult> {
  const { image, facts, looked } = known;
  const rules = rulesByPath(pruned, table);
  if (rules.size === 0) return { kind: 'checked', problems: [] };
  const checked = yield* checkNamedSteps({
    image,
    before: pruned.fs,
    after: pruned.result,
    facts: mergeFacts(pruned.fs, facts),
    hasFacts: (layer) => looked?.has(layer) ?? true,
    ruleOf: (path) => rules.get(path) ?? null,
  });
  const isForced = image.plan.prunings.some(({ force }) => force);
  if (checked.kind === 'checked' && checked.problems.length > 0 && !isForced)
    refuseNamed(image, checked.problems);
  return checked;
}

/** Returns the rule that took each path. */
function rulesByPath({ removals }: PrunedStack, table: PathTable): ReadonlyMap<Path, Rule> {
  const rules = new Map<Path, Rule>();
  for (const { change, reason } of removals)
    if (reason.kind === 'rule') rules.set(table.paths[change.path] as Path, reason.rule);
  return rules;
}

function* describePruning(
  { image }: Known,
  { table }: Stack,
  pruning: CheckedPruning | null,
): Steps<Pick<Resolution, keyof typeof unpruned>> {
  if (pruning === null) return unpruned;
  const { pruned, traced, forced } = pruning;
  const { fs: before, result: after } = pruned;
  const runtime = runtimeOf(image);
  const architecture = image.config.platform?.architecture ?? null;
  let rules: ReadonlyMap<Path, Rule> | null = null;
  const ruleOf = (path: Path): Rule | null => (rules ??= rulesByPath(pruned, table)).get(path) ?? null;
  return {
    pruned: { before, after, ruleOf },
    cleared: pruned.marking.cleared,
    synced: pruned.synced,
    keptForLinks: pruned.keptForLinks,
    unusedRules: pruned.marking.unused,
    traced,
    forced,
    surface: compareSurface(runtime, pruned.fs, pruned.result),
    findings: yield* findingSteps(pruned.result, { runtime, architecture }),
  };
}

/** Collects the contents of the new image layer by layer, with the removals, promotions and links for the report. */
class LayerResolver {
  readonly #known: Known & { readonly previous: Earlier };
  /** The layers after all prunings: a squash merges pruned layers. */
  readonly #stack: Stack;
  /** The changed layers only, by source layer number. */
  readonly #pruned: ReadonlyMap<number, readonly Change[]>;
  readonly #layers: ResolvedContent[] = [];
  readonly #removals: Removal[];
  readonly #promotions: Promotion[];
  readonly #linked: LinkedDuplicate[] = [];
  /** New permission bits by change id. */
  readonly #modes: Map<number, number>;
  /** New contents by file. */
  readonly #contents: ReadonlyMap<number, NewContents>;
  /** The layers as they are. */
  readonly #original: Stack;
  #relayered: Relayered | null = null;

  constructor(known: Known & { readonly previous: Earlier }, stack: Stack, pruned: PrunedStack | null) {
    this.#known = known;
    this.#original = stack;
    this.#stack = { ...stack, layers: pruned?.all ?? stack.layers };
    this.#pruned = pruned?.layers ?? new Map();
    this.#removals = [...(pruned?.removals ?? [])];
    this.#promotions = [...(pruned?.promotions ?? [])];
    this.#contents = new Map(
      (pruned?.synced?.edits ?? []).map(({ carrier, contents }) => [carrier.id, contents] as const),
    );
    this.#modes = new Map([...(pruned?.marking.cleared ?? [])].map(([id, { to }]) => [id, to] as const));
  }

  /** Adds a layer of the plan. Returns the layers that must be scanned before; none where it has been added. */
  *add(content: Content): Steps<readonly number[]> {
    switch (content.kind) {
      case 'stored':
        this.#layers.push(content);
        return [];
      case 'rewritten':
        return yield* this.#rewrite({ from: content.from, to: content.to }, content);
      case 'restored':
        throw new OcislimError('INTERNAL', 'a layer is to be restored, but the image has no original');
      case 'added':
        this.#layers.push(addedContent(content));
        return [];
    }
  }

  /** Returns the collected results. Called after the last layer. */
  finish(): Pick<
    Resolution,
    'contents' | 'table' | 'removals' | 'promotions' | 'linked' | 'change' | 'restored' | 'relayered'
  > {
    const { table, list } = this.#stack;
    return {
      contents: this.#layers,
      table,
      removals: this.#removals,
      promotions: this.#promotions,
      linked: this.#linked,
      change: (id) => list.get(id),
      restored: null,
      relayered: this.#relayered,
    };
  }

  /** Adds a layer that a stage wants to rewrite. Returns the layers that must be scanned before; none where it has been added. */
  *#rewrite(range: LayerRange, content: Content): Steps<readonly number[]> {
    const { plan } = this.#known.image;
    if (plan.relayering !== null && overlaps(content, plan.relayering.layers))
      return yield* this.#relayer(range, plan.relayering);
    const { order, hardlinks, always } = arrangementOf(plan.arrangements, content);
    const isOne = range.from === range.to;
    const pruned = isOne ? this.#pruned.get(range.from) : undefined;
    // No rule has changed this single layer, and no option rewrites it in any case: it keeps its blob.
    if (isOne && pruned === undefined && !always) {
      this.#layers.push({ kind: 'stored', layer: range.from });
      return [];
    }
    let written = pruned ?? this.#merge(range);
    if (written === null) return numbersIn({ from: 1, to: range.from - 1 });
    yield;
    // Links come first: the order concerns data, and a linked file has none any more.
    if (hardlinks) written = this.#link(written);
    if (order === 'similar') written = orderSimilar(written, this.#stack.table);
    this.#push(range, written);
    return [];
  }

  /** Adds the layers that a range is laid out as. All layers of the image have been scanned. */
  *#relayer(range: LayerRange, relayering: Relayering): Steps<readonly number[]> {
    const merged = this.#merge(range);
    if (merged === null) return numbersIn({ from: 1, to: range.from - 1 });
    yield;
    const { indexes, facts, mtimeOf } = this.#known;
    const { changes: laid, adopted } = yield* this.#adopt(merged);
    yield;
    const { parts, relayered } = yield* relayerSteps(laid, {
      relayering,
      adopted,
      isLaidOut: assignmentOf(this.#known.image) !== null,
      stack: this.#stack,
      original: this.#original,
      indexes,
      factsOf: (fs) => mergeFacts(fs, facts),
      facts,
      modes: this.#modes,
      contents: this.#contents,
      now: mtimeOf(null),
    });
    this.#relayered = relayered;
    for (const [i, changes] of parts.entries()) {
      const components = relayered.assignment.layers[i] ?? [];
      const isTop = i === parts.length - 1;
      this.#push(range, changes, { part: { number: i + 1, count: parts.length, components }, isTop });
      yield;
    }
    return [];
  }

  /** Takes entries of the previous version over, where there is one. */
  *#adopt(
    changes: readonly Change[],
  ): Steps<{ readonly changes: readonly Change[]; readonly adopted: AdoptedNoise | null }> {
    const { facts, previous } = this.#known;
    if (previous.layers.size === 0) return { changes, adopted: null };
    const { layers, indexes } = previous;
    const [stack, modes, contents] = [this.#stack, this.#modes, this.#contents];
    return yield* adoptSteps(changes, { stack, previous: layers, indexes, facts, modes, contents });
  }

  /** Returns the changes of a range as one layer; null where the layers below must be scanned before. */
  #merge(range: LayerRange): readonly Change[] | null {
    const merged = mergeRange(range, this.#stack);
    if (merged === null) return null;
    for (const promotion of merged.promotions) this.#promotions.push(promotion);
    for (const removal of merged.removals) this.#removals.push(removal);
    return merged.changes;
  }

  /** Turns identical files of a layer into hard links to one of them. */
  #link(changes: readonly Change[]): readonly Change[] {
    const { indexes, facts } = this.#known;
    // A file that gets other contents is no longer what the scan saw.
    const twinOf = ({ layer, entry, file }: Change) =>
      this.#contents.has(file) ? undefined : facts.get(layer)?.twins.get(entry);
    const result = linkDuplicates(changes, this.#stack.list, indexes, twinOf);
    for (const duplicate of result.linked) this.#linked.push(duplicate);
    return result.changes;
  }

  /** Builds the edit of a layer. @throws TAR_INVALID for a source layer with data after its end mark */
  #push(
    range: LayerRange,
    written: readonly Change[],
    split: { readonly part: LayerPart; readonly isTop: boolean } | null = null,
  ): void {
    const { mtimeOf } = this.#known;
    const { indexes } = this.#known.previous;
    refuseGarbage([...numbersIn(range), ...written.map(({ layer }) => layer)], indexes);
    // A promoted or relinked change gets the permission bits that its original was to get.
    for (const { id, file } of written) {
      const mode = file >= 0 ? this.#modes.get(file) : undefined;
      if (mode !== undefined && !this.#modes.has(id)) this.#modes.set(id, mode);
    }
    // The time of an image must not be in the layers that later images share with it.
    const mtime = split === null || split.isTop ? mtimeOf(range) : 0;
    const options = { mtime, modes: this.#modes, contents: this.#contents };
    const edit = buildEdit(written, this.#stack.table, indexes, options);
    const part = split === null ? {} : { part: split.part };
    this.#layers.push({ kind: 'edited', range, edit, isEmpty: written.length === 0, ...part });
  }
}

/** Keeps the layers as they are, and puts what comes back from the original on top of them. @throws TAR_INVALID */
function* resolveRestored({ image, indexes, mtimeOf }: Known): Steps<Resolution> {
  const stack = yield* stackSteps(indexes);
  const own = image.manifest.layers.length;
  const { changes, promoted, missing, linked, returned } = restoreStack(
    stack,
    own,
    image.plan.restoring,
    indexes,
  );
  refuseGarbage(
    changes.map(({ layer }) => layer),
    indexes,
  );
  const contents = image.plan.layers.map(({ content }): ResolvedContent => {
    switch (content.kind) {
      case 'stored':
        return content;
      case 'rewritten':
      case 'added':
        throw new OcislimError('INTERNAL', 'a plan that restores rewrites no layer');
      case 'restored': {
        const edit = buildEdit(changes, stack.table, indexes, { mtime: mtimeOf(null), modes: new Map() });
        return { kind: 'restored', above: content.above, edit, isEmpty: changes.length === 0 };
      }
    }
  });
  return {
    ...untouched(image),
    contents,
    table: stack.table,
    promotions: promoted,
    change: (id) => stack.list.get(id),
    restored: { changes: returned, missing, ...(linked === 0 ? {} : { linked }) },
  };
}

/** Refuses to read these layers where one has data after its end mark. @throws TAR_INVALID naming it */
function refuseGarbage(layers: readonly number[], indexes: ReadonlyMap<number, LayerIndex>): void {
  const layer = layers.find((number) => indexes.get(number)?.end === 'garbage');
  if (layer === undefined) return;
  throw new OcislimError(
    'TAR_INVALID',
    `layer ${layer} holds data after the end mark of its tar, which no program would see`,
    {
      advice: 'Leave this layer out of the selection, or rewrite it with another tar program.',
    },
  );
}
