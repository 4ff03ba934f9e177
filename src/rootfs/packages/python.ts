/**
 * Finds the distributions that pip, uv and other installers have put into an image (packaging.python.org, "Recording installed
 * projects"). `package-index.ts` reads it beside the other databases.
 */
import type { Filesystem } from '../filesystem.ts';
import { baseOf, join, type Path, parentOf, rootPath } from '../../bytes/path.ts';
import { type ByteString, readByteString, ascii, noBytes, utf8Text } from '../../bytes/bytes.ts';
import type { FileFacts } from '../facts/facts.ts';
import { readDatabaseFile } from './database-file.ts';
import { FileLocator, type Located } from './file-locator.ts';
import {
  type DatabaseReading,
  noDetails,
  type Package,
  type PackageDatabase,
  type UnreadDatabase,
} from './package.ts';
import { type Metadata, readMetadata } from './python-metadata.ts';
import { readRecord } from './python-record.ts';
import { MiB } from '../../units.ts';

/** The most bytes of a list that are read: it may name a hundred thousand files. */
const largestList = 16 * MiB;

const wheelList = '.dist-info/RECORD';
/** pip writes it where it installs with setuptools. */
const eggList = '.egg-info/installed-files.txt';
/** The files of the source distribution. `setup.py install` and `develop` leave no other list. */
const sourceList = '.egg-info/SOURCES.txt';
const topLevel = '.egg-info/top_level.txt';
/** Headers in the form of e-mail, then a description ("Core metadata specifications"). */
const metadata = /\.(?:dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/;
/** The most bytes of metadata that are read. */
const largestMetadata = MiB;

/** Where distributions put the modules that they package. These have no lists, since the distribution's database has them. */
const distributions = /^usr\/lib(?:64)?\//;

/** Distributions in the sense of Python: a directory `.dist-info` (wheels) or `.egg-info` beside their modules. */
export const python: PackageDatabase = {
  kind: 'python',
  reads: (path) =>
    [wheelList, eggList, sourceList, topLevel].some((suffix) => path.endsWith(suffix)) ? largestList : 0,
  describes: (path) => (metadata.test(path) ? largestMetadata : 0),
  read: readPython,
};

function readPython(fs: Filesystem, facts: FileFacts): DatabaseReading {
  const locator = new FileLocator(fs);
  const packages: Package[] = [];
  const unread: UnreadDatabase[] = [];
  const text = (path: Path): ByteString | null => {
    const bytes = readDatabaseFile(fs, facts, path, unread);
    return bytes === null ? null : readByteString(bytes);
  };
  /** Directories that belong to a distribution. Only the first that names one gets it, so that work stays linear. */
  const claimed = new Set<Path>();
  for (const path of fs.all()) {
    const isEgg = path.endsWith('.egg-info') && fs.kind(path) === 'directory';
    const names = path.endsWith(wheelList)
      ? recordedFiles(path, text(path))
      : isEgg
        ? eggFiles(fs, path, text, claimed)
        : null;
    if (names === null) continue;
    const directory = path.endsWith(wheelList) ? parentOf(path) : path;
    const headers = readMetadata(facts.contents(join(directory, isEgg ? ascii`PKG-INFO` : ascii`METADATA`)));
    // Python makes its compiled files again.
    packages.push(
      makePackage(
        directory,
        headers,
        locator.locateAll(names, (name) => name.endsWith('.pyc')),
      ),
    );
  }
  return { packages, unread };
}

/** Returns the files of a wheel. Names are relative to the directory that holds the `.dist-info` (PEP 627), or absolute. */
function recordedFiles(path: Path, record: ByteString | null): readonly ByteString[] | null {
  return record === null ? null : readRecord(record).map((name) => from(parentOf(parentOf(path)), name));
}

/** Returns the files of an `.egg-info`; null for one of a distribution's own packages. */
function eggFiles(
  fs: Filesystem,
  egg: Path,
  text: (path: Path) => ByteString | null,
  claimed: Set<Path>,
): readonly ByteString[] | null {
  const installed = text(rootPath`${egg}/installed-files.txt`);
  if (installed !== null) return linesOf(installed).map((name) => from(egg, name));
  if (distributions.test(egg)) return null;
  const site = parentOf(egg);
  const names: ByteString[] = [
    ...fs.below(egg),
    ...linesOf(text(rootPath`${egg}/SOURCES.txt`)).map((name) => from(site, name)),
  ];
  for (const top of linesOf(text(rootPath`${egg}/top_level.txt`))) {
    const directory = join(site, top);
    if (top.includes('/') || top.startsWith('.') || claimed.has(directory)) continue;
    claimed.add(directory);
    names.push(ascii`${directory}.py`);
    for (const path of fs.below(directory)) names.push(path);
  }
  return names;
}

/** Returns the path of a name in a list: relative names count from `directory`. */
function from(directory: Path, name: ByteString): ByteString {
  return name.startsWith('/') ? name : join(directory, name);
}

function linesOf(text: ByteString | null): readonly ByteString[] {
  return (text ?? noBytes)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function makePackage(directory: Path, metadata: Metadata, { files, missing }: Located): Package {
  const { name, version } = nameOf(directory);
  const { licences, supplier } = metadata;
  return {
    kind: 'python',
    name,
    version: version ?? metadata.version,
    files,
    details: {
      ...noDetails,
      registryName: metadata.name === name ? null : metadata.name,
      licences,
      supplier,
      missing,
    },
  };
}

/** Reads "requests-2.31.0.dist-info", "PyYAML-6.0-py3.11.egg-info": names and versions have no dashes there. */
function nameOf(metadata: Path): { readonly name: ByteString; readonly version: string | null } {
  const stem = baseOf(metadata).replace(/\.(?:dist|egg)-info$/, '');
  const [name = stem, version = null] = stem.split('-', 2);
  return { name, version: version === null ? null : utf8Text(version) };
}
