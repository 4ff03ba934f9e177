/**
 * Makes the report of `slim --creport` for an image that was made: lists its files, and what its config says, for
 * `trace/creport-file.ts`, which knows the form. The job of `slim --record` calls it.
 */
import type { Path } from '../../bytes/path.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { readRuntime } from '../../oci/runtime.ts';
import type { Filesystem, NodeKind } from '../../rootfs/filesystem.ts';
import { type CreportContents, creportDocument, type ReportedFile } from '../../trace/creport-file.ts';
import { scanOpened } from '../analyze/scan-image.ts';
import { type OneImageOptions, openOneImage } from '../one-image.ts';

/** What the caller knows beside the image. */
export interface CreportFacts extends Pick<CreportContents, 'trace' | 'producer'> {
  /** The reference of the image, as the report names it. */
  readonly name: string;
}

/**
 * Yields the report about the one image that the options select, in pieces of text. Reads the headers of its layers.
 * @throws what opening and scanning an image throw, and the reason of the signal
 */
export async function* creportOf(options: OneImageOptions, facts: CreportFacts): AsyncGenerator<string> {
  const { name, ...rest } = facts;
  await using opened = await openOneImage(options);
  const { image, fs } = await scanOpened(opened, options, null);
  const { entrypoint, command, user, workingDirectory } = readRuntime(image.config);
  const { platform } = image.config;
  yield* creportDocument(
    {
      ...rest,
      image: {
        name,
        id: image.manifest.config.digest,
        platform: platform === null ? null : formatPlatform(platform),
        entrypoint,
        command,
        user,
        workingDirectory,
      },
      files: reportedFiles(fs),
    },
    options.signal,
  );
}

/**
 * Yields every file of an image except its directories, sorted by path parts. SlimToolkit lists files and symlinks only, and takes
 * a directory in a report as an order to keep everything below it (--include-paths-creport-file).
 */
export function* reportedFiles(fs: Filesystem): Generator<ReportedFile> {
  for (const path of fs.all()) {
    const kind = fs.kind(path);
    if (kind === null || kind === 'directory') continue;
    const target = fs.target(path);
    yield {
      path,
      kind,
      // Linux gives every symlink these, whatever its entry says.
      mode: kind === 'symlink' ? 0o777 : fs.mode(path),
      size: sizeOf(fs, path, kind),
      uid: fs.uid(path),
      gid: fs.gid(path),
      target,
      sha1: null,
    };
  }
}

/** Returns the size of a file as lstat(2) has it: of a symlink the bytes of its target, of a device 0. */
function sizeOf(fs: Filesystem, path: Path, kind: NodeKind): number {
  return kind === 'symlink' ? (fs.target(path)?.length ?? 0) : kind === 'file' ? fs.length(path) : 0;
}
