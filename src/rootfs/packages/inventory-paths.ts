/**
 * The files by which scanners know what an image contains, and its licences: package databases, SBOMs, metadata of packages. The
 * closure keeps them although no program needs them.
 */
import { baseOf, type Path, parentOf, rootPath } from '../../bytes/path.ts';
import { nodePackageRoot } from './node.ts';
import type { Package } from './package.ts';

/** Files that say which distribution and packages an image has. */
export const inventoryFiles: readonly Path[] = [
  rootPath`etc/os-release`,
  rootPath`usr/lib/os-release`,
  rootPath`etc/debian_version`,
  rootPath`etc/alpine-release`,
  rootPath`etc/redhat-release`,
  rootPath`etc/system-release`,
  rootPath`etc/lsb-release`,
  rootPath`etc/apk/arch`,
  rootPath`etc/apk/repositories`,
  rootPath`etc/apk/world`,
  rootPath`var/lib/dpkg/arch`,
  rootPath`var/lib/dpkg/diversions`,
  rootPath`var/lib/dpkg/statoverride`,
  rootPath`var/lib/dpkg/status`,
];

/** Directories of such files, and of licences. Debian's copyright files refer to those in `common-licenses`. */
export const inventoryDirectories: readonly Path[] = [
  rootPath`lib/apk/db`,
  rootPath`usr/lib/apk/db`,
  rootPath`usr/lib/sysimage/rpm`,
  rootPath`usr/share/common-licenses`,
  rootPath`usr/share/licenses`,
  rootPath`usr/share/sbom`,
  rootPath`var/lib/db/sbom`,
  rootPath`var/lib/dpkg/alternatives`,
  rootPath`var/lib/dpkg/info`,
  rootPath`var/lib/dpkg/status.d`,
  rootPath`var/lib/rpm`,
];

/** Returns whether a file only says what the image contains, or under which licence. */
export function isInventory(path: Path): boolean {
  return (
    inventoryFiles.includes(path) ||
    inventoryDirectories.some((directory) => path.startsWith(`${directory}/`))
  );
}

const licence = /^(?:(?:mit-|un|gpl-)?licen[cs]e|copying|copyright|notice)/i;
const distributionFile =
  /\.egg-info\/PKG-INFO$|\.dist-info\/(?:METADATA|licenses\/.+|(?:licen[cs]e|copying|notice|authors)[^/]*)$/i;
/** A file at the root of a package of Composer. */
const composerFile = /(?:^|\/)vendor\/[^/]+\/[^/]+\/[^/]+$/;

/**
 * Returns the files of a language's package by which scanners know it, and its licences. Those of a distribution's packages are in
 * its database, and in the directories above.
 */
export function inventoryOf({ kind, files }: Package): readonly Path[] {
  switch (kind) {
    case 'node':
      return files.filter(
        (path) =>
          parentOf(path) === nodePackageRoot(path) &&
          (baseOf(path) === 'package.json' || licence.test(baseOf(path))),
      );
    case 'composer':
      return files.filter(
        (path) => composerFile.test(path) && (baseOf(path) === 'composer.json' || licence.test(baseOf(path))),
      );
    case 'conda':
      return files.filter((path) => baseOf(parentOf(path)) === 'conda-meta');
    case 'python':
      return files.filter((path) => distributionFile.test(path));
    case 'ruby':
      return files.filter(
        (path) =>
          path.endsWith('.gemspec') ||
          (licence.test(baseOf(path)) && baseOf(parentOf(parentOf(path))) === 'gems'),
      );
    case 'apk':
    case 'dpkg':
    case 'rpm':
      return [];
  }
}
