import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parentOf, baseOf, join } from '../../src/bytes/path.ts';
import { buildPackageIndex, packageProbe } from '../../src/rootfs/packages/package-index.ts';
import type { PackageIndex } from '../../src/rootfs/packages/package.ts';
import { type Files, imageOf } from '../rootfs/packages/rig.ts';
import { GiB } from '../../src/units.ts';
import { b, p } from '../support/bytes.ts';

// The system that the tests run on, as if it were an image: ocislim must read what dpkg says of it. Only the
// folders of packages are read, because elsewhere whole other systems may lie.
const roots = ['bin', 'etc', 'lib', 'lib32', 'lib64', 'libx32', 'sbin', 'usr', 'var/lib/dpkg'];
const bytes = (path: string): Buffer => Buffer.from(`/${path}`, 'latin1');
const dpkg = (...args: readonly string[]): string =>
  execFileSync(args[0] ?? '', args.slice(1), { encoding: 'latin1', maxBuffer: GiB });

function collect(directory: string, files: Record<string, Files[string]>): void {
  for (const entry of readdirSync(bytes(directory), { withFileTypes: true, encoding: 'buffer' })) {
    const path = join(p(directory), b(b(entry.name.toString('latin1'))));
    if (entry.isDirectory()) collect(path, files);
    else if (entry.isSymbolicLink()) files[path] = { link: readlinkSync(bytes(path), 'latin1') };
    else if (entry.isFile()) files[path] = packageProbe(path) > 0 ? readFileSync(bytes(path)) : '';
  }
}

/**
 * Returns the place of a name of dpkg's, with directories that became links followed; null for directories and for
 * files that are gone.
 */
function place(name: string): string | null {
  try {
    const directory = realpathSync(bytes(parentOf(p(name.slice(1)))), 'latin1');
    const path = join(p(directory.slice(1)), baseOf(b(name)));
    if (!roots.some((root) => path === root || path.startsWith(`${root}/`))) return null;
    return isLink(path) || !statSync(bytes(path)).isDirectory() ? path : null;
  } catch {
    return null;
  }
}

function isLink(path: string): boolean {
  try {
    readlinkSync(bytes(path));
    return true;
  } catch {
    return false;
  }
}

describe('the packages of this system', () => {
  let index: PackageIndex;

  beforeAll(async () => {
    const files: Record<string, Files[string]> = {};
    for (const root of roots)
      if (isLink(root)) files[root] = { link: readlinkSync(bytes(root), 'latin1') };
      else if (existsSync(bytes(root))) collect(root, files);
    const { fs, facts } = await imageOf(files);
    index = buildPackageIndex(fs, facts);
  }, 120_000);

  it('and their versions are those that dpkg lists', () => {
    const listed = dpkg('dpkg-query', '-W', '-f', '${binary:Package} ${Version}\n').trimEnd().split('\n');
    const read = index.packages
      .filter(({ kind }) => kind === 'dpkg')
      .map(({ name, version }) => `${name} ${version}`);
    expect(read.sort()).toEqual(listed.sort());
  });

  it('have the files that dpkg -L says', () => {
    const packages = index.packages.filter(({ kind }) => kind === 'dpkg');
    const said = dpkg('dpkg', '-L', ...packages.map(({ name }) => name)).split('\n\n');
    expect(said).toHaveLength(packages.length);
    for (const [i, { name, files }] of packages.entries()) {
      const expected = new Set<string>();
      let last: string | null = null;
      for (const line of (said[i] ?? '').trimEnd().split('\n')) {
        const diverted = /^(?:diverted by \S+|locally diverted) to: (.*)$/.exec(line)?.[1];
        if (diverted !== undefined && last !== null) expected.delete(last);
        last = place(diverted ?? line);
        if (last !== null && (line.startsWith('/') || diverted !== undefined)) expected.add(last);
      }
      expect({ name, files }).toEqual({ name, files: [...expected].sort() });
    }
  });

  it('own the files that dpkg -S says', () => {
    const paths = index.packages.filter(({ kind }) => kind === 'dpkg').flatMap(({ files }) => files);
    // Names as dpkg writes them, without links on the way, and without what it takes for a pattern.
    const sample = paths
      .filter((path, i) => i % 97 === 0 && /^usr\/share\/[\w./-]+$/.test(path))
      .slice(0, 800);
    expect(sample.length).toBeGreaterThan(10);
    const said = dpkg('dpkg', '-S', ...sample.map((path) => `/${path}`));
    const owners = new Map<string, string[]>();
    for (const line of said.trimEnd().split('\n')) {
      if (line.startsWith('diversion by') || line.startsWith('local diversion')) continue;
      const colon = line.lastIndexOf(': ');
      owners.set(line.slice(colon + 3), line.slice(0, colon).split(', ').sort());
    }
    for (const path of sample) {
      const mine = index.ownersOf(path).filter(({ kind }) => kind === 'dpkg');
      expect({ path, owners: mine.map(({ name }) => name).sort() }).toEqual({
        path,
        owners: owners.get(path),
      });
    }
  });
});
