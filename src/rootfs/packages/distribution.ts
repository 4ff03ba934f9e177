/**
 * Reads which distribution an image has (os-release(5)). Bills of materials name it, and package URLs of its packages need it.
 */
import { type ByteString, readByteString, utf8Text } from '../../bytes/bytes.ts';
import { type Path, rootPath } from '../../bytes/path.ts';
import type { ContentProbe, FileFacts } from '../facts/facts.ts';
import type { Filesystem } from '../filesystem.ts';
import { KiB } from '../../units.ts';

/** What an image says of its distribution. */
export interface Distribution {
  /** `debian`, `alpine`, `rhel`: in lower case, as ID is written. */
  readonly id: string;
  /** VERSION_ID: `12`, `3.20.1`; null for a rolling one. */
  readonly version: string | null;
  /** PRETTY_NAME, or NAME: "Debian GNU/Linux 12 (bookworm)". */
  readonly title: string | null;
  /** CPE_NAME, as written. */
  readonly cpe: string | null;
  readonly homepage: string | null;
}

const places = [rootPath`etc/os-release`, rootPath`usr/lib/os-release`];
/** The file where distroless images and those of NixOS may keep it, since `etc/os-release` is mostly a link. */
const isRelease = (path: Path): boolean => /(?:^|\/)os-release$/.test(path);

const largest = 64 * KiB;

/** Selects the files that `distributionOf` reads. */
export const distributionProbe: ContentProbe = (path) => (isRelease(path) ? largest : 0);

/** Returns the distribution; null for an image that states none. */
export function distributionOf(fs: Filesystem, facts: FileFacts): Distribution | null {
  for (const place of places) {
    const { path } = fs.resolve(place);
    const contents = path === null ? null : facts.contents(path);
    if (contents === null) continue;
    const fields = fieldsIn(readByteString(contents));
    const id = fields.get('ID');
    if (id === undefined) continue;
    return {
      id: id.toLowerCase(),
      version: fields.get('VERSION_ID') ?? null,
      title: fields.get('PRETTY_NAME') ?? fields.get('NAME') ?? null,
      cpe: fields.get('CPE_NAME') ?? null,
      homepage: fields.get('HOME_URL') ?? null,
    };
  }
  return null;
}

/** Reads assignments of a shell, whose values may be in quotes. Empty values count as missing. */
function fieldsIn(text: ByteString): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, value = ''] = line.match(/^([A-Z_]+)=(.*)$/) ?? [];
    if (name === undefined) continue;
    const bare = utf8Text(value as ByteString)
      .trim()
      .replace(/^(["'])(.*)\1$/, '$2')
      .replace(/\\([\\"'$`])/g, '$1');
    if (bare !== '') fields.set(name, bare);
  }
  return fields;
}
