import { type ByteString, ascii, asByteString } from '../../bytes/bytes.ts';
import { type Path, rootPath, join } from '../../bytes/path.ts';
import { inventoryDirectories, inventoryFiles, inventoryOf } from '../../rootfs/packages/inventory-paths.ts';
import { packageProbe, packagesOf } from '../../rootfs/packages/package-index.ts';
import type { Package } from '../../rootfs/packages/package.ts';
import type { ClosureRule, Need } from '../rule.ts';
import { PerClosure } from './spreading.ts';

/** Packages whose files are asked for. */
const known = new PerClosure<Package>();

/** Nothing breaks without them, but scanners go blind, and licences want to be passed on. Rules that name them win. */
export const inventoryRule: ClosureRule = {
  name: 'inventory',
  describe:
    'Package databases, licences, SBOMs and os-release stay, and of each Python, Node or Ruby package of which something stays the files that say what it is, unless a rule or preset names them.',
  reads: packageProbe,
  *roots({ fs }) {
    for (const path of inventoryFiles)
      if (fs.kind(path) !== null) yield need(path, ascii`says what the image is made of`);
    for (const path of inventoryDirectories)
      if (fs.kind(path) !== null) yield { ...need(path, ascii`says what the image is made of`), below: true };
    for (const directory of fs.children(rootPath`usr/share/doc`)) {
      // Some of these directories are links to that of another package.
      const copyright = join(directory, ascii`copyright`);
      if (fs.resolve(copyright).path !== null) yield need(copyright, ascii`is a licence`);
    }
  },
  *follow(path, context) {
    const done = known.of(context);
    for (const owner of packagesOf(context).ownersOf(path)) {
      if (done.has(owner)) continue;
      done.add(owner);
      for (const file of inventoryOf(owner))
        yield need(file, ascii`says what the ${asByteString(owner.kind)} package ${owner.name} is`);
    }
  },
};

function need(path: Path, detail: ByteString): Need {
  return { path, detail, strength: 'courtesy' };
}
