/**
 * Renders lists of files: names, a long form like that of `ls -l`, JSON, names that end in NUL bytes. The command `ls` calls it. All of
 * them are made in pieces, since an image may have millions of files.
 */
import { baseOf, type Path } from '../../bytes/path.ts';
import { bytesOf } from '../../bytes/bytes.ts';
import { type ListedFile, type Listing, storedName } from '../../jobs/look/list-files.ts';
import { displayPath, pathFields, safeJsonText } from '../escape.ts';

export interface ListingStyle {
  readonly long: boolean;
  /** Whether names are shown with their directories. */
  readonly whole: boolean;
  /** Whether each entry has the number of its layer before its name. */
  readonly layer: boolean;
  /** Whether what became of it stands there, too; without, only markers have words, behind their names. */
  readonly state: boolean;
}

/** Lines that are written at a time. */
const linesPerPiece = 1000;

/** Renders a line for each file. */
export function* renderListing({ files, path }: Listing, style: ListingStyle): Generator<string> {
  const widths = widthsOf(files);
  const head = [
    ...(style.long ? [longHead(widths)] : []),
    ...(style.layer ? ['LAYER'.padStart(widths.layer)] : []),
    ...(style.state ? ['STATE'.padEnd(widths.state)] : []),
  ];
  if (head.length > 0) yield `${[...head, 'NAME'].join('  ')}\n`;
  yield* joined(files, (file) => {
    const parts = [
      ...(style.long ? [longRow(file, widths)] : []),
      ...(style.layer ? [String(file.layer ?? '').padStart(widths.layer)] : []),
      ...(style.state ? [stateOf(file).padEnd(widths.state)] : []),
      nameOf(file, path, style),
    ];
    return `${parts.join('  ')}\n`;
  });
}

/** Renders one object, with a line for each file. */
export function* renderListingJson({ image, path, files }: Listing): Generator<string> {
  yield `{"image":${json(image)},${named('path', path)},"files":[`;
  let separator = '\n';
  yield* joined(files, (file) => {
    const line = `${separator}${safeJsonText(JSON.stringify(plain(file)))}`;
    separator = ',\n';
    return line;
  });
  yield '\n]}\n';
}

/** Renders the exact bytes of each name, with a NUL after it. */
export function* renderNames({ files }: Listing): Generator<Uint8Array> {
  for (let at = 0; at < files.length; at += linesPerPiece)
    yield Buffer.concat(
      files.slice(at, at + linesPerPiece).flatMap((file) => [bytesOf(storedName(file)), new Uint8Array(1)]),
    );
}

function* joined(files: readonly ListedFile[], lineOf: (file: ListedFile) => string): Generator<string> {
  for (let at = 0; at < files.length; at += linesPerPiece)
    yield files
      .slice(at, at + linesPerPiece)
      .map(lineOf)
      .join('');
}

function json(text: string): string {
  return safeJsonText(JSON.stringify(text));
}

function named(key: string, path: Path): string {
  return Object.entries(pathFields(path))
    .map(([name, value]) => `${json(name.replace('path', key))}:${json(value)}`)
    .join();
}

/** Returns what JSON says of a file. */
function plain({ path, target, mode, ...rest }: ListedFile) {
  const { path: text, pathBase64 } = target === null ? {} : pathFields(target);
  return {
    ...pathFields(path),
    ...rest,
    mode: mode.toString(8).padStart(4, '0'),
    ...(text === undefined ? {} : { target: text }),
    ...(pathBase64 === undefined ? {} : { targetBase64: pathBase64 }),
  };
}

interface Widths {
  readonly owner: number;
  readonly size: number;
  readonly layer: number;
  readonly state: number;
}

function widthsOf(files: readonly ListedFile[]): Widths {
  const widths = { owner: 5, size: 4, layer: 5, state: 5 };
  for (const file of files) {
    widths.owner = Math.max(widths.owner, ownerOf(file).length);
    widths.size = Math.max(widths.size, String(file.size).length);
    widths.layer = Math.max(widths.layer, String(file.layer ?? '').length);
    widths.state = Math.max(widths.state, stateOf(file).length);
  }
  return widths;
}

function longHead({ owner, size }: Widths): string {
  return ['MODE      ', 'OWNER'.padEnd(owner), 'SIZE'.padStart(size), 'MODIFIED           '].join('  ');
}

function longRow(file: ListedFile, { owner, size }: Widths): string {
  const { kind, mtime } = file;
  const isMarker = kind === 'whiteout' || kind === 'opaque';
  return [
    (isMarker ? kind : modeText(file)).padEnd(10),
    (isMarker ? '' : ownerOf(file)).padEnd(owner),
    (isMarker ? '' : String(file.size)).padStart(size),
    (isMarker || mtime === null ? '' : timeText(mtime)).padEnd(19),
  ].join('  ');
}

/** Returns what became of an entry, in words. */
function stateOf({ kind, fate, hiddenBy }: ListedFile): string {
  if (kind === 'whiteout') return 'deletes what is below';
  if (kind === 'opaque') return 'hides what is in it below';
  if (fate === 'replaced') return `replaced by layer ${hiddenBy}`;
  if (fate === 'deleted') return `deleted by layer ${hiddenBy}`;
  return fate === 'kept' ? 'visible' : '';
}

function nameOf(file: ListedFile, listed: Path, { whole, long, state }: ListingStyle): string {
  const { path, kind, target } = file;
  const isOwn = path === listed;
  const name = whole || isOwn ? path : baseOf(path);
  const shown = name === '' ? '.' : displayPath(name);
  const words = state ? '' : stateOf(file);
  if (words !== '') return `${shown} (${words})`;
  if (!long || target === null) return shown;
  return `${shown} ${kind === 'link' ? 'is a hard link to' : '->'} ${displayPath(target)}`;
}

function ownerOf({ uid, gid }: ListedFile): string {
  return `${uid}:${gid}`;
}

const letters: Readonly<Record<ListedFile['kind'], string>> = {
  file: '-',
  link: '-',
  directory: 'd',
  symlink: 'l',
  char: 'c',
  block: 'b',
  fifo: 'p',
  whiteout: '-',
  opaque: '-',
};

/** Writes a mode as `ls -l` does: `drwxr-sr-t`. */
export function modeText({ kind, mode }: Pick<ListedFile, 'kind' | 'mode'>): string {
  const three = (shift: number, special: number, letter: string) => {
    const bits = (mode >> shift) & 7;
    const runs = (bits & 1) !== 0;
    const last = (mode & special) === 0 ? (runs ? 'x' : '-') : runs ? letter : letter.toUpperCase();
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  };
  return `${letters[kind]}${three(6, 0o4000, 's')}${three(3, 0o2000, 's')}${three(0, 0o1000, 't')}`;
}

/** Writes a time in UTC, since an image has no time zone of its own. */
export function timeText(seconds: number): string {
  const time = new Date(Math.floor(seconds) * 1000);
  if (Number.isNaN(time.getTime())) return `@${seconds}`;
  return time
    .toISOString()
    .replace('T', ' ')
    .replace(/\.000Z$/, '');
}
