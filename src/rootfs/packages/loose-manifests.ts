/**
 * Finds packages that no database has, by a manifest alone: applications of Node, Ruby's default gems, Python distributions without a
 * list of their files. A bill of materials names them. The closure does not know them, since it is not known which files are theirs.
 */
import { ascii, type ByteString, utf8Bytes, utf8Text } from '../../bytes/bytes.ts';
import { memberOf, tryParseJson } from '../../bytes/json-value.ts';
import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import { MiB } from '../../units.ts';
import type { ContentProbe, FileFacts } from '../facts/facts.ts';
import type { Filesystem } from '../filesystem.ts';
import { authorsIn, licencesIn } from './manifest-details.ts';
import { nodePackageRoot } from './node.ts';
import { type Component, noDetails } from './package.ts';
import { readMetadata } from './python-metadata.ts';

const largestManifest = MiB;

const manifest = /(?:^|\/)package\.json$/;
const metadata = /\.(?:dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/;
const defaultGem = /\/specifications\/default\/([^/]+)\.gemspec$/;

/** Selects the manifests that are read. */
export const looseProbe: ContentProbe = (path) =>
  (manifest.test(path) && nodePackageRoot(path) === null) || metadata.test(path) ? largestManifest : 0;

/** Returns the packages of which nothing but a manifest is known. `known` are the files of those that databases have. */
export function looseComponents(
  { fs, facts }: { readonly fs: Filesystem; readonly facts: FileFacts },
  isKnown: (path: Path) => boolean,
): readonly Component[] {
  const found: Component[] = [];
  for (const path of fs.all()) {
    const isCandidate = manifest.test(path) || metadata.test(path) || defaultGem.test(path);
    if (!isCandidate || fs.kind(path) !== 'file') continue;
    const component = manifest.test(path)
      ? nodeApplication(path, facts)
      : metadata.test(path)
        ? pythonDistribution(path, fs, facts, isKnown)
        : gem(path);
    if (component !== null) found.push(component);
  }
  return found;
}

/** Reads a package.json outside of `node_modules`: of an application, or of a package that a distribution put elsewhere. */
function nodeApplication(path: Path, facts: FileFacts): Component | null {
  const contents = nodePackageRoot(path) === null ? facts.contents(path) : null;
  const json = contents === null ? null : tryParseJson(contents);
  const name = memberOf(json, 'name');
  const version = memberOf(json, 'version');
  // One without a name and a version says only how its folder is read.
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '') return null;
  const licences = licencesIn(memberOf(json, 'license') ?? memberOf(json, 'licenses'));
  const supplier = authorsIn(memberOf(json, 'author'));
  return {
    kind: 'node',
    name: utf8Bytes(name),
    version,
    files: [path],
    details: { ...noDetails, licences, supplier },
  };
}

/** Reads the metadata of a distribution that has no list of its files, as those that Linux distributions package. */
function pythonDistribution(
  path: Path,
  fs: Filesystem,
  facts: FileFacts,
  isKnown: (path: Path) => boolean,
): Component | null {
  const directory = parentOf(path);
  const listed = [ascii`RECORD`, ascii`installed-files.txt`].some(
    (name) => fs.kind(join(directory, name)) === 'file',
  );
  if (listed || isKnown(path)) return null;
  const { name, version, licences, supplier } = readMetadata(facts.contents(path));
  if (name === null) return null;
  return { kind: 'python', name, version, files: [path], details: { ...noDetails, licences, supplier } };
}

/** Reads the name of a specification of a gem that is part of Ruby: "json-2.6.1.gemspec". */
function gem(path: Path): Component | null {
  const stem: ByteString = baseOf(path).replace(/\.gemspec$/, '');
  const [, name, version] = stem.match(/^(.+?)-(\d[^-]*)$/) ?? [];
  if (name === undefined || version === undefined) return null;
  return { kind: 'ruby', name, version: utf8Text(version), files: [path], details: noDetails };
}
