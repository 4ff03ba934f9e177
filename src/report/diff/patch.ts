/** Renders the patches of a comparison, and nothing else, for `git apply` and `patch`. The table of renderers calls it. */
import type { ImageDiff } from '../../analyze/diff/image-diff.ts';
import { OcislimError } from '../../errors.ts';
import { patchesOf } from './words.ts';

/** Yields the patches of all files, in their exact bytes. @throws USAGE for patches of several platforms, which are about the same names */
export function* renderPatches({ platforms }: ImageDiff): Generator<string> {
  const patched = platforms
    .map(({ platform, files }) => ({ platform, patches: patchesOf(files) }))
    .filter(({ patches }) => patches.length > 0);
  if (patched.length > 1)
    throw new OcislimError(
      'USAGE',
      `there are patches for ${patched.length} platforms, and only one of them can be applied`,
      {
        advice: `Choose one: --platform ${patched[0]?.platform}`,
      },
    );
  for (const { patches } of patched) for (const { patch } of patches) yield patch;
}
