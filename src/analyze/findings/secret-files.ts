/** Finds files with secrets in every layer of an image. The analysis lists them in the attack surface, and makes findings of them. */
import type { Path } from '../../bytes/path.ts';
import type { PackageIndex } from '../../rootfs/packages/package.ts';
import { secretIn } from '../../rootfs/surface/secret-files.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { LayeredImage } from '../entries.ts';
import { fates } from '../fates.ts';

/** A secret in a file of one layer. */
export interface SecretFile {
  readonly path: Path;
  readonly layer: number;
  readonly what: string;
  readonly visible: boolean;
  /** The layer that hides it; 0 for a visible one. */
  readonly hiddenBy: number;
  readonly bytes: number;
}

/** Where keys of tests and examples lie: they are public. */
const examples =
  /(?:^|\/)(?:tests?|testing|testdata|fixtures?|examples?|samples?|demos?|docs?|__tests__|spec)\//i;

/** What the search looks at. */
interface SecretSearch extends Pick<LayeredImage, 'indexes' | 'fates'> {
  /** Returns the contents of an entry, if the scan kept them. */
  contents(layer: number, entry: number): Uint8Array | null;
  readonly packages: PackageIndex;
}

/**
 * Finds files with secrets in all layers. Left out are those of packages, which everyone can download, keys of tests and examples, and
 * files that are hidden and still visible under another name, which count once.
 */
export function* secretFileSteps(context: SecretSearch): Steps<readonly SecretFile[]> {
  const found: SecretFile[] = [];
  let seen = 0;
  for (const [layer, index] of context.indexes)
    for (const [entry, path] of index.paths.entries()) {
      if (++seen % itemsPerStep === 0) yield;
      if (index.kinds[entry] !== 'file' || examples.test(path)) continue;
      const contents = context.contents(layer, entry);
      if (contents === null) continue;
      yield;
      const what = secretIn(path, contents);
      if (what === null || context.packages.ownersOf(path).length > 0) continue;
      const own = context.fates.layers.get(layer);
      const visible = own?.fate[entry] === fates.kept || own?.lost[entry] === 0;
      const bytes = index.sizes[entry] as number;
      found.push({ path, layer, what, visible, hiddenBy: visible ? 0 : (own?.hiddenBy[entry] ?? 0), bytes });
    }
  return found;
}
