/**
 * What is in the layers of ocislim's own image: certificates and users, the runtime, the program, and the shell of the debug image.
 * The lower a layer, the rarer it changes. `run.ts` puts them together.
 */
import { readFile } from 'node:fs/promises';
import { stripElf } from '../release/elf.ts';
import { root } from '../release/manifest.ts';
import { nativeEngine } from '../release/native.ts';
import { bundleProgram } from '../release/program.ts';
import { nodeRuntime } from '../release/runtimes.ts';
import { type Architecture, fetchPackages, readPackage } from './debian.ts';
import { type ImageFile, textFile } from './image-file.ts';
import type { LayerRecipe } from './image-writer.ts';

/** The user of the image, as others number the user that is not root. */
export const user = 65_532;

/** How the parts of the program name an architecture. */
const platforms = {
  amd64: { node: 'x64', native: 'linux-x64-gnu' },
  arm64: { node: 'arm64', native: 'linux-arm64-gnu' },
} as const;

/** The time of layers that a new version of ocislim does not change: they keep their digests, and clients have them already. */
const time = 0;

const certificates = 'etc/ssl/certs/ca-certificates.crt';

/** Variables of every container. */
export const environment = [`SSL_CERT_FILE=/${certificates}`];

/** Folders that have to be there, since the root filesystem may be read-only: places to mount, and the user's own. */
const folders: readonly ImageFile[] = [
  ...['dev', 'etc', 'proc', 'run', 'sys'].map((path) => ({ kind: 'directory', path, mode: 0o755 }) as const),
  { kind: 'directory', path: 'root', mode: 0o700 },
  { kind: 'directory', path: 'tmp', mode: 0o1777 },
  { kind: 'directory', path: 'home/nonroot', mode: 0o755, owner: user },
  // The working directory: relative names of layouts, archives and reports are in it. A volume is mounted here.
  { kind: 'directory', path: 'work', mode: 0o755, owner: user },
];

/** Programs and libraries are found under both names, as in Debian. */
const merged = ['bin', 'sbin', 'lib', 'lib64'].flatMap((path): ImageFile[] => [
  { kind: 'directory', path: `usr/${path}`, mode: 0o755 },
  { kind: 'symlink', path, target: `usr/${path}` },
]);

const nologin = '/usr/sbin/nologin';
const accounts: readonly ImageFile[] = [
  textFile(
    'etc/passwd',
    [
      `root:x:0:0:root:/root:${nologin}`,
      `nobody:x:65534:65534:nobody:/nonexistent:${nologin}`,
      `nonroot:x:${user}:${user}:nonroot:/home/nonroot:${nologin}`,
      '',
    ].join('\n'),
  ),
  textFile('etc/group', `root:x:0:\nnobody:x:65534:\ntty:x:5:\nnonroot:x:${user}:\n`),
  textFile('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
];

/** Makes the layer of certificates and users, which is the same for all architectures. */
export async function baseLayer(cache: string): Promise<LayerRecipe> {
  const isAuthority = (path: string) => path.startsWith('usr/share/ca-certificates/mozilla/');
  const files = await readDebian(['ca-certificates'], 'amd64', cache, isAuthority);
  const authorities = files
    .filter(({ path }) => isAuthority(path))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap((file) => (file.kind === 'file' ? [file.bytes] : []));
  const bundle = {
    kind: 'file',
    path: certificates,
    mode: 0o644,
    bytes: Buffer.concat(authorities),
  } as const;
  const others = files.filter(({ path }) => !isAuthority(path));
  return {
    what: 'certificates and users',
    time,
    files: [...folders, ...merged, ...accounts, bundle, ...others],
  };
}

/** The packages that Node's libraries are in (Debian 12), the one with the licences of GCC's, and the one that says which Debian this is. */
const runtimePackages = ['base-files', 'gcc-12-base', 'libatomic1', 'libc6', 'libgcc-s1', 'libstdc++6'];

/** Makes the layer of Node with its libraries. */
export async function runtimeLayer(architecture: Architecture, cache: string): Promise<LayerRecipe> {
  const isWanted = (path: string) => isLibrary(path) || isRelease(path);
  const files = await readDebian(runtimePackages, architecture, cache, isWanted);
  const { executable, license } = nodeRuntime(platforms[architecture].node);
  const node = stripElf(await readFile(executable));
  return {
    what: 'Node and its libraries',
    time,
    files: [
      ...files,
      { kind: 'file', path: 'usr/bin/node', mode: 0o755, bytes: node },
      textFile('usr/share/doc/nodejs/LICENSE', license),
    ],
  };
}

/** Reads the wanted files of packages, and their licences. Throws what apt-get says. */
async function readDebian(
  names: readonly string[],
  architecture: Architecture,
  cache: string,
  isWanted: (path: string) => boolean,
): Promise<readonly ImageFile[]> {
  const found = await fetchPackages(names, architecture, cache);
  const files = await Promise.all(
    found.map((each) => readPackage(each, (path) => isWanted(path) || isCopyright(path))),
  );
  return files.flat();
}

/** Whether a path is that of a shared library which Node may load. Conversions between character sets and audits are for others. */
function isLibrary(path: string): boolean {
  return /^usr\/lib(?:64)?\/(?:[^/]+\/)?[^/]+\.so(?:\.[^/]*)?$/.test(path);
}

function isRelease(path: string): boolean {
  return path === 'etc/os-release' || path === 'usr/lib/os-release' || path === 'etc/debian_version';
}

/** Whether a path is that of a licence, which belongs to every copy. */
function isCopyright(path: string): boolean {
  return /^usr\/share\/doc\/[^/]+\/copyright$/.test(path);
}

const programFolder = 'usr/lib/ocislim';

/** Makes the layer of the program, with the native engine where it was built. */
export async function programLayer(architecture: Architecture): Promise<LayerRecipe> {
  const engine = nativeEngine(platforms[architecture].native);
  const files = [...(await bundleProgram()), ...(engine === null ? [] : [engine])];
  return {
    what: 'ocislim',
    files: [
      ...files.map(
        ({ path, mode, bytes }): ImageFile => ({
          kind: 'file',
          path: `${programFolder}/${path}`,
          mode,
          bytes: path === 'ocislim.cjs' ? withInterpreter(bytes) : bytes,
        }),
      ),
      { kind: 'symlink', path: 'usr/bin/ocislim', target: '../lib/ocislim/ocislim.cjs' },
      textFile('usr/share/doc/ocislim/LICENSE', await readFile(`${root}LICENSE`, 'utf8')),
    ],
  };
}

/** Names Node itself in the first line, since the image has no `env` that would look for it. */
function withInterpreter(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  const named = text.replace(/^#!.*/, '#!/usr/bin/node');
  if (named === text) throw new Error('the program does not begin with a line that names its interpreter');
  return Buffer.from(named, 'latin1');
}

const busyboxFile = 'usr/bin/busybox';

/** Makes the layer that a debug image has on top: a shell, and the programs that scripts in CI expect. */
export async function shellLayer(architecture: Architecture, cache: string): Promise<LayerRecipe> {
  const files = await readDebian(['busybox-static'], architecture, cache, (path) => path === busyboxFile);
  const busybox = files.find(({ path }) => path === busyboxFile);
  if (busybox?.kind !== 'file') throw new Error('the package busybox-static has no busybox');
  const link = (path: string): ImageFile => ({ kind: 'symlink', path, target: '/busybox/busybox' });
  return {
    what: 'a shell',
    time,
    files: [
      { ...busybox, path: 'busybox/busybox' },
      ...appletsOf(busybox.bytes).map((name) => link(`busybox/${name}`)),
      // The first lines of scripts name these.
      link('usr/bin/sh'),
      link('usr/bin/env'),
      ...files.filter((file) => file !== busybox),
    ],
  };
}

/** Lists the programs that a busybox stands for: names in alphabetical order, in one table that ends with an empty name. */
function appletsOf(busybox: Uint8Array): readonly string[] {
  const text = Buffer.from(busybox).toString('latin1');
  const start = text.indexOf('\0[\0[[\0') + 1;
  if (start === 0) throw new Error('this busybox has no table of programs');
  const names = text.slice(start, text.indexOf('\0\0', start)).split('\0');
  return names.filter((name) => name !== 'busybox');
}
