/**
 * The claim how the files of a new image relate to those of its source, made from the report of the run that wrote it. What a claim
 * allows is what `ocislim verify --removed-by REPORT` allows, and a law holds that both agree.
 */
import { isDigest } from '../oci/digest.ts';
import { typeNames } from './names.ts';
import { bytesOfPath, type ListDigest, listDigest, type ReportedPath } from './removed-list.ts';
import { digestSet, type ResourceDescriptor, type Statement, statementOf } from './statement.ts';

/**
 * How the files of an image relate to those of its source. `same-rootfs`: every path has the same kind, contents and attributes in both,
 * and neither has a path that the other lacks. `subset`: so it is, but for what the lists name.
 */
export interface Equivalence {
  readonly relation: 'same-rootfs' | 'subset';
  readonly source: ResourceDescriptor;
  readonly platform?: string;
  /** What may be missing with all below it; of a `subset` only. */
  readonly removed?: ListDigest;
  /** Files that have lost setuid and setgid bits; absent where none has. */
  readonly cleared?: ListDigest;
  /** Files with other contents: package databases; absent where none has. */
  readonly edited?: ListDigest;
  /** Files that became hard links to equal ones; absent where none has. */
  readonly linked?: ListDigest;
  /** In what the images may differ without a difference in their files. */
  readonly ignored: readonly string[];
  readonly config: ConfigRelation;
}

/** Whether containers get the same config; `changed` names the members that are not the same. */
export type ConfigRelation =
  | { readonly relation: 'same' }
  | { readonly relation: 'changed'; readonly changed: readonly string[] };

/** In what root filesystems are not compared, since containers do not see it, or runtimes disagree about it. */
const ignoredAspects = [
  'layers',
  'packing',
  'order',
  'history',
  'hidden-files',
  'implied-directory-times',
] as const;

/** The part of a report about one image that a claim is made of. */
export interface ReportedImage {
  readonly platform: string | null;
  readonly sourceDigest: string;
  readonly digest: string | null;
  readonly slimming: ReportedSlimming | null;
  readonly restoring?: object | undefined;
}

/** What was removed from an image, and how files were changed. */
export interface ReportedSlimming {
  readonly removed: readonly (ReportedPath & { readonly type: string; readonly rule: string })[];
  readonly cleared: readonly (ReportedPath & { readonly oldMode: string; readonly newMode: string })[];
  readonly edited?:
    | readonly (ReportedPath & {
        readonly before: { readonly digest: string };
        readonly after: { readonly digest: string };
      })[]
    | undefined;
  readonly linked?:
    | {
        readonly links: readonly (ReportedPath & {
          readonly to: string;
          readonly toBase64?: string | undefined;
        })[];
      }
    | undefined;
}

/** What a claim is made of. */
export interface Related {
  readonly platform: ReportedImage;
  readonly config: ConfigRelation;
  /** The source, where it has a name that others can use. */
  readonly uri: string | null;
}

/**
 * Makes the claim of one platform. Returns null where none can be made: of a dry run, of an image that did not change, and of one to
 * which paths were restored, since its files are neither those of its source nor, for certain, those of the original.
 */
export function equivalenceOf(
  { platform: report, config, uri }: Related,
  subject: Pick<ResourceDescriptor, 'name'> = {},
): Statement<Equivalence> | null {
  const { digest, sourceDigest, platform, slimming, restoring } = report;
  if (digest === null || digest === sourceDigest || restoring !== undefined) return null;
  if (!isDigest(digest) || !isDigest(sourceDigest)) return null;
  const source = { ...(uri === null ? {} : { uri }), digest: digestSet(sourceDigest) };
  return statementOf({ ...subject, digest: digestSet(digest) }, typeNames.equivalence, {
    ...relationOf(slimming),
    source,
    ...(platform === null ? {} : { platform }),
    ignored: ignoredAspects,
    config,
  });
}

function relationOf(
  slimming: ReportedSlimming | null,
): Pick<Equivalence, 'relation' | 'removed' | 'cleared' | 'edited' | 'linked'> {
  if (slimming === null) return { relation: 'same-rootfs' };
  const removed = removedList(slimming);
  const cleared = listDigest(slimming.cleared.map((file) => [bytesOfPath(file), file.oldMode, file.newMode]));
  const edited = listDigest(
    (slimming.edited ?? []).map((file) => [bytesOfPath(file), file.before.digest, file.after.digest]),
  );
  const links = slimming.linked?.links ?? [];
  const linked = listDigest(
    links.map((file) => [bytesOfPath(file), bytesOfPath({ path: file.to, pathBase64: file.toBase64 })]),
  );
  if (removed.count + cleared.count + edited.count + linked.count === 0) return { relation: 'same-rootfs' };
  return {
    relation: 'subset',
    removed,
    ...(cleared.count === 0 ? {} : { cleared }),
    ...(edited.count === 0 ? {} : { edited }),
    ...(linked.count === 0 ? {} : { linked }),
  };
}

/** Returns the list of the paths that a rule or a trace took from an image. */
export function removedList({ removed }: Pick<ReportedSlimming, 'removed'>): ListDigest {
  return listDigest(removed.filter(isLost).map((entry) => [bytesOfPath(entry)]));
}

/** Returns whether an entry may have been visible: neither a marker, nor hidden by a layer above. */
function isLost({ type, rule }: ReportedSlimming['removed'][number]): boolean {
  return type !== 'whiteout' && rule !== 'shadowed';
}
