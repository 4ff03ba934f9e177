import type { Filesystem } from '../../../src/rootfs/filesystem.ts';
import type { FileFacts } from '../../../src/rootfs/facts/facts.ts';
import type { Package, PackageDatabase } from '../../../src/rootfs/packages/package.ts';
import { packageProbe } from '../../../src/rootfs/packages/package-index.ts';
import { imageOf as tableImage, symlink, type Thing } from '../../closure/rig.ts';

/** By path: the text of a file, its bytes, or where a symlink leads. */
export type Files = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>;

export interface Image {
  readonly fs: Filesystem;
  readonly facts: FileFacts;
}

/** The most entries of a layer, since a call takes a limited number of arguments. */
const layerSize = 10_000;

/** Builds an image, of several layers if it is large. Its facts have the contents of all files. */
export async function rawImageOf(files: Files): Promise<Image> {
  const things = Object.entries(files).map(([path, what]): [string, Thing | string] => {
    if (typeof what === 'string') return [path, what];
    return [path, 'link' in what ? symlink(what.link) : { entry: { body: what }, contents: what }];
  });
  const layers = Array.from({ length: Math.max(1, Math.ceil(things.length / layerSize)) }, (_, i) =>
    Object.fromEntries(things.slice(i * layerSize, (i + 1) * layerSize)),
  );
  return tableImage(...layers);
}

/** Builds an image whose facts have the contents that the databases need, as after a scan. */
export async function imageOf(files: Files): Promise<Image> {
  const { fs, facts } = await rawImageOf(files);
  const contents: FileFacts['contents'] = (path) => {
    const known = facts.contents(path);
    return known === null || known.length > packageProbe(path) ? null : known;
  };
  return { fs, facts: { ...facts, contents } };
}

/** Shows packages in short: "dpkg libc6:amd64 2.36-9: lib/a lib/b". */
export function show(packages: readonly Package[]): string[] {
  return packages
    .map(({ kind, name, version, files }) => `${kind} ${name} ${version}: ${files.join(' ')}`)
    .sort();
}

/** Returns the packages that a database has in an image of these files, in short. All of the database must be readable. */
export async function packagesIn(database: PackageDatabase, files: Files): Promise<string[]> {
  const { fs, facts } = await imageOf(files);
  const { packages, unread } = database.read(fs, facts);
  if (unread.length > 0) throw new Error(`unread: ${JSON.stringify(unread)}`);
  return show(packages);
}
