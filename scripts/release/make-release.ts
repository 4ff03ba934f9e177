/**
 * Makes the files of a release, one part after the other. `scripts/release.ts` writes them into a folder; the parts do not know of it.
 */
import { readFileSync } from 'node:fs';
import { linkedPackages, optionalDependencies } from '../package-native.ts';
import type { NativePlatform } from '../../src/codec/native-platform.ts';
import { makeDeb, debianNames, debianVersion } from './deb.ts';
import { makeExecutable } from './executable.ts';
import { inFolder, type ReleaseFile, textFile } from './files.ts';
import { withoutDeadLinks } from './links.ts';
import { type Manifest, readManifest, repositoryOf, root } from './manifest.ts';
import { nativePackage } from './native.ts';
import { inPackage, packageFiles } from './npm-package.ts';
import { type Effort, Packer } from './pack.ts';
import { archiveFiles, type Contents, debianFiles } from './prefix.ts';
import { bundleProgram } from './program.ts';
import { type Architecture, nodeRuntime, type Runtime } from './runtimes.ts';
import { type LockedPackage, renderSbom } from './sbom.ts';
import { writeTar } from './tar.ts';

/** What a release is made of. */
export interface ReleaseOptions {
  readonly architectures: readonly Architecture[];
  /** The platforms whose native engine is packed. */
  readonly native: readonly NativePlatform[];
  /** Whether the packages of the native engine are in `native/npm`, so that none is built. */
  readonly isNativeBuilt: boolean;
  readonly effort: Effort;
  /** The time that stands in every file, in seconds since 1970. */
  readonly mtime: number;
  /** Is told what was made, and what was left out. */
  readonly tell: (line: string) => void;
}

/** What the parts of a release share. */
interface Release extends ReleaseOptions {
  readonly manifest: Manifest;
  readonly packer: Packer;
  readonly engines: ReadonlyMap<NativePlatform, readonly ReleaseFile[]>;
  /** The files of the npm package. */
  readonly npm: readonly ReleaseFile[];
}

/** Makes a release, file by file. dist/ must be built. */
export async function* makeRelease(options: ReleaseOptions): AsyncGenerator<ReleaseFile> {
  await using packer = new Packer(options.effort);
  const manifest = readManifest();
  const engines = new Map(
    options.native.map((platform) => [platform, nativePackage(platform, options.isNativeBuilt)]),
  );
  const npm = packageFiles(manifest, optionalDependencies(manifest.version, options.native));
  const release: Release = { ...options, manifest, packer, engines, npm };
  yield* npmPackages(release);
  const runtimes = options.architectures.map(nodeRuntime);
  const program = runtimes.length === 0 ? [] : await bundleProgram();
  for (const runtime of runtimes) yield* executables(release, runtime, program);
  yield bill(release, runtimes);
}

async function* npmPackages({ manifest, mtime, packer, engines, npm }: Release): AsyncGenerator<ReleaseFile> {
  const pack = async (name: string, files: readonly ReleaseFile[]): Promise<ReleaseFile> => ({
    path: `${name}-${manifest.version}.tgz`,
    mode: 0o644,
    bytes: await packer.gzip(writeTar(inPackage(files), { mtime })),
  });
  yield await pack('ocislim', npm);
  for (const [platform, files] of engines) yield await pack(`ocislim-native-${platform}`, files);
}

/** Makes the archive and the Debian package of an architecture. */
async function* executables(
  release: Release,
  runtime: Runtime,
  program: readonly ReleaseFile[],
): AsyncGenerator<ReleaseFile> {
  const { manifest, mtime, packer, tell } = release;
  const { architecture } = runtime;
  const executable = makeExecutable(runtime, program);
  const contents = contentsOf(release, runtime, { program, executable });
  if (contents.native === null) tell(`The executable for ${architecture} comes without the native engine.`);
  const name = `ocislim-${manifest.version}-linux-${architecture}`;
  const archive = writeTar(inFolder(name, await archiveFiles(contents, packer)), { mtime });
  yield { path: `${name}.tar.gz`, mode: 0o644, bytes: await packer.gzip(archive) };
  const files = await debianFiles(contents, packer);
  yield {
    path: `ocislim_${debianVersion(manifest.version)}_${debianNames[architecture]}.deb`,
    mode: 0o644,
    bytes: await makeDeb({ manifest, architecture, files, mtime }, packer),
  };
}

/** What goes into an executable's archives, as far as its architecture decides. */
interface Made {
  readonly program: readonly ReleaseFile[];
  readonly executable: Uint8Array;
}

function contentsOf(
  { manifest, mtime, engines, npm }: Release,
  { architecture, license, version }: Runtime,
  { program, executable }: Made,
): Contents {
  const engine = engines.get(`linux-${architecture}-gnu`) ?? [];
  const licenses = [
    { part: 'ocislim', text: textOf(npm, 'LICENSE') },
    { part: `Node ${version}, which is in the executable`, text: license },
    { part: 'The packages that are in the executable', text: textOf(program, 'LICENSES.txt') },
    ...(engine.length === 0 ? [] : [{ part: 'The native engine', text: textOf(engine, 'LICENSES.txt') }]),
  ];
  const documents = npm.filter(
    ({ path }) => path === 'LICENSE' || /^(?:docs\/.*|[A-Z]+)\.(?:md|svg)$/.test(path),
  );
  return {
    manifest,
    executable,
    native: engine.find(({ path }) => path.endsWith('.node')) ?? null,
    documents: withoutDeadLinks(documents, repositoryOf(manifest)),
    licenses,
    mtime,
  };
}

function textOf(files: readonly ReleaseFile[], path: string): string {
  const file = files.find((each) => each.path === path);
  if (file === undefined) throw new Error(`${path} is missing`);
  return Buffer.from(file.bytes).toString();
}

function bill({ manifest, mtime, engines }: Release, runtimes: readonly Runtime[]): ReleaseFile {
  const lock = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const [runtime] = runtimes;
  const sbom = renderSbom({
    manifest,
    locked: lock.packages,
    node: runtime === undefined ? null : { version: runtime.version, linked: linkedInto(runtime) },
    crates: engines.size === 0 ? [] : linkedPackages(),
    time: mtime,
  });
  return textFile(`ocislim-${manifest.version}.cdx.json`, sbom);
}

/** Returns what is linked into Node, by name. Only the Node that runs this can tell. */
function linkedInto({ version }: Runtime): Readonly<Record<string, string>> {
  const { node, modules: _modules, napi: _napi, ...linked } = process.versions;
  return node === version ? (linked as Record<string, string>) : {};
}
