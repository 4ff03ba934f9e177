/**
 * A small image that holds, by design, one of everything that goes wrong in layers. It is made in code, in
 * milliseconds, without other programs: for `npm test` it is what real images are for `test:e2e`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type BuiltImage, buildImage, digestOf, type ImageRecipe, jsonBytes } from './image-builder.ts';
import { bytesOf, utf8 } from './model/byte-string.ts';
import { type Short, specOf } from './model/shorthand.ts';
import { type EntrySpec, writeTar } from './model/tar-bytes.ts';

/**
 * A mark that only planted waste holds: no layer of an image that was squashed, or pruned of what is hidden, has
 * it.
 */
export const wasteMark = 'planted-waste';

/** Paths that tests name. */
export const paths = {
  setuid: 'usr/bin/su',
  sticky: 'tmp',
  capability: 'usr/bin/ping',
  attribute: 'etc/motd',
  /** One file under three names: two are of layer 1, the third is linked in layer 5; another layer hides the first. */
  links: ['usr/bin/perl', 'usr/bin/perl5', 'usr/bin/perl-alias'],
  /** A link of layer 5 to a file of layer 1 that layer 8 overwrites. It keeps the old data. */
  oldData: 'etc/issue.old',
  newData: 'etc/issue',
  opaque: 'var/cache/app',
  madeAgainAcross: 'srv/across',
  madeAgainAtOnce: 'srv/at-once',
  fileThenDirectory: 'srv/file-then-dir',
  directoryThenSymlink: 'srv/dir-then-symlink',
  symlinkThenFile: 'srv/symlink-then-file',
  sparsePax: 'opt/data/sparse-pax',
  sparseGnu: 'opt/data/sparse-gnu',
  /** Hard links to files that layer 6 hides: a sparse one, and one whose name needed the prefix field of its header. */
  heirs: ['opt/data/sparse-heir', 'opt/data/prefix-heir'],
  longPax: `opt/data/${'p'.repeat(120)}/${'x'.repeat(130)}`,
  longGnu: `opt/data/${'g'.repeat(120)}/${'y'.repeat(130)}`,
  accented: utf8('opt/data/Zürich 東京'),
  /** A name in Latin-1, which is not UTF-8. */
  latin: 'opt/data/caf\xe9',
  largeUid: 'opt/data/large-uid',
  nanoseconds: 'opt/data/nanoseconds',
  fifo: 'run/pipe',
  character: 'dev/null',
  block: 'dev/loop0',
  deb: 'var/cache/apt/archives/tool_1.0_amd64.deb',
  chowned: 'opt/app',
  aptList: 'var/lib/apt/lists/deb.example_dists_Packages',
  copyright: 'usr/share/doc/tool/copyright',
  changelog: 'usr/share/doc/tool/changelog.gz',
  log: 'var/log/dpkg.log',
} as const;

/** `vfs_cap_data` of revision 2 with cap_net_raw: bytes that no text survives. */
export const capability = '\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00';

const time = '1700000000';

/** Returns bytes that compress badly, the same ones for the same seed. */
function noise(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
}

function waste(length: number, seed: number): Uint8Array {
  return new Uint8Array(Buffer.concat([bytesOf(wasteMark), noise(length, seed)]));
}

/**
 * Returns a tree owned by a user; the copy that belongs to root carries the mark of waste. Together they are what
 * `RUN chown -R` makes.
 */
function application(uid: number): EntrySpec[] {
  const who = { uid, gid: uid, mtime: time };
  const first = uid === 0;
  return [
    { name: 'opt/app/', type: 'dir', ...who },
    { name: 'opt/app/bin/', type: 'dir', mode: 0o750, ...who },
    {
      name: 'opt/app/bin/run',
      mode: 0o755,
      ...who,
      body: first ? waste(15_000, 7) : waste(15_000, 7).fill(0x20, 0, wasteMark.length),
    },
    { name: 'opt/app/bin/start', type: 'link', linkname: 'opt/app/bin/run', ...who },
    { name: 'opt/app/settings', body: bytesOf(`port=80\n${first ? wasteMark : ''}`), ...who },
  ];
}

/** The root filesystem of a base: owners, modes, xattrs, devices, links, and what upper layers change. */
const base: Short[] = [
  { name: './', type: 'dir', mode: 0o755, mtime: time },
  { name: 'etc/', type: 'dir', mtime: time },
  { name: 'etc/passwd', body: bytesOf('root:x:0:0::/:/bin/sh\n'), uname: 'root', gname: 'root' },
  { name: paths.attribute, body: bytesOf('hello\n'), xattrs: { 'user.origin': utf8('größe') } },
  'etc/issue=Debian 11',
  { name: 'usr/', type: 'dir' },
  { name: 'usr/bin/', type: 'dir' },
  { name: paths.setuid, mode: 0o4755, body: noise(900, 1) },
  { name: 'usr/bin/wall', mode: 0o2755, gid: 5, gname: 'tty', body: noise(300, 2) },
  { name: paths.capability, mode: 0o755, body: noise(700, 3), xattrs: { 'security.capability': capability } },
  { name: paths.links[0], mode: 0o755, body: noise(5000, 4), mtime: time },
  { name: paths.links[1], mode: 0o755, type: 'link', linkname: paths.links[0], mtime: time },
  { name: 'tmp/', type: 'dir', mode: 0o1777 },
  'run/',
  { name: paths.fifo, type: 'fifo', mode: 0o600 },
  'dev/',
  { name: paths.character, type: 'char', mode: 0o666, devmajor: 1, devminor: 3 },
  { name: paths.block, type: 'block', mode: 0o660, gid: 6, devmajor: 7, devminor: 0 },
  'var/cache/app/',
  'var/cache/app/old=1',
  'var/cache/app/deep/old=2',
  'srv/',
  'srv/doomed=1',
  'srv/doomed-tree/',
  'srv/doomed-tree/child=1',
  'srv/across/',
  'srv/across/old=1',
  { name: 'srv/at-once/', type: 'dir', mode: 0o700 },
  'srv/at-once/old=1',
  'srv/file-then-dir=1',
  'srv/dir-then-symlink/',
  'srv/dir-then-symlink/child=1',
  'srv/symlink-then-file~>../etc',
];

/** The files that a package manager leaves behind. */
const packages: Short[] = [
  'var/lib/apt/lists/',
  { name: paths.aptList, body: noise(12_000, 5) },
  'var/lib/apt/lists/partial/',
  'var/lib/apt/lists/lock',
  'var/cache/apt/archives/',
  { name: paths.deb, body: waste(30_000, 6) },
  { name: 'var/cache/apt/pkgcache.bin', body: noise(4000, 8) },
  'var/log/',
  { name: paths.log, mode: 0o640, gid: 4, body: bytesOf('status installed tool\n'.repeat(50)) },
  'var/log/access.log~>/dev/stdout',
  'usr/share/doc/tool/',
  `${paths.copyright}=MIT`,
  { name: paths.changelog, body: noise(2000, 9) },
  'usr/share/doc/tool/README=read me',
  'usr/share/man/man1/',
  { name: 'usr/share/man/man1/tool.1.gz', body: noise(1500, 10) },
  { name: 'usr/bin/tool', mode: 0o755, body: noise(6000, 11) },
];

/** Names, owners, times and sparse files that a plain header cannot express, and the first copy of the application. */
const contents: Short[] = [
  ...application(0),
  'opt/data/',
  { name: paths.longPax, body: bytesOf('long'), format: 'pax' },
  { name: paths.longGnu, body: bytesOf('long'), format: 'gnu' },
  { name: 'opt/data/long-link', type: 'symlink', linkname: `../../${paths.longGnu}`, format: 'gnu' },
  { name: paths.accented, body: bytesOf('1') },
  { name: paths.latin, body: bytesOf('2') },
  { name: paths.largeUid, uid: 3_000_000_000, gid: 2_097_152, body: bytesOf('3') },
  { name: 'opt/data/large-uid-gnu', uid: 3_000_000_000, gid: 2_097_152, format: 'gnu' },
  { name: paths.nanoseconds, mtime: `${time}.123456789`, body: bytesOf('4') },
  { name: 'opt/data/before-1970', mtime: '-1.5', body: bytesOf('5') },
  {
    name: paths.sparsePax,
    format: 'pax',
    sparse: {
      format: '1.0',
      size: 300_000,
      map: [
        [4096, 512],
        [200_192, 1000],
      ],
    },
    body: noise(1512, 12),
  },
  {
    name: paths.sparseGnu,
    format: 'gnu',
    sparse: { format: 'gnu', size: 300_000, map: [0, 1, 2, 3, 4, 5].map((i) => [i * 40_960, 512] as const) },
    body: noise(6 * 512, 13),
  },
  {
    name: 'opt/data/doomed-sparse',
    sparse: { format: '1.0', size: 100_000, map: [[8192, 1000]] },
    body: noise(1000, 14),
  },
  { name: paths.heirs[0], type: 'link', linkname: 'opt/data/doomed-sparse' },
  { name: `opt/data/${'d'.repeat(100)}/doomed`, body: bytesOf('prefix'), format: 'ustar' },
  {
    name: paths.heirs[1],
    type: 'link',
    linkname: `opt/data/${'d'.repeat(100)}/doomed`,
  },
  'var/cache/apt/archives/.wh.tool_1.0_amd64.deb',
];

const layers: readonly (readonly Short[])[] = [
  base,
  packages,
  contents,
  application(1000),
  // Links to files of other layers.
  [
    { name: paths.links[2], mode: 0o755, type: 'link', linkname: paths.links[0], mtime: time },
    { name: paths.oldData, type: 'link', linkname: paths.newData },
    { name: 'srv/alias', type: 'link', linkname: 'srv/doomed' },
  ],
  // Whiteouts of a file, of a directory and of names that have hard links; an opaque directory.
  [
    'srv/.wh.doomed',
    'srv/.wh.doomed-tree',
    'usr/bin/.wh.perl',
    'opt/data/.wh.doomed-sparse',
    `opt/data/${'d'.repeat(100)}/.wh.doomed`,
    'srv/.wh.across',
    { name: 'var/cache/app/', type: 'dir', mode: 0o711 },
    'var/cache/app/before=1',
    'var/cache/app/.wh..wh..opq',
    'var/cache/app/after=1',
  ],
  [],
  // Directories that are removed and made again, in other layers and in the same one; a linked file that is
  // overwritten; every change of kind.
  [
    { name: 'srv/across/', type: 'dir', mode: 0o750, uid: 33 },
    'srv/across/new=1',
    'srv/.wh.at-once',
    { name: 'srv/at-once/', type: 'dir', mode: 0o711, mtime: time },
    'srv/at-once/new=1',
    'etc/issue=Debian 12',
    'srv/file-then-dir/',
    'srv/file-then-dir/child=1',
    'srv/dir-then-symlink~>across',
    'srv/symlink-then-file=1',
  ],
  [
    { name: paths.attribute, body: bytesOf('hello again\n'), xattrs: { 'user.origin': 'new' } },
    'var/log/app/',
    'var/log/app/today.log=started',
    'srv/doomed=back',
  ],
];

/** The tars of the layers, lowest first. */
export const smallTars: readonly Uint8Array[] = layers.map((entries) => writeTar(entries.map(specOf)));

const packing = ['gzip', 'zstd', 'none', 'gzip', 'gzip', 'zstd', 'gzip', 'none', 'gzip'] as const;

/** Builds the image, its layers compressed in every way that its family has. */
export function designedImage(recipe: Omit<ImageRecipe, 'layers' | 'compress'> = {}): BuiltImage {
  const compress =
    recipe.family === 'docker' ? packing.map((how) => (how === 'zstd' ? 'gzip' : how)) : packing;
  return buildImage({ history: 'with-empty-layers', ...recipe, layers: smallTars, compress });
}

/** Builds the image that `--base` names: the two lowest layers. */
export function baseImage(): BuiltImage {
  return buildImage({ layers: smallTars.slice(0, 2), compress: packing.slice(0, 2) });
}

/** Builds the image for another platform: the lower five layers are shared, the upper ones are its own. */
export function armImage(): BuiltImage {
  return buildImage({
    layers: [...smallTars.slice(0, 5), writeTar(['opt/app/.wh.settings', 'opt/app/arm=1'].map(specOf))],
    compress: [...packing.slice(0, 5), 'gzip'],
    platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
  });
}

/**
 * Writes an image as `docker save` did before Docker 25: a folder with the tar of each layer, the config,
 * manifest.json.
 */
export async function writeOldDockerArchive(file: string, image: BuiltImage, name: string): Promise<void> {
  const hex = (bytes: Uint8Array) => digestOf(bytes).replace('sha256:', '');
  const config = `${hex(image.config)}.json`;
  const names = smallTars.map((_, i) => `${hex(bytesOf(`layer ${i}`))}/layer.tar`);
  const row = { Config: config, RepoTags: [name], Layers: names };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(
    file,
    writeTar([
      ...smallTars.map((body, i) => ({ name: names[i] as string, body })),
      { name: config, body: image.config },
      { name: 'manifest.json', body: jsonBytes([row]) },
    ]),
  );
}
