import { type Filesystem, mergeStack } from '../../../src/changeset/filesystem.ts';
import { buildStack } from '../../../src/changeset/stack.ts';
import type { FileFacts } from '../../../src/slim/facts/facts.ts';
import { packageProbe } from '../../../src/slim/packages/package-index.ts';
import type { Package } from '../../../src/slim/packages/package.ts';
import { bytesOf } from '../../../src/tar/bytes.ts';
import { indexOf } from '../../changeset/rig.ts';
import type { EntrySpec } from '../../support/model/tar-bytes.ts';

/** By path: the text of a file, its bytes, or where a symlink leads. */
export type Files = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>;

export interface Image {
  readonly fs: Filesystem;
  readonly facts: FileFacts;
}

/** An image of one layer. The facts hold what the databases ask for, as a scan would have it. */
export async function imageOf(files: Files): Promise<Image> {
  const contents = new Map<string, Uint8Array>();
  const entries = Object.entries(files).map(([name, what]): EntrySpec => {
    if (typeof what === 'object' && 'link' in what) return { name, type: 'symlink', linkname: what.link };
    const body = typeof what === 'string' ? bytesOf(what) : what;
    if (body.length <= packageProbe(name)) contents.set(name, body);
    return { name, body };
  });
  const indexes = new Map([[1, await indexOf(...entries)]]);
  return {
    fs: mergeStack(buildStack(indexes), indexes),
    facts: { elf: () => null, script: () => null, contents: (path) => contents.get(path) ?? null },
  };
}

/** Packages in short, one a line: "dpkg libc6:amd64 2.36-9: lib/a lib/b". */
export function show(packages: readonly Package[]): string[] {
  return packages
    .map(({ kind, name, version, files }) => `${kind} ${name} ${version}: ${files.join(' ')}`)
    .sort();
}
