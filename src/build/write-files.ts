/**
 * Writes the tar of a layer from files of this machine, in one pass, whatever their number. `index.ts` calls it. The same files
 * give the same bytes on every machine: names decide about the order, and `Addition` about owners and times.
 */
import { type Path, root } from '../bytes/path.ts';
import { OcislimError } from '../errors.ts';
import type { Addition, Placement } from '../image/addition.ts';
import { createMatcher } from '../rules/rules.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { Coalescer } from '../stream/coalesce.ts';
import { Turns } from '../steps.ts';
import { tarEnd } from '../tar/head.ts';
import { paddingOf } from '../tar/header-block.ts';
import { newHead, type Xattr } from '../tar/new-head.ts';
import type { Adding } from './adding.ts';
import { attributesOf, kindOf, madeDirectory, refuseWhiteout } from './entry.ts';
import { type AttributesByPath, readExtendedAttributes } from './extended-attributes.ts';
import { OpenBody, readSmall, smallFile } from './file-body.ts';
import { EntryNames } from './redirects.ts';
import { type FoundFile, lookAt, placeName, ruledKind, walk } from './walk.ts';

/** Writes the tar of an addition that is a directory or a file. @throws IO, LAYER_INVALID */
export async function* writeFiles(addition: Addition, placement: Placement, adding: Adding): ByteStream {
  const { signal } = adding;
  const xattrs = addition.xattrs ? await attributesFor(addition, adding) : new Map();
  const writer = new FilesWriter(addition, adding, xattrs);
  const turns = new Turns();
  for (const made of placement.made) writer.add(newHead(madeDirectory(made, addition)));
  for (const [file, name] of filesOf(addition, placement)) {
    if (writer.isLarge(file, name)) yield* writer.large(file, name);
    else writer.small(file, name);
    yield* writer.ready();
    if (turns.isOver) await turns.next(signal);
  }
  writer.add(tarEnd);
  yield* writer.end();
}

/** Reads extended attributes, by the path of each file as `filesOf` gives it. */
async function attributesFor(
  { kind, path }: Addition,
  { signal, listener }: Adding,
): Promise<AttributesByPath> {
  const slash = path.lastIndexOf('/');
  const found = await readExtendedAttributes(
    kind === 'directory'
      ? { folder: path, name: '.' }
      : { folder: path.slice(0, slash + 1), name: path.slice(slash + 1) },
    signal,
  );
  if (found === null)
    listener({
      type: 'warning',
      code: 'XATTRS_UNREAD',
      message:
        'extended attributes (file capabilities too) are not read, since the program getfattr is not installed (package attr)',
    });
  if (kind === 'directory' || found === null) return found ?? new Map();
  return new Map([...found.values()].map((own) => [root, own] as const));
}

/** Yields files with their paths in the layer. */
function* filesOf(addition: Addition, placement: Placement): Generator<[FoundFile, Path]> {
  const { destination, exists } = placement;
  const place = Buffer.from(addition.path);
  const top = lookAt(root, place);
  if (addition.kind === 'file') {
    if (top.kind === 'directory')
      throw new OcislimError('IO', `${placeName(place)} has become a directory since the run began`);
    yield [top, destination];
    return;
  }
  if (top.kind !== 'directory')
    throw new OcislimError('IO', `cannot read ${placeName(place)}: it is not a directory any more`);
  if (!exists) yield [top, destination];
  const { rules } = addition;
  const exclusion =
    rules.length === 0
      ? null
      : { matches: createMatcher(rules), hasExceptions: rules.some(({ negated }) => negated) };
  const names = new EntryNames(
    place,
    placement,
    (path, kind) => exclusion !== null && exclusion.matches(path, ruledKind(kind)) !== null,
  );
  for (const file of walk(place, exclusion)) {
    const name = names.of(file);
    if (name !== null) yield [file, name];
  }
}

/** Makes the bytes of entries. */
class FilesWriter {
  readonly #addition: Addition;
  readonly #adding: Adding;
  readonly #xattrs: AttributesByPath;
  readonly #blocks = new Coalescer();
  /** The first name of each file with several, by device and inode. */
  readonly #links = new Map<string, Path>();

  constructor(addition: Addition, adding: Adding, xattrs: AttributesByPath) {
    this.#addition = addition;
    this.#adding = adding;
    this.#xattrs = xattrs;
  }

  /** Yields the blocks that are full. */
  ready(): Generator<Uint8Array> {
    return this.#blocks.ready();
  }

  /** Yields what is left. */
  *end(): Generator<Uint8Array> {
    this.#blocks.end();
    yield* this.#blocks.ready();
  }

  add(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#blocks.add(bytes);
  }

  /** Returns whether a file is read piece by piece. */
  isLarge(file: FoundFile, name: Path): boolean {
    refuseWhiteout(file, name);
    return file.kind === 'file' && file.stats.size > smallFile && !this.#links.has(inodeOf(file));
  }

  /** Writes a file that is read at once, or has no contents. */
  small(file: FoundFile, name: Path): void {
    const attributes = this.#attributesOf(file, name);
    if (file.kind !== 'file') {
      const kind = kindOf(file);
      if (kind === null) this.#leaveOut(file);
      else this.#addHead({ ...attributes, ...kind }, file);
      return;
    }
    const link = this.#linkOf(file, name);
    if (link !== null) {
      this.#addHead({ ...attributes, kind: 'hardlink', link }, file);
      return;
    }
    const bytes = readSmall(file);
    this.#addHead({ ...attributes, kind: 'file', size: bytes.length }, file);
    this.add(bytes);
    this.add(paddingOf(bytes.length));
    this.#adding.onBytes(bytes.length);
  }

  /** Writes a file piece by piece. */
  async *large(file: FoundFile, name: Path): ByteStream {
    const { signal, onBytes } = this.#adding;
    this.#linkOf(file, name);
    const attributes = this.#attributesOf(file, name);
    await using body = await OpenBody.open(file, signal);
    const { pieces } = body;
    const size = Number(file.stats.size);
    this.#addHead({ ...attributes, kind: 'file', size, ...(pieces === null ? {} : { pieces }) }, file);
    let stored = 0;
    for await (const chunk of body.read(signal)) {
      stored += chunk.length;
      this.add(chunk);
      onBytes(chunk.length);
      yield* this.ready();
    }
    this.add(paddingOf(stored));
  }

  #attributesOf(file: FoundFile, name: Path) {
    const xattrs: readonly Xattr[] = this.#xattrs.get(file.path) ?? [];
    return attributesOf(file, name, this.#addition, xattrs);
  }

  /** Returns the name that has the contents of a file; null for the first one. */
  #linkOf(file: FoundFile, name: Path): Path | null {
    if (file.stats.nlink < 2n) return null;
    const inode = inodeOf(file);
    const first = this.#links.get(inode);
    if (first !== undefined) return first;
    this.#links.set(inode, name);
    return null;
  }

  #leaveOut({ place }: FoundFile): void {
    const message = `${placeName(place)} is left out: it is a socket`;
    this.#adding.listener({ type: 'warning', code: 'FILE_LEFT_OUT', message });
  }

  #addHead(head: Parameters<typeof newHead>[0], { place }: FoundFile): void {
    try {
      this.add(newHead(head));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new OcislimError('LAYER_INVALID', `${placeName(place)}: ${error.message}`);
    }
  }
}

function inodeOf({ stats }: FoundFile): string {
  return `${stats.dev}:${stats.ino}`;
}
