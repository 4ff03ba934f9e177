import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OcislimError } from '../errors.ts';
import { formatReference, type Reference, type RegistryReference } from '../oci/reference.ts';
import type { Source, Target } from '../place/place.ts';
import type { RegistryOptions } from '../registry/lease.ts';
import type { MirrorOptions } from '../registry/mirrored-source.ts';

/**
 * Opens the place of an image for reading; one in a registry by its mirrors, if it has any. Nothing is read before
 * something is asked for, but where the path ends.
 */
export async function openSource(
  reference: Reference,
  options: RegistryOptions,
  mirrors: MirrorOptions | null = null,
): Promise<Source> {
  const settled = await settlePath(reference);
  const label = formatReference(settled);
  const what = `source ${label}`;
  switch (settled.kind) {
    // What speaks to a place is loaded where one is met: all of them take longer than a small copy.
    case 'registry': {
      const { openMirroredSource } = await import('../registry/mirrored-source.ts');
      return openMirroredSource(settled, options, mirrors);
    }
    case 'layout': {
      const { directoryFiles } = await import('../store/layout/layout-files.ts');
      const { LayoutSource } = await import('../store/layout/layout-source.ts');
      return new LayoutSource(label, directoryFiles(settled.path, what), settled, options.limits);
    }
    case 'oci-archive': {
      const { ArchiveFiles } = await import('../store/archive/archive-files.ts');
      const { LayoutSource } = await import('../store/layout/layout-source.ts');
      return new LayoutSource(
        label,
        new ArchiveFiles(settled.path, what, options.limits),
        settled,
        options.limits,
      );
    }
    case 'docker-archive': {
      const { ArchiveFiles } = await import('../store/archive/archive-files.ts');
      const { DockerArchiveSource } = await import('../store/archive/docker-archive-source.ts');
      return new DockerArchiveSource(
        label,
        new ArchiveFiles(settled.path, what, options.limits),
        settled.name,
        options.limits,
      );
    }
  }
}

/**
 * Opens a place for writing; the references differ in their tags only. Local places are looked at, not yet written.
 * @throws REFERENCE_INVALID for several places, ARCHIVE_INVALID, IO
 */
export async function openTarget(
  references: readonly Reference[],
  options: RegistryOptions,
  signal: AbortSignal,
): Promise<Target> {
  const settled = await Promise.all(references.map(settlePath));
  const [first] = settled;
  if (first === undefined) throw new OcislimError('REFERENCE_INVALID', 'no destination was given');
  const stray = settled.find((reference) => placeOf(reference) !== placeOf(first));
  if (stray !== undefined) {
    throw new OcislimError(
      'REFERENCE_INVALID',
      `${formatReference(stray)} is in another place than ${formatReference(first)}`,
      { advice: 'Write to one place, then copy the result to the other.' },
    );
  }
  const label = settled.map(formatReference).join(', ');
  const what = `destination ${label}`;
  if (settled.some((each) => 'digest' in each && each.kind !== 'registry' && each.digest !== null)) {
    throw new OcislimError('REFERENCE_INVALID', `${label}: a destination has no digest yet`, {
      advice: 'Name the destination by a tag.',
    });
  }
  if (first.kind === 'registry') {
    const { openRegistryTarget } = await import('../registry/target.ts');
    return openRegistryTarget(settled.filter(isRegistry), options);
  }
  const { LocalTarget } = await import('../store/local-target.ts');
  switch (first.kind) {
    case 'layout': {
      const { LayoutStorage } = await import('../store/layout/layout-storage.ts');
      const storage = await LayoutStorage.open(first.path, tagsOf(settled), what, signal);
      return new LocalTarget(label, storage, 'any', (digest) => formatReference({ ...first, digest }));
    }
    case 'oci-archive': {
      const { ArchiveStorage } = await import('../store/archive/archive-storage.ts');
      const { ociMembers } = await import('../store/archive/last-members.ts');
      const storage = await ArchiveStorage.open(first.path, what, ociMembers(tagsOf(settled)));
      return new LocalTarget(label, storage, 'any', (digest) => formatReference({ ...first, digest }));
    }
    case 'docker-archive': {
      const { ArchiveStorage } = await import('../store/archive/archive-storage.ts');
      const { dockerMembers } = await import('../store/archive/last-members.ts');
      const storage = await ArchiveStorage.open(first.path, what, dockerMembers(tagsOf(settled), what));
      return new LocalTarget(label, storage, 'plain', () => formatReference(first));
    }
  }
}

function isRegistry(reference: Reference): reference is RegistryReference {
  return reference.kind === 'registry';
}

function placeOf(reference: Reference): string {
  return reference.kind === 'registry'
    ? `registry ${reference.host} ${reference.repository}`
    : `${reference.kind} ${resolve(reference.path)}`;
}

function tagsOf(references: readonly Reference[]): readonly string[] {
  return references.flatMap((reference) => {
    const name =
      reference.kind === 'docker-archive' ? reference.name : 'tag' in reference ? reference.tag : null;
    return name === null ? [] : [name];
  });
}

/**
 * A name in a layout may hold a colon itself (`repository:tag`, as registries over a layout and containerd write it).
 * Only the disk tells where the path ends: at the first colon before which something is there, if the whole is not.
 */
async function settlePath(reference: Reference): Promise<Reference> {
  if (reference.kind !== 'layout' && reference.kind !== 'oci-archive') return reference;
  const { path, tag } = reference;
  if (tag === null || !path.includes(':') || (await isThere(path))) return reference;
  for (let at = path.indexOf(':', 1); at > 0; at = path.indexOf(':', at + 1)) {
    const shorter = path.slice(0, at);
    if (await isThere(shorter)) return { ...reference, path: shorter, tag: `${path.slice(at + 1)}:${tag}` };
  }
  return reference;
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
