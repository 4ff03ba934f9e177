/** Runs `diff`: opens both images and lists what differs. */
import type { ImageDiff } from '../analyze/diff/image-diff.ts';
import { diffImages, type PathSelection } from '../jobs/compare/diff.ts';
import type { Reference } from '../oci/reference.ts';
import { createKeepMatcher, parseRule } from '../rules/rules.ts';
import type { DiffSettings } from '../settings/tables/diff.ts';
import type { Surroundings } from './surroundings.ts';
import { Workspace } from './workspace.ts';

/** Lists what differs. The credentials of the source are for A, those of the destination for B. @throws OcislimError */
export async function diffTwo(
  { a, b, settings }: { readonly a: Reference; readonly b: Reference; readonly settings: DiffSettings },
  surroundings: Surroundings,
): Promise<ImageDiff> {
  await using workspace = new Workspace(settings, surroundings);
  const { jobs, limits, listener, signal } = workspace;
  const cache = await workspace.openCache();
  const first = await workspace.openSource(a);
  await using second = await workspace.openResult(b);
  const found = await diffImages({
    a: first,
    b: second,
    platforms: settings.platform,
    ignored: settings.ignore,
    selection: selectionOf(settings.path),
    layers: settings.layers,
    patch: settings.patch,
    maxScratch: workspace.disk,
    jobs,
    limits,
    cache,
    listener,
    signal,
  });
  if (settings.also.length === 0) return found;
  const { withVersions } = await import('./compare-versions.ts');
  return await withVersions(found, { a, first, second, settings }, workspace);
}

function selectionOf(globs: readonly string[]): PathSelection | null {
  if (globs.length === 0) return null;
  const matches = createKeepMatcher(globs.map((glob) => parseRule(glob, '--path')));
  return { globs, matches: (path) => matches(path) !== null };
}
