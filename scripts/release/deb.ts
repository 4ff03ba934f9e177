/**
 * Makes Debian packages without Debian's tools: deb(5). The control data is a few lines, and both tars are our own, so that the bytes
 * depend on the files alone.
 */
import { createHash } from 'node:crypto';
import { writeAr } from './ar.ts';
import { type ReleaseFile, textFile } from './files.ts';
import type { Manifest } from './manifest.ts';
import type { Packer } from './pack.ts';
import { writeTar } from './tar.ts';
import type { Architecture } from './runtimes.ts';

/** Debian's names of the architectures. */
export const debianNames: Readonly<Record<Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/** What Node is linked with, in the oldest versions that have all that it asks for: GLIBC_2.28, GLIBCXX_3.4.21. */
const depends = ['libc6 (>= 2.28)', 'libstdc++6 (>= 6)', 'libgcc-s1 (>= 4.2)', 'libatomic1 (>= 4.8)'];

/** A maintainer that package.json does not name yet. */
const unknownMaintainer = 'The ocislim maintainers <maintainers@ocislim.invalid>';

/** What a Debian package is made of. */
export interface DebianPackage {
  readonly manifest: Manifest;
  readonly architecture: Architecture;
  /** The files by their paths below `/`. */
  readonly files: readonly ReleaseFile[];
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** Makes a package whose data is packed with zstd, which dpkg of Debian 12 and of Ubuntu 21.10 and later reads. */
export async function makeDeb(wanted: DebianPackage, packer: Packer): Promise<Uint8Array> {
  const { files, mtime } = wanted;
  const control = writeTar([textFile('control', controlOf(wanted)), textFile('md5sums', sumsOf(files))], {
    mtime,
    rooted: true,
  });
  const data = writeTar(files, { mtime, rooted: true });
  return writeAr(
    [
      { name: 'debian-binary', bytes: Buffer.from('2.0\n') },
      { name: 'control.tar.gz', bytes: await packer.gzip(control) },
      { name: 'data.tar.zst', bytes: packer.zstd(data) },
    ],
    mtime,
  );
}

/** Writes the control file (Debian policy, section 5.3). */
export function controlOf({ manifest, architecture, files }: Omit<DebianPackage, 'mtime'>): string {
  const { name, version, author, homepage } = manifest;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['Package', name],
    ['Version', debianVersion(version)],
    ['Architecture', debianNames[architecture]],
    ['Maintainer', author ?? unknownMaintainer],
    ['Installed-Size', String(installedSize(files))],
    ['Depends', depends.join(', ')],
    ['Recommends', 'ca-certificates'],
    ['Suggests', 'strace, bubblewrap'],
    ['Section', 'admin'],
    ['Priority', 'optional'],
    ['Homepage', homepage],
    ['Description', `rewrite container images without a daemon and without root\n${description}`],
  ];
  const written = fields.filter(([, value]) => value !== undefined && value !== '');
  return written.map(([field, value]) => `${field}: ${value}\n`).join('');
}

/** The long description: a paragraph with the words that people search for, each line behind a space. */
const description = [
  'ocislim squashes, prunes and recompresses OCI and Docker images where they',
  'live, from registry to registry, in a folder or in an archive. It makes',
  'images slim by removing what upper layers hide, caches of package managers,',
  'and files that no recorded run has used. It needs no container runtime.',
]
  .map((line) => ` ${line}`)
  .join('\n');

/** Writes a changelog as Debian wants one, of this version alone: CHANGELOG.md beside it has all of them. */
export function debianChangelog({ name, version, author }: Manifest, mtime: number): string {
  const date = new Date(mtime * 1000).toUTCString().replace('GMT', '+0000');
  return [
    `${name} (${debianVersion(version)}) stable; urgency=medium`,
    '  * CHANGELOG.md.gz in this folder tells what has changed.',
    ` -- ${author ?? unknownMaintainer}  ${date}\n`,
  ].join('\n\n');
}

/** Returns a version as Debian orders it: `1.0.0-rc.1` comes before `1.0.0`, and must not look like a revision. */
export function debianVersion(version: string): string {
  return version.replace('-', '~');
}

/** Returns the size of files on a disk in KiB, each rounded up, and one for each folder (policy, section 5.6.20). */
function installedSize(files: readonly ReleaseFile[]): number {
  const folders = new Set(
    files.flatMap(({ path }) => {
      const parts = path.split('/').slice(0, -1);
      return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
    }),
  );
  return files.reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 1024), folders.size);
}

function sumsOf(files: readonly ReleaseFile[]): string {
  const lines = files.map(({ path, bytes }) => `${createHash('md5').update(bytes).digest('hex')}  ${path}\n`);
  return lines.toSorted((a, b) => (a.slice(34) < b.slice(34) ? -1 : 1)).join('');
}
