/**
 * Finds what `--layer` names on this machine: a directory, a file or a tar, and refuses what would become something else in the image than
 * was meant. `build.ts` calls it, before anything is read from a registry.
 */
import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type UnreadFormat, unreadFormat } from '../codec/unread-format.ts';
import { OcislimError } from '../errors.ts';
import type { Listener } from '../events.ts';
import { openFile, readAt } from '../files/file-bytes.ts';
import type { Addition } from '../image/addition.ts';
import type { GivenLayer } from '../settings/given-layer.ts';
import type { AppendSettings } from '../settings/tables/commands.ts';
import { shellWord } from '../shell-word.ts';

type Kind = Addition['kind'];

/** Finds the source of a layer: its path without symlinks, and what it is taken for. @throws USAGE, IO */
export async function findSource(given: GivenLayer): Promise<{ readonly path: string; readonly kind: Kind }> {
  const path = await placeOf(given);
  const kind = await kindOf(given, path);
  if (kind === 'tar') refuseWishes(given);
  return { path, kind };
}

/** @throws USAGE */
async function placeOf({ source }: GivenLayer): Promise<string> {
  try {
    return await realpath(resolve(source));
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : String(cause);
    throw new OcislimError('USAGE', `cannot add ${JSON.stringify(source)}: ${why}`, { cause });
  }
}

/** Names of files that are taken for tars. */
const tarName = /\.(?:tar|tar\.gz|tgz|tar\.zst|tzst)$/i;

/** Names of tars in formats that are not read. */
const unreadTarName = /\.(?:tar\.xz|txz|tar\.bz2|tbz2?|tb2)$/i;

/** Returns what a source is taken for. @throws USAGE, IO */
async function kindOf(given: GivenLayer, path: string): Promise<Kind> {
  const found = await stat(path);
  if (found.isDirectory()) {
    if (given.form === null) return 'directory';
    throw refusal(given, 'it is a directory', `Leave out "${given.form}:".`);
  }
  if (!found.isFile())
    throw refusal(given, 'it is neither a directory nor a file', 'Name a directory, a file or a tar.');
  if (given.form === 'file') return fileWithPath(given);
  if (given.form === 'tar' || tarName.test(path) || unreadTarName.test(path)) {
    const unread = await unreadFormatOf(path);
    if (unread !== null) throw packedRefusal(given, unread);
  }
  return given.form === 'tar' || tarName.test(path) ? 'tar' : fileWithPath(given);
}

/** @throws USAGE where a file has no path in the image */
function fileWithPath(given: GivenLayer): Kind {
  if (given.destination !== null) return 'file';
  throw refusal(given, 'it is a file, and has no path in the image', `Write ${given.source}:/PATH.`);
}

async function unreadFormatOf(path: string): Promise<UnreadFormat | null> {
  const file = await openFile(path);
  if (file === null) return null;
  await using handle = file.handle;
  return unreadFormat(await readAt(handle, 0, 8));
}

/** Makes the error for a tar that is packed with what is not read. As a file in the image it would be a mistake, seldom a wish. */
function packedRefusal(given: GivenLayer, { name, program }: UnreadFormat): OcislimError {
  const text = given.text.replace(/^tar:/, '');
  const asFile = given.destination === null ? '' : `, or add it as a file: ${shellWord(`file:${text}`)}`;
  return refusal(
    given,
    `it is packed with ${name}, which ocislim does not read`,
    `Unpack it first: ${program} -dk ${shellWord(given.source)}${asFile}`,
  );
}

/** The wishes that change files, which a tar has as they are. */
const wishes = [
  ['owner', 'chown'],
  ['mode', 'chmod'],
  ['mtime', 'mtime'],
] as const;

/** @throws USAGE for a wish behind a tar, on which it would have no effect */
function refuseWishes(given: GivenLayer): void {
  const idle = wishes.filter(([key]) => given[key] !== null).map(([, name]) => `,${name}`);
  if (idle.length === 0) return;
  throw new OcislimError(
    'USAGE',
    `${idle.join(' and ')} behind the tar ${JSON.stringify(given.source)} has no effect: the files of a tar keep their owners, modes and times`,
    { advice: 'Leave it out, or unpack the tar and add the directory.' },
  );
}

/** Warns of options for the files of directories that have nothing to act on, since every layer is of another kind. */
export function warnOfIdleOptions(
  kinds: readonly Kind[],
  { chown, chmod, mtime, exclude }: Pick<AppendSettings, 'chown' | 'chmod' | 'mtime' | 'exclude'>,
  listener: Listener,
): void {
  const warn = (message: string) => listener({ type: 'warning', code: 'SETTING_IGNORED', message });
  const ofFiles = Object.entries({ '--chown': chown, '--chmod': chmod, '--mtime': mtime });
  if (kinds.every((kind) => kind === 'tar'))
    for (const [name, value] of ofFiles)
      if (value !== null) warn(`${name} changes no file: every new layer is a tar, which keeps its own`);
  if (exclude.length > 0 && kinds.every((kind) => kind !== 'directory'))
    warn('--exclude leaves out nothing: no new layer is made of a directory');
}

function refusal({ source }: GivenLayer, why: string, advice: string): OcislimError {
  return new OcislimError('USAGE', `cannot add ${JSON.stringify(source)}: ${why}`, { advice });
}
