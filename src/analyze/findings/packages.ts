/**
 * Findings about packages: the same one twice, copies of one library, and packages that only builds need. A row of the table in
 * `all.ts`.
 */
import { decodeForDisplay } from '../../bytes/bytes.ts';
import { type Path, parentOf } from '../../bytes/path.ts';
import { readRuntime } from '../../oci/runtime.ts';
import type { Package } from '../../rootfs/packages/package.ts';
import { type Finding, findingSteps } from '../../slim/findings/findings.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { WasteFinding } from '../analysis.ts';
import { counted, type FindingContext, leastBytes, nameLayer, Places } from './finding.ts';

/** The managers that may install a package several times, with the way to install it once. */
const severalTimes: Readonly<Partial<Record<Package['kind'], readonly [what: string, advice: string]>>> = {
  node: [
    'packages of Node',
    'Run npm dedupe (or use one version in all dependents) before node_modules is copied.',
  ],
  python: [
    'packages of Python',
    'Install each package once: in one environment, and not above the one of the distribution.',
  ],
  ruby: ['gems', 'Install with one Gemfile.lock, and run bundle clean.'],
  composer: ['packages of Composer', 'Install them once, with one composer.lock.'],
};

export function* packageFindings(context: FindingContext): Steps<readonly WasteFinding[]> {
  return [
    ...(yield* packagesTwice(context)),
    ...(yield* libraryCopies(context)),
    ...(yield* buildPackages(context)),
  ];
}

/** An installed package with what it takes, and the directory that names its place. */
interface Installed {
  readonly each: Package;
  readonly bytes: number;
  readonly layer: number;
  readonly place: Path;
}

/** Finds packages that are there several times: all but the largest of each name count. */
function* packagesTwice(context: FindingContext): Steps<readonly WasteFinding[]> {
  const copies = new Map<string, Package[]>();
  let seen = 0;
  for (const each of context.packages.packages) {
    if (++seen % itemsPerStep === 0) yield;
    if (severalTimes[each.kind] === undefined || each.files.length === 0) continue;
    const key = `${each.kind} ${each.name}`;
    const others = copies.get(key);
    if (others === undefined) copies.set(key, [each]);
    else others.push(each);
  }
  const places = new Map<Package['kind'], { readonly sum: Places; packages: number; example: string }>();
  for (const list of copies.values()) {
    if (list.length === 1) continue;
    yield;
    const installed = list.map((each) => measure(context, each)).sort((a, b) => b.bytes - a.bytes);
    const [{ each: first }] = installed as [Installed, ...Installed[]];
    let group = places.get(first.kind);
    if (group === undefined)
      places.set(first.kind, (group = { sum: new Places(), packages: 0, example: '' }));
    group.packages++;
    if (group.example === '') group.example = exampleOf(installed.map(({ each }) => each));
    for (const { place, bytes, layer } of installed.slice(1)) group.sum.add(place, bytes, layer);
  }
  return [...places].flatMap(([kind, { sum, packages, example }]): WasteFinding[] => {
    const [what = '', dockerfile = ''] = severalTimes[kind] ?? [];
    if (sum.bytes < leastBytes) return [];
    return [
      {
        kind: 'package-twice',
        bytes: sum.bytes,
        files: sum.files,
        layer: sum.layer,
        by: null,
        why: `${counted(packages, 'name')} of ${what} ${packages === 1 ? 'is' : 'are'} installed several times, such as ${example}`,
        places: sum.heaviest(),
        dockerfile,
        command: null,
      },
    ];
  });
}

function measure({ fs }: FindingContext, each: Package): Installed {
  const inodes = new Set<number>();
  let bytes = 0;
  let layer = 0;
  for (const path of each.files) {
    const carrier = fs.carrier(path);
    if (carrier === null || inodes.has(carrier.id)) continue;
    inodes.add(carrier.id);
    layer = carrier.layer;
    bytes += carrier.kind === 'file' ? fs.size(path) : 0;
  }
  return { each, bytes, layer, place: commonDirectory(each.files) };
}

/** Returns the directory that holds the first and the last of some sorted paths, and so all of them. */
function commonDirectory(sorted: readonly Path[]): Path {
  let at = parentOf(sorted[0] as Path);
  const last = sorted.at(-1) as Path;
  while (at !== '' && !last.startsWith(`${at}/`)) at = parentOf(at);
  return at;
}

function exampleOf(list: readonly Package[]): string {
  const versions = [...new Set(list.map(({ version }) => version ?? 'unknown'))];
  const name = decodeForDisplay((list[0] as Package).name, (text) => text);
  return versions.length === 1
    ? `${name} ${versions[0]} (${list.length} copies)`
    : `${name} (${versions.slice(0, 3).join(', ')}${versions.length > 3 ? ', …' : ''})`;
}

/** Finds copies of shared libraries, by the search that prunings report. Its other findings are those of presets. */
function* libraryCopies(context: FindingContext): Steps<readonly WasteFinding[]> {
  const { image, fs } = context;
  const architecture = image.config.platform?.architecture ?? null;
  const found = yield* findingSteps(fs, { runtime: readRuntime(image.config), architecture });
  const copies = found.filter(({ kind, library }) => kind === 'copies' && library !== null);
  return copies.map(({ library, files, bytes, places }: Finding): WasteFinding => {
    return {
      kind: 'package-twice',
      bytes,
      files: files - 1,
      layer: null,
      by: null,
      why: `the library ${decodeForDisplay(library ?? places[0]?.path ?? ('' as Path), (text) => text)} is there ${files} times`,
      places: places.slice(0, 5).map((place) => ({ ...place, layer: fs.carrier(place.path)?.layer ?? null })),
      dockerfile:
        'Install packages that share the library, or remove the copies that no program of the image loads.',
      command: null,
    };
  });
}

/** Packages of distributions that compile, and the headers for it. */
const forBuilds =
  /^(?:build-essential|build-base|(?:gcc|g\+\+|cpp|gfortran|gnat|gdc|clang|llvm|lld|rustc|cargo|golang|ghc|ocaml|fpc|nasm|yasm|make|cmake|ninja(?:-build)?|meson|bison|flex|automake|autoconf|libtool|binutils|patch|ccache|dpkg-dev|rpm-build|m4|swig|maven|gradle|ant|musl-dev|linux-headers|linux-libc-dev|kernel-headers|glibc-headers)(?:[-.][\w.+-]*|\d[\w.+-]*)?|[\w.+-]+-(?:dev|devel|headers)|openjdk-?\d*-jdk[\w-]*|java-[\w.]+-openjdk-devel)$/;
/** Names that begin as those of compilers do and belong to what programs need to run. */
const forRunning =
  /^(?:gcc-\d+-base|llvm[\d.-]*-?(?:libs|runtime)|clang[\d.-]*-libs|cpp-httplib|ca-certificates[\w-]*)$/;

/** Finds packages of distributions that only builds need. What presets find of them (headers, static libraries) is left to these. */
function* buildPackages(context: FindingContext): Steps<readonly WasteFinding[]> {
  const places = new Places();
  const names: string[] = [];
  let seen = 0;
  for (const each of context.packages.packages) {
    if (++seen % itemsPerStep === 0) yield;
    if (each.kind !== 'dpkg' && each.kind !== 'apk' && each.kind !== 'rpm') continue;
    const name = each.name.replace(/:[\w-]+$/, '');
    if (!forBuilds.test(name) || forRunning.test(name)) continue;
    names.push(name);
    for (const path of each.files) {
      const carrier = context.fs.carrier(path);
      if (carrier?.kind !== 'file' || isOfPresets(path)) continue;
      places.add(parentOf(path), context.fs.size(path), carrier.layer);
    }
  }
  const layer = places.heaviestLayer;
  if (places.bytes < leastBytes || layer === null) return [];
  const some = names.sort().slice(0, 4).join(', ');
  return [
    {
      kind: 'development',
      bytes: places.bytes,
      files: places.files,
      layer: places.layer,
      by: null,
      why: `${counted(names.length, 'package')} that only builds need ${names.length === 1 ? 'is' : 'are'} in the image (${some}${names.length > 4 ? ', …' : ''}), most of ${names.length === 1 ? 'it' : 'them'} from ${nameLayer(context, layer)}`,
      places: places.heaviest(),
      dockerfile: 'Build in a stage of its own (FROM … AS build) and COPY --from=build what runs.',
      command: null,
    },
  ];
}

/** Files that the presets headers-pc, static-libs and docs remove, told by their paths. */
function isOfPresets(path: Path): boolean {
  return /^usr\/include\/|^usr\/share\/(?:doc|man|info|locale|pkgconfig|aclocal)\/|\.l?a$|\/pkgconfig\//.test(
    path,
  );
}
