import { baseOf, type Path, parentOf } from '../../bytes/path.ts';
import { nodePackageRoot } from './node.ts';
import type { Package } from './package.ts';

/** Files that say what an image is made of, wherever they are. */
export const inventoryFiles: readonly Path[] = [
  'etc/os-release',
  'usr/lib/os-release',
  'etc/debian_version',
  'etc/alpine-release',
  'etc/redhat-release',
  'etc/system-release',
  'etc/lsb-release',
  'etc/apk/arch',
  'etc/apk/repositories',
  'etc/apk/world',
  'var/lib/dpkg/arch',
  'var/lib/dpkg/diversions',
  'var/lib/dpkg/statoverride',
  'var/lib/dpkg/status',
];

/** Directories of such files, and of licences: those in `common-licenses` are what Debian's copyright files refer to. */
export const inventoryDirectories: readonly Path[] = [
  'lib/apk/db',
  'usr/lib/apk/db',
  'usr/lib/sysimage/rpm',
  'usr/share/common-licenses',
  'usr/share/licenses',
  'usr/share/sbom',
  'var/lib/db/sbom',
  'var/lib/dpkg/alternatives',
  'var/lib/dpkg/info',
  'var/lib/dpkg/status.d',
  'var/lib/rpm',
];

/** Does nothing but say what the image is made of, or under which terms? */
export function isInventory(path: Path): boolean {
  return (
    inventoryFiles.includes(path) ||
    inventoryDirectories.some((directory) => path.startsWith(`${directory}/`))
  );
}

const licence = /^(?:(?:mit-|un|gpl-)?licen[cs]e|copying|copyright|notice)/i;
const distributionFile =
  /\.egg-info\/PKG-INFO$|\.dist-info\/(?:METADATA|licenses\/.+|(?:licen[cs]e|copying|notice|authors)[^/]*)$/i;
/** At the root of a package of Composer. */
const composerFile = /(?:^|\/)vendor\/[^/]+\/[^/]+\/[^/]+$/;

/** Those files of a language's package by which scanners know it, and its licences. Distributions' packages have theirs elsewhere. */
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
