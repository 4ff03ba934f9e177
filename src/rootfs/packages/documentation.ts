import { baseOf, type Path, parentOf } from '../../bytes/path.ts';
import { nodePackageRoot } from './node.ts';
import type { ByteString } from '../../bytes/bytes.ts';
import type { Package } from './package.ts';

/** Files that only people and developers' tools read. Translated messages do not count: programs show them. */
const documentation =
  /^usr\/(?:local\/)?share\/(?:doc|man|info|doc-base|gtk-doc|help|gnome\/help|omf|linda|lintian|bug|reportbug)\//;

/** Documentation and translations, by absolute names: slim base images leave them out, and no package is broken by that. */
const leftOut =
  /^\/?usr\/(?:local\/)?share\/(?:doc|man|info|doc-base|gtk-doc|help|gnome\/help|omf|linda|lintian|bug|reportbug|locale)(?:\/|$)/;

/** Returns whether the files of a list that a distribution's image may lack without damage have this name. */
export function isLeftOut(name: ByteString): boolean {
  return leftOut.test(name);
}

/** Files at the root of a Node package that only people read. Names that a program could load do not count: `README.js`. */
const aboutPackage =
  /^(?:readme|changelog|changes|history|contributing|authors)(?:\.(?:md|markdown|txt|rst))?$/i;

/** Returns whether a file is documentation, which its package works without. */
export function isDocumentation({ kind }: Package, path: Path): boolean {
  if (documentation.test(path)) return true;
  return kind === 'node' && aboutPackage.test(baseOf(path)) && parentOf(path) === nodePackageRoot(path);
}
