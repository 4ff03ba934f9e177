import type { Filesystem } from '../../../src/rootfs/filesystem.ts';
import type { FileFacts } from '../../../src/rootfs/facts/facts.ts';
import type { Package } from '../../../src/rootfs/packages/package.ts';
import { packageProbe } from '../../../src/rootfs/packages/package-index.ts';
import { imageOf as tableImage, symlink, type Thing } from '../../closure/rig.ts';

/** By path: the text of a file, its bytes, or where a symlink leads. */
export type Files = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>;

export interface Image {
  readonly fs: Filesystem;
  readonly facts: FileFacts;
}

/** The most entries of a layer: a call takes no more arguments. */
const layerSize = 10_000;

/** An image of one layer, or several where it is large. The facts hold what the databases ask for, as a scan would have it. */
export async function imageOf(files: Files): Promise<Image> {
  const things = Object.entries(files).map(([path, what]): [string, Thing | string] => {
    if (typeof what === 'string') return [path, what];
    return [path, 'link' in what ? symlink(what.link) : { entry: { body: what }, contents: what }];
  });
  const layers = Array.from({ length: Math.max(1, Math.ceil(things.length / layerSize)) }, (_, i) =>
    Object.fromEntries(things.slice(i * layerSize, (i + 1) * layerSize)),
  );
  const { fs, facts } = await tableImage(...layers);
  const contents: FileFacts['contents'] = (path) => {
    const known = facts.contents(path);
    return known === null || known.length > packageProbe(path) ? null : known;
  };
  return { fs, facts: { ...facts, contents } };
}

/** Packages in short, one a line: "dpkg libc6:amd64 2.36-9: lib/a lib/b". */
export function show(packages: readonly Package[]): string[] {
  return packages
    .map(({ kind, name, version, files }) => `${kind} ${name} ${version}: ${files.join(' ')}`)
    .sort();
}
