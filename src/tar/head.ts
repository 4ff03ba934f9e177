/**
 * Edits the head of an entry in place, and makes heads for entries that have none. `changeset/edit.ts` calls it for what
 * changes its name, target or mode.
 */
import { OcislimError } from '../errors.ts';
import { concat } from '../stream/collect.ts';
import { type ByteString, bytesOf, readField, ascii } from '../bytes/bytes.ts';
import { quotePath } from '../bytes/path.ts';
import { blockSize, isStar, parseHeader, sealHeader } from './header.ts';
import { headerBlock, maxName, paxBlocks, paxName, wholeBlocks } from './header-block.ts';
import { writeOctal } from './number.ts';
import { encodePax, type PaxRecords, parsePax } from './pax.ts';
import { padded } from './reader.ts';
import { sparseName } from './sparse.ts';

interface Extension {
  readonly type: 'x' | 'L' | 'K';
  readonly block: Uint8Array;
  readonly body: Uint8Array;
}

/**
 * The head of an entry taken apart: extensions in their order, the last of each type, then the header, then the map of a
 * GNU sparse file. Earlier extensions of a type say nothing, and must not begin to when the last one is emptied.
 */
interface Parts {
  readonly extensions: readonly Extension[];
  readonly header: Uint8Array;
  readonly map: Uint8Array;
}

function takeApart(head: Uint8Array): Parts {
  const extensions: Extension[] = [];
  let at = 0;
  for (;;) {
    const block = head.slice(at, at + blockSize);
    const { type, size } = parseHeader(block);
    at += blockSize;
    if (type !== 'x' && type !== 'L' && type !== 'K')
      return {
        extensions: extensions.filter(
          (extension, i) => i === extensions.findLastIndex((other) => other.type === extension.type),
        ),
        header: block,
        map: head.slice(at),
      };
    extensions.push({ type, block, body: head.slice(at, at + size) });
    at += padded(size);
  }
}

function putTogether(parts: Parts): Uint8Array {
  const blocks = parts.extensions.flatMap(({ block, body }) => extensionBlocks(block, body));
  return concat([...blocks, parts.header, parts.map]);
}

function extensionBlocks(block: Uint8Array, body: Uint8Array): Uint8Array[] {
  writeOctal(block, 124, 12, body.length);
  sealHeader(block);
  return [block, wholeBlocks(body)];
}

const nameField = { offset: 0, length: 100, pax: ascii`path`, gnu: 'L' } as const;
const linkField = { offset: 157, length: 100, pax: ascii`linkpath`, gnu: 'K' } as const;

/**
 * Gives a head another name, for a hard link that now carries the data. Everything else (owner, times, xattrs, sparse map)
 * stays as it was; the name of a sparse file changes in every place that holds it. @throws TAR_INVALID
 */
export function renameHead(head: Uint8Array, name: ByteString): Uint8Array {
  const parts = replaceText(takeApart(head), nameField, name);
  // The old form of sparse files has its map in the header, and readers pass over records of the PAX form.
  if (parts.header[156] === 0x53) return putTogether(parts);
  return putTogether({
    ...parts,
    extensions: parts.extensions.map((extension) => renameSparse(extension, name)),
  });
}

function renameSparse(extension: Extension, name: ByteString): Extension {
  if (extension.type !== 'x') return extension;
  const records = parsePax(extension.body);
  if (sparseName(records) === undefined) return extension;
  const renamed: PaxRecords = records.map(
    ([key, value]) => [key, key === 'GNU.sparse.name' ? name : value] as const,
  );
  return { ...extension, body: encodePax(renamed) };
}

/** Gives the head of a hard link another target. @throws TAR_INVALID */
export function relinkHead(head: Uint8Array, target: ByteString): Uint8Array {
  return putTogether(replaceText(takeApart(head), linkField, target));
}

/** Turns the head of a plain file into that of a hard link: without data, every attribute as it was. @throws TAR_INVALID */
export function linkHead(head: Uint8Array, target: ByteString): Uint8Array {
  const parts = takeApart(head);
  parts.header[156] = 0x31;
  return putTogether(replaceText(resized(parts, 0), linkField, target));
}

/** Gives a head other permission bits. @throws TAR_INVALID */
export function chmodHead(head: Uint8Array, mode: number): Uint8Array {
  const parts = takeApart(head);
  writeOctal(parts.header, 100, 8, mode);
  sealHeader(parts.header);
  return putTogether(parts);
}

/** The records that state times: they would replace that of the header. */
const timeRecords = /^(?:mtime|atime|ctime|LIBARCHIVE\.creationtime)$/;

/** Gives a head another time, in whole seconds since 1970, and no other times. @throws TAR_INVALID */
export function retimeHead(head: Uint8Array, mtime: number): Uint8Array {
  const parts = takeApart(head);
  // GNU headers have two more times there (gnu_header in tar.h).
  if (parseHeader(parts.header).gnu) parts.header.fill(0, 345, 369);
  writeOctal(parts.header, 136, 12, mtime);
  sealHeader(parts.header);
  const extensions = parts.extensions
    .map((extension) => withoutRecords(extension, (key) => timeRecords.test(key)))
    .filter(({ body }) => body.length > 0);
  return putTogether({ ...parts, extensions });
}

/** Gives the head of a plain file another size, every attribute as it was. @throws TAR_INVALID for a sparse file */
export function resizeHead(head: Uint8Array, size: number): Uint8Array {
  const parts = takeApart(head);
  if (parts.header[156] === 0x53 || parts.extensions.some(isSparse))
    throw new OcislimError('TAR_INVALID', 'a file that is to be edited is sparse');
  return putTogether(resized(parts, size));
}

/** States the size of the body in the header alone. */
function resized({ extensions, header, map }: Parts, size: number): Parts {
  writeOctal(header, 124, 12, size);
  sealHeader(header);
  return { header, map, extensions: extensions.map(withoutSize).filter(({ body }) => body.length > 0) };
}

function withoutSize(extension: Extension): Extension {
  return withoutRecords(extension, (key) => key === 'size');
}

function withoutRecords(extension: Extension, isGone: (key: string) => boolean): Extension {
  if (extension.type !== 'x') return extension;
  const records = parsePax(extension.body).filter(([key]) => !isGone(key));
  return { ...extension, body: encodePax(records) };
}

function isSparse({ type, body }: Extension): boolean {
  return type === 'x' && parsePax(body).some(([key]) => key.startsWith('GNU.sparse.'));
}

function replaceText(parts: Parts, field: typeof nameField | typeof linkField, text: ByteString): Parts {
  const { header } = parts;
  const bytes = bytesOf(text);
  const fits = bytes.length <= field.length;
  const { gnu, name } = parseHeader(header);
  const hasPrefix = name !== readField(header, 0, 100);
  header.fill(0, field.offset, field.offset + field.length);
  header.set(bytes.subarray(0, field.length), field.offset);
  // A prefix belongs to the old name. In GNU headers it stands where two times should, and a sparse map may follow.
  if (field === nameField && hasPrefix) header.fill(0, 345, 345 + (gnu ? 41 : isStar(header, 0) ? 131 : 155));
  sealHeader(header);
  let extensions = parts.extensions
    .filter((extension) => extension.type !== field.gnu)
    .map((extension) => {
      if (extension.type !== 'x') return extension;
      const records = parsePax(extension.body).filter(([key]) => key !== field.pax);
      return { ...extension, body: encodePax(records) };
    })
    .filter((extension) => extension.type !== 'x' || extension.body.length > 0);
  if (!fits) {
    if (gnu) {
      const body = new Uint8Array(bytes.length + 1);
      body.set(bytes);
      extensions = [...extensions, { type: field.gnu, block: extensionHeader(field.gnu), body }];
    } else {
      const last = extensions.findLastIndex((extension) => extension.type === 'x');
      const record = [field.pax, text] as const;
      extensions =
        last < 0
          ? [...extensions, { type: 'x' as const, block: extensionHeader('x'), body: encodePax([record]) }]
          : extensions.map((extension, i) =>
              i === last
                ? { ...extension, body: encodePax([...parsePax(extension.body), record]) }
                : extension,
            );
    }
  }
  return { ...parts, extensions };
}

function extensionHeader(type: 'x' | 'L' | 'K'): Uint8Array {
  const name = type === 'x' ? paxName : ascii`././@LongLink`;
  return headerBlock({ name, type, mode: 0o644, gnu: type !== 'x' });
}

/** An entry that no source layer has: a whiteout (an empty file of mode 0), or a directory as runtimes imply it (0755). Both are owned by 0:0. */
export interface MadeEntry {
  readonly kind: 'whiteout' | 'directory';
  /** The name in the archive, `.wh.` included. */
  readonly name: ByteString;
  /** Seconds since 1970, not negative. */
  readonly mtime: number;
}

/** Makes the head of an entry that no source layer has. */
export function makeHead({ kind, name, mtime }: MadeEntry): Uint8Array {
  const directory = kind === 'directory';
  const spelled = directory ? ascii`${name}/` : name;
  const kept = directory ? { type: '5', mode: 0o755 } : { type: '0', mode: 0 };
  const header = headerBlock({ name: spelled, ...kept, mtime });
  if (spelled.length <= maxName) return header;
  return concat([...paxBlocks(paxName, [[ascii`path`, spelled]]), header]);
}

/** The end mark: two zero blocks. */
export const tarEnd: Uint8Array = new Uint8Array(2 * blockSize);

/**
 * Checks that a global header holds comments only. Other records change what some readers see, but not what runtimes see.
 * @throws TAR_INVALID naming the first other record
 */
export function checkGlobal(body: Uint8Array): void {
  const other = parsePax(body).find(([key]) => key !== 'comment');
  if (other === undefined) return;
  throw new OcislimError(
    'TAR_INVALID',
    `a global tar header sets ${quotePath(other[0])} for all entries after it, which programs read in different ways`,
    {
      advice: 'Leave this layer out of the selection, or rewrite it with another tar program.',
    },
  );
}
