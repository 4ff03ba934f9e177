import { type ByteString, ascii, asByteString } from '../../bytes/bytes.ts';
import { type Path, rootPath, join } from '../../bytes/path.ts';
import { inventoryDirectories, inventoryFiles, inventoryOf } from '../../rootfs/packages/inventory-paths.ts';
import { packageProbe, packagesOf } from '../../rootfs/packages/package-index.ts';
import type { Package } from '../../rootfs/packages/package.ts';
import type { ClosureRule, Need } from '../rule.ts';
import { present } from './present.ts';
import { PerClosure } from './spreading.ts';

/** Packages whose metadata were kept. */
const known = new PerClosure<Package>();

/** Nothing breaks without these files, but scanners need them, and licences must be passed on. Rules that name them win. */
export const inventoryRule: ClosureRule = {
  name: 'inventory',
  describe:
    'Package databases, licences, SBOMs and os-release; the metadata of each Python, Node or Ruby package of which a file stays. Rules and presets that name them win.',
  reads: packageProbe,
  *roots({ fs }) {
    const detail = ascii`says what the image contains`;
    for (const path of present(fs, inventoryFiles)) yield need(path, detail);
    for (const path of present(fs, inventoryDirectories)) yield { ...need(path, detail), below: true };
    for (const directory of fs.children(rootPath`usr/share/doc`)) {
      // Some of these directories are links to those of other packages.
      const copyright = join(directory, ascii`copyright`);
      if (fs.resolve(copyright).path !== null) yield need(copyright, ascii`is a licence`);
    }
  },
  *follow(path, context) {
    for (const owner of packagesOf(context).ownersOf(path)) {
      if (!known.isNew(owner, context)) continue;
      for (const file of inventoryOf(owner))
        yield need(file, ascii`says what the ${asByteString(owner.kind)} package ${owner.name} is`);
    }
  },
};

/** Makes a need that loses against rules and presets. */
function need(path: Path, detail: ByteString): Need {
  return { path, detail, strength: 'courtesy' };
}
