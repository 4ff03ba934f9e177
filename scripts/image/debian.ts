/**
 * Fetches packages of Debian for any architecture with apt-get, and reads the files in them. The machine's own packages stay as they
 * are: apt-get works on a state of its own in the cache, with the sources and keys of this machine. What the cache has is not fetched
 * again.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bytesOf, type ByteString } from '../../src/bytes/bytes.ts';
import { cleanPath } from '../../src/bytes/path.ts';
import { collect } from '../../src/stream/collect.ts';
import type { TarEntry } from '../../src/tar/entry.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { MiB } from '../../src/units.ts';
import { type ImageFile, textFile } from './image-file.ts';

const run = promisify(execFile);

/** The most that a file of a package may be, in bytes. */
const largestFile = 64 * MiB;

export type Architecture = 'amd64' | 'arm64';

/** A package file in the cache. */
interface PackageFile {
  readonly name: string;
  readonly file: string;
}

/** Returns the files of packages, fetched into the cache where they are not there yet. Throws what apt-get says. */
export async function fetchPackages(
  names: readonly string[],
  architecture: Architecture,
  cache: string,
): Promise<readonly PackageFile[]> {
  const folder = join(cache, architecture);
  const missing = names.filter((name) => findPackage(name, folder) === undefined);
  if (missing.length > 0) {
    const env = { ...process.env, APT_CONFIG: await configure(folder, architecture) };
    await run('apt-get', ['--quiet', 'update'], { env });
    await run('apt-get', ['--quiet', 'download', ...missing], { env, cwd: folder });
  }
  return names.map((name) => {
    const file = findPackage(name, folder);
    if (file === undefined) throw new Error(`apt-get has left no file of the package ${name} in ${folder}`);
    return { name, file };
  });
}

function findPackage(name: string, folder: string): string | undefined {
  const [file] = globSync(`${name}_*.deb`, { cwd: folder }).sort();
  return file === undefined ? undefined : join(folder, file);
}

/** Writes the configuration of an apt-get that knows one architecture, and has a state of its own. Returns its file. */
async function configure(folder: string, architecture: Architecture): Promise<string> {
  const root = join(folder, 'apt');
  const status = join(root, 'var/lib/dpkg/status');
  for (const each of ['var/lib/apt/lists/partial', 'var/cache/apt/archives/partial', 'var/lib/dpkg'])
    await mkdir(join(root, each), { recursive: true });
  await writeFile(status, '');
  const file = join(root, 'apt.conf');
  await writeFile(
    file,
    [
      `Dir "${root}";`,
      'Dir::Etc "/etc/apt";',
      `Dir::State::status "${status}";`,
      `APT::Architecture "${architecture}";`,
      `APT::Architectures { "${architecture}"; };`,
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
      '',
    ].join('\n'),
  );
  return file;
}

/**
 * Reads the files of a package whose paths are wanted, and the stanza by which scanners know that it is there. Paths are those of a
 * merged /usr: `usr/lib/…` for what the package calls `lib/…`.
 */
export async function readPackage(
  { name, file }: PackageFile,
  isWanted: (path: string) => boolean,
): Promise<readonly ImageFile[]> {
  const { stdout: stanza } = await run('dpkg-deb', ['--field', file]);
  const child = spawn('dpkg-deb', ['--fsys-tarfile', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const files: ImageFile[] = [textFile(`var/lib/dpkg/status.d/${name}`, stanza)];
  const reader = new TarReader(child.stdout);
  for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
    const path = textOf(cleanPath(entry.name)).replace(/^(?=(?:bin|sbin|lib|lib64)\/)/, 'usr/');
    if (entry.kind !== 'directory' && isWanted(path)) files.push(await readEntry(entry, path, reader));
  }
  const [status] = (await closed) as [number | null];
  if (status !== 0) throw new Error(`dpkg-deb cannot read ${file}`);
  return files;
}

async function readEntry(entry: TarEntry, path: string, reader: TarReader): Promise<ImageFile> {
  if (entry.kind === 'symlink') return { kind: 'symlink', path, target: textOf(entry.link) };
  if (entry.kind !== 'file') throw new Error(`${path} is a ${entry.kind}, which no image needs of a package`);
  const bytes = await collect(reader.body(), largestFile, path);
  return { kind: 'file', path, mode: entry.mode & 0o7777, bytes: bytes.subarray(0, entry.size) };
}

function textOf(name: ByteString): string {
  return Buffer.from(bytesOf(name)).toString('utf8');
}
