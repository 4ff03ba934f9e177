import { baseOf, type Path, parentOf } from '../../bytes/path.ts';
import { nodePackageRoot } from './node.ts';
import type { Package } from './package.ts';

/** What only people and developers' tools read. Translated messages are not among it: programs show them. */
const documentation =
  /^usr\/(?:local\/)?share\/(?:doc|man|info|doc-base|gtk-doc|help|gnome\/help|omf|linda|lintian|bug|reportbug)\//;

/** What tells people about a Node package, at its root. Whatever could be read by a program stays: `README.js`, `docs/`. */
const aboutPackage =
  /^(?:readme|changelog|changes|history|contributing|authors)(?:\.(?:md|markdown|txt|rst))?$/i;

/** Is a file of a package that stays whole something that it works without? */
export function isDocumentation({ kind }: Package, path: Path): boolean {
  if (documentation.test(path)) return true;
  return kind === 'node' && aboutPackage.test(baseOf(path)) && parentOf(path) === nodePackageRoot(path);
}
