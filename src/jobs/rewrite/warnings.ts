/**
 * The warnings of a run: what a plan cannot do as it was asked for, and what the result leaves behind. The steps of the run
 * call these once they know; where `--strict` makes a warning an error, it comes before the tag.
 */
import { quotePath, root } from '../../bytes/path.ts';
import { caveatOf } from '../../codec/encoding.ts';
import type { Listener } from '../../events.ts';
import { encodingOf, nameOfImage } from '../../image/image.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { RawManifest, Source } from '../../place/place.ts';
import type { CheckedClosure } from '../../closure/close-image.ts';
import type { ImageSet, Member } from '../image-set.ts';
import type { DecidedImage, ResolvedImage } from './records.ts';

/** Warns of what the resolution of an image could not do, or did with doubts. */
export async function warnOfResolution(
  { image, resolution }: ResolvedImage,
  listener: Listener,
): Promise<void> {
  const name = nameOfImage(image);
  for (const change of resolution.keptForLinks) {
    const path = resolution.table?.paths[change.path];
    listener({
      type: 'warning',
      code: 'KEPT_FOR_LINK',
      message: `${name}: ${quotePath(path ?? root)} stays, since a layer that was not selected has a hard link to it`,
    });
  }
  for (const closure of resolution.traced) await warnOfClosure(name, closure, listener);
  for (const rule of resolution.unusedRules) {
    if (rule.group === undefined)
      listener({
        type: 'warning',
        code: 'RULE_UNUSED',
        message: `${rule.origin}: the rule ${JSON.stringify(rule.text)} matches nothing in ${name}`,
      });
  }
}

async function warnOfClosure(
  name: string,
  { input, pruning, problems, doubts }: CheckedClosure,
  listener: Listener,
): Promise<void> {
  for (const doubt of doubts)
    listener({ type: 'warning', code: 'TRACE_DOUBTFUL', message: `${name}: ${doubt}` });
  for (const { sentence } of problems)
    listener({ type: 'warning', code: 'FORCED', message: `${name} may not run: ${sentence}` });
  if (pruning.granularity === 'file') return;
  const { packagesOf } = await import('../../rootfs/packages/package-index.ts');
  for (const { path, why } of packagesOf(input).unread)
    listener({
      type: 'warning',
      code: 'PACKAGES_UNREAD',
      message: `${name}: the package database ${quotePath(path)} cannot be read (${why}): of its packages only what is needed stays`,
    });
}

/** Reports each warning that a decided encoding deserves, once. */
export function warnOfEncodings(images: readonly DecidedImage[], listener: Listener): void {
  const encodings = images.flatMap(({ layers }) => layers.map(({ layer }) => encodingOf(layer)));
  const caveats = encodings.flatMap((encoding) =>
    encoding.kind === 'keep' || encoding.kind === 'tuned' ? [] : (caveatOf(encoding) ?? []),
  );
  for (const caveat of new Map(caveats.map((each) => [each.message, each])).values()) listener(caveat);
}

/** Warns of a reference to another manifest that a changed image no longer has. */
export function warnOfSubject({ image, raw }: Member, manifest: RawManifest, listener: Listener): void {
  const subject = image?.manifest.subject ?? null;
  if (subject === null || manifest.descriptor.digest === raw.descriptor.digest) return;
  listener({
    type: 'warning',
    code: 'REFERRERS_LEFT',
    message: `the source says of itself that it refers to ${subject.digest}; the new image does not say so`,
  });
}

/** Warns of signatures and the like, which are valid for the old digest only, where the root has another. */
export async function warnOfReferrers(
  source: Source,
  set: ImageSet,
  root: RawManifest,
  { listener, signal }: { readonly listener: Listener; readonly signal: AbortSignal },
): Promise<void> {
  if (root.descriptor.digest === set.root.descriptor.digest) return;
  let found: readonly Descriptor[];
  try {
    found = await source.referrers(set.root.descriptor.digest, signal);
  } catch (error) {
    signal.throwIfAborted();
    // A registry that does not answer must not silence signatures.
    listener({
      type: 'warning',
      code: 'REFERRERS_LEFT',
      message: `it is unknown whether signatures or attestations refer to the source: ${error instanceof Error ? error.message : String(error)}`,
    });
    return;
  }
  if (found.length === 0) return;
  const kinds = new Set(
    found.map(({ json, mediaType }) =>
      typeof json['artifactType'] === 'string' ? json['artifactType'] : mediaType,
    ),
  );
  const artifacts = `${found.length} ${found.length === 1 ? 'artifact refers' : 'artifacts refer'}`;
  listener({
    type: 'warning',
    code: 'REFERRERS_LEFT',
    message: `${artifacts} to the source (${[...kinds].join(', ')}): signatures and attestations do not hold for the new digest and stay behind`,
  });
}
