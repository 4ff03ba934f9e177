/**
 * Names the component that claims a path: a group of the user, a package, a database that every build writes. `components-of.ts` asks for
 * each path, and gives what nothing claims to trees and large files.
 */
import { baseOf, type Path } from '../bytes/path.ts';
import { type ByteString, utf8Text } from '../bytes/bytes.ts';
import { isOfDistribution, type Package, type PackageIndex } from '../rootfs/packages/package.ts';
import { isVolatile } from './volatile.ts';

/** How files become components. */
export type Division = 'package' | 'path' | 'size';

/** A component that the user has named, and its files. */
export interface ComponentGroup {
  readonly name: string;
  matches(path: Path): boolean;
}

/** What claims a path. */
export interface Claim {
  readonly name: string;
  readonly volatile: boolean;
  /** The component that it is a part of, unless it is large. Null: it stands for itself. */
  readonly smallPartOf: string | null;
}

/** Claims paths. */
export class PathClaims {
  readonly #groups: readonly ComponentGroup[];
  readonly #packages: PackageIndex | null;
  readonly #byPackage = new Map<Package, Claim>();
  readonly #byName = new Map<ByteString, Package>();
  readonly #known = new Map<string, Claim>();

  /** Takes the packages of the image; null where files are not divided by package. */
  constructor(groups: readonly ComponentGroup[], packages: PackageIndex | null) {
    this.#groups = groups;
    this.#packages = packages;
    for (const each of packages?.packages ?? []) if (each.kind === 'dpkg') this.#byName.set(each.name, each);
  }

  /** Returns what claims a path, given the component that its file names (`user.component`). Null: nothing does. */
  of(path: Path, named: string | null): Claim | null {
    const group = this.#groups.find((each) => each.matches(path));
    if (group !== undefined) return this.#claim(`group:${group.name}`);
    if (named !== null) return this.#claim(`named:${named}`);
    const owner = this.#recorded(path);
    if (owner !== undefined) return this.#ofPackage(owner, path);
    if (isVolatile(path)) return this.#claim('volatile', true);
    const owners = this.#packages?.ownersOf(path) ?? [];
    const found = owners.find(({ kind }) => isOfDistribution(kind)) ?? owners[0];
    if (found !== undefined) return this.#ofPackage(found, path);
    const modules = this.#packages === null ? null : nodeModules(path);
    return modules === null ? null : this.#claim(`node:/${utf8Text(modules)}`);
  }

  /** Finds the package that a file of dpkg's is about: "info/curl.list", "status.d/curl". */
  #recorded(path: Path): Package | undefined {
    if (!path.startsWith('var/lib/dpkg/')) return undefined;
    const base = baseOf(path);
    if (path.startsWith('var/lib/dpkg/info/'))
      return this.#byName.get(base.slice(0, Math.max(0, base.lastIndexOf('.'))));
    if (path.startsWith('var/lib/dpkg/status.d/')) return this.#byName.get(base.replace(/\.md5sums$/, ''));
    return undefined;
  }

  #ofPackage(found: Package, path: Path): Claim {
    if (found.kind === 'node') return this.#ofNode(path);
    let claim = this.#byPackage.get(found);
    if (claim === undefined) {
      claim = this.#claim(componentOfPackage(found));
      this.#byPackage.set(found, claim);
    }
    return claim;
  }

  /** A package of Node is known by its directory: an image may have several of one name. */
  #ofNode(path: Path): Claim {
    const end = path.lastIndexOf('/node_modules/') + '/node_modules/'.length;
    const from = path.lastIndexOf('/node_modules/') < 0 ? 'node_modules/'.length : end;
    const scope = path[from] === '@' ? path.indexOf('/', from) + 1 : from;
    const root = path.slice(0, path.indexOf('/', scope));
    return this.#claim(`node:/${utf8Text(root)}`, false, `node:/${utf8Text(nodeModules(path) ?? root)}`);
  }

  #claim(name: string, volatile = false, smallPartOf: string | null = null): Claim {
    let claim = this.#known.get(name);
    if (claim === undefined) {
      claim = { name, volatile, smallPartOf };
      this.#known.set(name, claim);
    }
    return claim;
  }
}

/** Names the component of a package: packages that were built together have one name. */
export function componentOfPackage({ kind, name, details }: Package): string {
  const own = utf8Text(details.registryName ?? name);
  if (kind === 'python') return `python:${own.toLowerCase().replace(/[-_.]+/g, '-')}`;
  if (kind === 'dpkg') return `dpkg:${details.source?.name ?? own.split(':', 1)[0]}`;
  return `${kind}:${details.source?.name ?? own}`;
}

/** Returns the highest `node_modules` that a path is in. */
function nodeModules(path: Path): ByteString | null {
  if (path.startsWith('node_modules/')) return path.slice(0, 'node_modules'.length);
  const at = path.indexOf('/node_modules/');
  return at < 0 ? null : path.slice(0, at + '/node_modules'.length);
}
