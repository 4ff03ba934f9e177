/**
 * What becomes of the artifacts about a source: told of before anything is written, refused, or taken along with what they are about. `run` and
 * `publishImages` call it, in this order.
 */
import { OcislimError } from '../../errors.ts';
import type { Listener } from '../../events.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseJsonObject } from '../../oci/json.ts';
import { refersTo } from '../../oci/referrers.ts';
import type { RawManifest, Source, Target } from '../../place/place.ts';
import { type ImageSet, membersBelow } from '../image-set.ts';
import { TreeCopier, type TreeCopierOptions } from './copy-tree.ts';
import type { FoundArtifact, ReferrerMode } from './find-artifacts.ts';
import { isOnePlace } from './warnings.ts';

/**
 * What became of an artifact. `left`: it is where it was, about an image that is not the new one. `copied`: it is at the destination, as is
 * what it is about. `kept`: its row is in the new index. `dropped`: its row is not.
 */
export type ArtifactFate = 'left' | 'copied' | 'kept' | 'dropped';

export interface ArtifactOutcome {
  readonly artifact: FoundArtifact;
  readonly fate: ArtifactFate;
}

/** The artifacts about a set of images, and the place that they are in. */
export interface CarriedArtifacts {
  readonly set: ImageSet;
  readonly found: readonly FoundArtifact[];
  readonly source: Source;
  /** Whether the image is written without the index around it, and so without the attestations in it. */
  readonly alone: boolean;
}

/** What a run knows of the artifacts about its source. */
export interface AboutSource extends CarriedArtifacts {
  readonly mode: ReferrerMode;
}

/** Returns what would become of each artifact. That of a row is not known before its image has been written. */
export function plannedFates({ mode, found }: AboutSource): readonly ArtifactOutcome[] {
  return found.map((artifact) => {
    if (artifact.by === 'row') return { artifact, fate: 'dropped' };
    return { artifact, fate: mode === 'copy' ? 'copied' : 'left' };
  });
}

/** Returns what became of the attestations in the index. `changed`: the digests of the images that are others now. */
export function rowFates(
  { found, alone }: Pick<CarriedArtifacts, 'found' | 'alone'>,
  changed: ReadonlySet<Digest>,
): readonly ArtifactOutcome[] {
  return found.flatMap((artifact) => {
    const { by, about } = artifact;
    if (by !== 'row') return [];
    const isOutdated = alone || (about === null ? changed.size > 0 : changed.has(about));
    return [{ artifact, fate: isOutdated ? 'dropped' : 'kept' }];
  });
}

/** Refuses to take artifacts to a place that holds nothing about an image. @throws UNSUPPORTED */
export function refuseToCarry(label: string): void {
  throw new OcislimError('UNSUPPORTED', `--referrers copy: ${label} holds one image, and nothing about it`, {
    advice: 'Write an oci-archive:, a layout, or to a registry.',
  });
}

/** Tells of each artifact before the source is rewritten. */
export function tellArtifacts(
  { set, found, alone }: Omit<CarriedArtifacts, 'source'>,
  mode: ReferrerMode,
  listener: Listener,
): void {
  for (const artifact of found) {
    const words = isAboutWhole(artifact, set)
      ? 'stays with the source, of which only a part is taken'
      : plannedWords(artifact, mode, alone);
    listener({ type: 'note', message: `${describeArtifact(artifact)}: ${words}` });
  }
}

/** Whether an artifact is about an index of which only a part is taken. */
function isAboutWhole({ about }: FoundArtifact, { narrowed, root }: ImageSet): boolean {
  return narrowed && about === root.descriptor.digest;
}

function plannedWords({ by }: FoundArtifact, mode: ReferrerMode, alone: boolean): string {
  if (by === 'row')
    return alone
      ? 'is left out: its image is written without an index'
      : 'stays in the index if its image stays as it is';
  return mode === 'copy' || mode === 'later' ? 'goes along with what it is about' : 'stays with the source';
}

/** Names an artifact in one line: its kind, what it states, its digest, and what it is about. */
function describeArtifact({ by, platform, referrer, facts }: FoundArtifact): string {
  const { kind, artifactType, predicateTypes } = facts;
  const types = predicateTypes.length > 0 ? predicateTypes : [artifactType ?? referrer.mediaType];
  const where = by === 'tag' ? ` (${(referrer.tags ?? []).join(', ')})` : '';
  const about = platform === null ? '' : ` about ${platform}`;
  return `${kind} ${types.join(', ')} ${referrer.digest}${where}${about}`;
}

/** Refuses a run that would leave artifacts behind. @throws GATE with all of them */
export function refuseArtifacts(found: readonly FoundArtifact[], { label }: Source): void {
  if (found.length === 0) return;
  const what = found.length === 1 ? '1 artifact speaks' : `${found.length} artifacts speak`;
  throw new OcislimError(
    'GATE',
    `--referrers fail: ${what} of ${label}, and nothing was written:${found.map((each) => `\n  - ${describeArtifact(each)}`).join('')}`,
    { advice: 'With --referrers drop they stay with the source, with copy they go along with it.' },
  );
}

export interface CarryContext extends Omit<TreeCopierOptions, 'source'> {
  /** What the run has written: the result, and its images. */
  readonly written: ReadonlySet<Digest>;
  readonly signal: AbortSignal;
}

/**
 * Takes artifacts along, unchanged, with what they are about: a statement about the old digest holds for nothing else. Those about an index
 * of which only a part is taken stay. Returns what became of each. @throws what places throw
 */
export async function carryArtifacts(
  { set, found, source }: CarriedArtifacts,
  context: CarryContext,
): Promise<readonly ArtifactOutcome[]> {
  const { target, written, listener, signal } = context;
  if (isOnePlace(source, target)) return found.map((artifact) => ({ artifact, fate: 'copied' }));
  const tree = new TreeCopier({ ...context, source });
  const documents = documentsOf(set);
  const there = new Set(written);
  const outcomes: ArtifactOutcome[] = [];
  for (const artifact of found) {
    const { about, raw, referrer } = artifact;
    if (raw === null || about === null) continue;
    if (isAboutWhole(artifact, set) && !there.has(about)) {
      outcomes.push({ artifact, fate: 'left' });
      continue;
    }
    const document = documents.get(about);
    if (!there.has(about) && document !== undefined)
      await tree.copyRow(document.descriptor, document.raw, 0, signal);
    there.add(about);
    await tree.copyBelow(raw, 0, signal);
    const isThere = await attach(target, { raw, about, tags: referrer.tags ?? [] }, signal);
    there.add(referrer.digest);
    if (!isThere) warnOfTag(artifact, target, listener);
    outcomes.push({ artifact, fate: isThere ? 'copied' : 'left' });
  }
  const parts = outcomes.filter(({ artifact, fate }) => fate === 'left' && artifact.by !== 'tag');
  warnOfParts(parts.length, set, listener);
  return outcomes;
}

function warnOfParts(count: number, { root, narrowed }: ImageSet, listener: Listener): void {
  if (count === 0 || !narrowed) return;
  listener({
    type: 'warning',
    code: 'REFERRERS_LEFT',
    message: `artifacts about the whole index, ${root.descriptor.digest}, stay behind: only a part of it is taken (--platform)`,
  });
}

/** Attaches an artifact by its subject, and under all its tags. Returns whether it is under all of them. */
async function attach(
  target: Target,
  {
    raw,
    about,
    tags,
  }: { readonly raw: RawManifest; readonly about: Digest; readonly tags: readonly string[] },
  signal: AbortSignal,
): Promise<boolean> {
  const document = parseJsonObject(raw.bytes, 'an artifact');
  if (refersTo(document, about)) await target.attach(raw, signal);
  let isThere = true;
  for (const tag of tags) isThere = (await target.attach(raw, signal, tag)) && isThere;
  return isThere;
}

function warnOfTag({ referrer }: FoundArtifact, target: Target, listener: Listener): void {
  listener({
    type: 'warning',
    code: 'REFERRERS_LEFT',
    message: `${target.label} has signatures under ${(referrer.tags ?? []).join(', ')} that the source does not have: these stay, and ${referrer.digest} of the source was not written there`,
  });
}

/** What an artifact may be about. `raw`: null where it has not been read. */
interface Document {
  readonly descriptor: Descriptor;
  readonly raw: RawManifest | null;
}

/** Returns the manifests and indexes of a set, by digest. */
function documentsOf(set: ImageSet): ReadonlyMap<Digest, Document> {
  const all = membersBelow(set).flatMap((member): Document[] => {
    const raw = member.kind === 'nested' ? member.nested.raw : member.raw;
    const descriptor = raw?.descriptor ?? member.child?.descriptor;
    return descriptor === undefined ? [] : [{ descriptor, raw }];
  });
  const root = { descriptor: set.root.descriptor, raw: set.root };
  return new Map([root, ...all].map((each) => [each.descriptor.digest, each]));
}
