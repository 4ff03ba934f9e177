/**
 * Reads references as a person writes them. A text without a form may name a layout or an archive in this folder: then it is refused,
 * with the forms to choose from, and no registry is asked. The commands call it for every image that they are given.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { OcislimError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import { beginsWithHost, isArchiveName } from '../oci/forms/hints.ts';
import { hasForm, parseReference, readingsOf, type Reference, withoutPassword } from '../oci/reference.ts';
import { kindOf } from './settle-path.ts';

/** Bytes of the header of a tar's first entry. */
const blockSize = 512;

/** How files begin that are packed with gzip, zstd and xz. */
const magics = ['1f8b', '28b52ffd', 'fd377a585a00'].map((hex) => Buffer.from(hex, 'hex'));

/** Forms of what lies in a folder, the likeliest first. */
const localForms = ['oci:', 'docker-archive:', 'oci-archive:'] as const;

type LocalForm = (typeof localForms)[number];

/** Reads the reference of a source. @throws REFERENCE_INVALID, also where a layout or an archive here is named without its form */
export async function readSource(text: string): Promise<Reference> {
  await requireForm(text);
  return parseReference(text);
}

/** Refuses a text without a form that names a layout or an archive here. @throws REFERENCE_INVALID */
export async function requireForm(text: string): Promise<void> {
  if (hasForm(text)) return;
  // An "@" or a colon at the end names a destination without a tag, or was meant to have one.
  const place = text.replace(/[@:]$/, '');
  const form = await formHere(place);
  if (form === null) return;
  const isLayoutHere = form === 'oci:';
  const what = isLayoutHere ? 'folder with an OCI layout' : 'tar archive';
  const image = `docker://${text}`;
  const isImage = parsed(image) !== null && !isPath(text);
  const choices = [
    `${shellWord(`${form}${place}`)} for the ${isLayoutHere ? 'folder' : 'file'}`,
    ...(isImage ? [`${image} for the image`] : []),
    ...(form === 'docker-archive:' && parsed(`oci-archive:${place}`) !== null
      ? [`${shellWord(`oci-archive:${place}`)} if the file is an OCI layout in a tar`]
      : []),
  ];
  throw new OcislimError(
    'REFERENCE_INVALID',
    `${JSON.stringify(withoutPassword(text))} names a ${what} here, ${isImage ? 'and could be an image in a registry' : 'and does not say so'}`,
    { advice: `Write ${choices.join(', ')}.` },
  );
}

/** Returns the form in which a text names what is in this folder; null where it names nothing, or the image of a host. */
async function formHere(text: string): Promise<LocalForm | null> {
  for (const form of localForms) {
    const reference = parsed(`${form}${text}`);
    if (reference === null) continue;
    for (const reading of readingsOf(reference)) {
      if (!('path' in reading) || !(await isThere(form, reading.path))) continue;
      // A copy of an image is often kept in a folder of its name.
      return beginsWithHost(text) && reading.path !== text ? null : form;
    }
  }
  return null;
}

function isThere(form: LocalForm, path: string): Promise<boolean> {
  return form === 'oci:' ? isPlainlyLayout(path) : isPlainlyArchive(path);
}

/** Returns whether a text begins as only a path does. */
function isPath(text: string): boolean {
  return /^(?:\/|\.{0,2}(?:\/|$))/.test(text) || (isArchiveName(text) && !text.includes('/'));
}

function parsed(text: string): Reference | null {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof OcislimError) return null;
    throw error;
  }
}

/** Returns whether a folder is a layout: "oci-layout" says so, or "index.json" with "blobs" beside it. */
async function isPlainlyLayout(path: string): Promise<boolean> {
  const [mark, index, blobs] = await Promise.all(
    ['oci-layout', 'index.json', 'blobs'].map((name) => kindOf(join(path, name))),
  );
  return mark === 'file' || (index === 'file' && blobs === 'folder');
}

/** Returns whether a file is named as an archive, or begins as a tar (POSIX ustar: "magic") or a packed one does. */
async function isPlainlyArchive(path: string): Promise<boolean> {
  if ((await kindOf(path)) !== 'file') return false;
  if (isArchiveName(path)) return true;
  try {
    await using handle: FileHandle = await open(path);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(blockSize), 0, blockSize, 0);
    const isPacked = bytesRead > 0 && magics.some((magic) => buffer.subarray(0, magic.length).equals(magic));
    return isPacked || (bytesRead === blockSize && buffer.toString('latin1', 257, 262) === 'ustar');
  } catch {
    return false;
  }
}
