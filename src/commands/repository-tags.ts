import { formOf, type Reference } from '../oci/reference.ts';
import { isServiceTag } from '../fleet/index.ts';
import { listTags } from '../registry/listings.ts';
import { directoryFiles } from '../store/layout/layout-files.ts';
import { LayoutSource } from '../store/layout/layout-source.ts';
import { onlyImage } from '../store/layout/layout-choice.ts';
import type { Workspace } from './workspace.ts';

/**
 * Lists the images beside one: the tags of its repository, or of its layout. `source` is that of the job, whose credentials are shown to its own
 * registry alone. Returns null for a place that is neither. @throws NOT_FOUND, REGISTRY, UNAUTHORIZED, ARCHIVE_INVALID, …
 */
export async function tagsBeside(
  workspace: Workspace,
  source: Reference,
  reference: Reference,
): Promise<readonly Reference[] | null> {
  const { limits, signal } = workspace;
  if (reference.kind === 'layout') {
    const label = `oci:${reference.path}`;
    await using layout = new LayoutSource({
      label,
      files: directoryFiles(reference.path, label),
      wanted: onlyImage,
      limits,
    });
    const names = (await layout.entries(signal)).flatMap(({ refName }) => refName ?? []);
    return named(reference, names);
  }
  if (reference.kind !== 'registry') return null;
  const names: string[] = [];
  const pages = listTags(reference, workspace.optionsBeside(source, reference), signal);
  for await (const page of pages) for (const tag of page) names.push(tag);
  return named(reference, names);
}

function named(reference: Reference, names: readonly string[]): readonly Reference[] {
  const meant = names.filter((name) => !isServiceTag(name));
  return [...new Set(meant)].map((name) => formOf(reference).withName(reference, name));
}
