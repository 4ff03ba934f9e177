/**
 * Lays out what an executable is installed with, below a prefix such as /usr or /usr/local: the program, the native engine,
 * completions, manual pages, documents and licences. Archives and Debian packages have the same files.
 */
import { completionFiles, debianPlaces, manualFiles, usualPlaces } from './completions.ts';
import { debianChangelog } from './deb.ts';
import { byPath, inFolder, type ReleaseFile, textFile } from './files.ts';
import type { Manifest } from './manifest.ts';
import type { Packer } from './pack.ts';
import { dayOf } from './source-date.ts';

/** The licence of a part. */
export interface License {
  /** What it is of. */
  readonly part: string;
  readonly text: string;
}

/** What is installed. */
export interface Contents {
  readonly manifest: Manifest;
  readonly executable: Uint8Array;
  /** The native engine; null without one. */
  readonly native: ReleaseFile | null;
  /** The documents, by their paths in the npm package. */
  readonly documents: readonly ReleaseFile[];
  /** The licences of what is inside; the first is that of ocislim. */
  readonly licenses: readonly License[];
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** Lists the files of an archive, below its prefix. */
export async function archiveFiles(contents: Contents, packer: Packer): Promise<readonly ReleaseFile[]> {
  const share = [
    ...(await completionFiles(usualPlaces)),
    ...(await packedManual(contents, packer)),
    ...inFolder('doc/ocislim', [...contents.documents, textFile('LICENSES.txt', textOf(contents.licenses))]),
  ];
  return [...programFiles(contents), ...inFolder('share', share)].toSorted(byPath);
}

/** Lists the files of a Debian package, below `/`. */
export async function debianFiles(contents: Contents, packer: Packer): Promise<readonly ReleaseFile[]> {
  const { manifest, documents, licenses, mtime } = contents;
  const packed = await packedFiles(
    [
      ...documents.filter(({ path }) => path === 'CHANGELOG.md'),
      textFile('changelog', debianChangelog(manifest, mtime)),
    ],
    packer,
  );
  const texts = documents.filter(({ path }) => path !== 'CHANGELOG.md' && path !== 'LICENSE');
  const share = [
    ...(await completionFiles(debianPlaces)),
    ...(await packedManual(contents, packer)),
    ...inFolder('doc/ocislim', [...texts, ...packed, textFile('copyright', copyrightOf(licenses))]),
  ];
  return inFolder('usr', [...programFiles(contents), ...inFolder('share', share)]).toSorted(byPath);
}

/** Writes the licences one after the other. */
function textOf(licenses: readonly License[]): string {
  return licenses
    .map(({ part, text }) => `${part}\n${'='.repeat(part.length)}\n\n${text.trim()}\n`)
    .join('\n');
}

/** Writes them for Debian, which has the Apache License on every system. */
function copyrightOf([own, ...others]: readonly License[]): string {
  const text =
    'Licensed under the Apache License, Version 2.0, whose text is in /usr/share/common-licenses/Apache-2.0.';
  return textOf([...(own === undefined ? [] : [{ ...own, text }]), ...others]);
}

function programFiles({ executable, native }: Contents): readonly ReleaseFile[] {
  return [
    { path: 'bin/ocislim', mode: 0o755, bytes: executable },
    ...(native === null ? [] : inFolder('lib/ocislim', [native])),
  ];
}

async function packedManual({ manifest, mtime }: Contents, packer: Packer): Promise<readonly ReleaseFile[]> {
  const foot = { day: dayOf(mtime), source: `${manifest.name} ${manifest.version}` };
  return packedFiles(manualFiles(foot), packer);
}

async function packedFiles(files: readonly ReleaseFile[], packer: Packer): Promise<readonly ReleaseFile[]> {
  return Promise.all(
    files.map(async ({ path, mode, bytes }) => ({
      path: `${path}.gz`,
      mode,
      bytes: await packer.gzip(bytes),
    })),
  );
}
