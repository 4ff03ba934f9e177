/**
 * Finds out which artifacts of Maven an archive of Java is, and which archives are in it: those of Spring Boot in `BOOT-INF/lib`, of
 * web applications in `WEB-INF/lib`. The collector of facts shows it the bytes of archives that it kept.
 */
import { type ByteString, readByteString, utf8Text } from '../../bytes/bytes.ts';
import { baseOf } from '../../bytes/path.ts';
import { KiB, MiB } from '../../units.ts';
import { type FilePart, maxParts } from './file-part.ts';
import { knownGroup } from './java-groups.ts';
import { type KeptBytes, allKept, readMember, readZip, type ZipMember } from './zip.ts';

/** Archives, by their names: of libraries, web and enterprise applications, plugins. */
export const javaArchive = /\.(?:jar|war|ear|par|sar|nar|rar|hpi|jpi)$/;

/** Archives in archives in archives. */
const deepest = 3;
/** The most bytes that are unpacked of one file, with all archives in it. */
const unpackedBytes = 256 * MiB;
/** The most bytes of a manifest, and of the properties of an artifact. */
const largestText = 4 * MiB;
const largestProperties = 64 * KiB;
/** The bytes at the start of a manifest in which its main section is looked for. */
const manifestHead = 64 * KiB;

/** What Maven writes into an archive, with the group and the artifact in its path. */
const propertiesFile = /^META-INF\/maven\/([^/]+)\/([^/]+)\/pom\.(properties|xml)$/;
const versionCharacter = /[\w.+-]/;
const hyphenBeforeDigit = /-(?=\d)/g;

/** Splits "guava-33.0.0-jre" into a name and a version, at the first hyphen that only a version can follow. The version may be null. */
function splitVersion(stem: string): readonly [artifact: string, version: string | null] {
  let tail = stem.length;
  while (tail > 0 && versionCharacter.test(stem[tail - 1] as string)) tail--;
  hyphenBeforeDigit.lastIndex = Math.max(tail, 1);
  const found = hyphenBeforeDigit.exec(stem);
  return found === null ? [stem, null] : [stem.slice(0, found.index), stem.slice(found.index + 1)];
}

/** Returns the artifacts of an archive and of those in it. `name` is that of the file, without its directory. */
export function partsOfArchive(file: KeptBytes, name: ByteString): readonly FilePart[] {
  const reader = new ArchiveReader();
  reader.read(file, name, null, 0);
  return reader.parts;
}

/** The main section of a manifest, by lower-case names. */
type Manifest = ReadonlyMap<string, string>;

interface Coordinates {
  readonly group: string | null;
  readonly artifact: string;
  readonly version: string | null;
  /** Whether its files are among those of another artifact, whose archive it is. */
  readonly isShaded: boolean;
}

/** Reads one archive and those in it, within one allowance. */
class ArchiveReader {
  readonly parts: FilePart[] = [];
  #left = unpackedBytes;

  read(file: KeptBytes, name: ByteString, inside: string | null, depth: number): void {
    const members = readZip(file);
    if (members === null) return;
    const stem = utf8Text(name).replace(/\.\w+$/, '');
    const manifest = this.#manifest(file, members);
    const found = this.#coordinates(file, members, stem, manifest);
    for (const { group, artifact, version, isShaded } of found) {
      if (this.parts.length >= maxParts) return;
      const own = `META-INF/maven/${group}/${artifact}`;
      this.parts.push({
        kind: 'java',
        name: group === null ? artifact : `${group}:${artifact}`,
        version,
        inside: !isShaded ? inside : inside === null ? own : `${inside}!/${own}`,
        licences: licencesIn(manifest),
        supplier: manifest.get('implementation-vendor') ?? manifest.get('bundle-vendor') ?? null,
      });
    }
    if (depth < deepest) this.#readNested(file, members, inside, depth);
  }

  #readNested(file: KeptBytes, members: readonly ZipMember[], inside: string | null, depth: number): void {
    for (const member of members) {
      if (!javaArchive.test(member.name) || this.parts.length >= maxParts) continue;
      const bytes = this.#member(file, member, this.#left);
      const place = utf8Text(member.name);
      const nested = inside === null ? place : `${inside}!/${place}`;
      if (bytes !== null) this.read(allKept(bytes), baseOf(member.name), nested, depth + 1);
    }
  }

  /** Reads a member at the expense of the allowance. What was stored costs nothing, since it was not unpacked. */
  #member(file: KeptBytes, member: ZipMember, most: number): Uint8Array | null {
    const bytes = readMember(file, member, Math.min(most, this.#left));
    if (member.method !== 0) this.#left -= bytes?.length ?? Math.min(member.bytes, this.#left);
    return bytes;
  }

  #manifest(file: KeptBytes, members: readonly ZipMember[]): Manifest {
    const member = members.find(({ name }) => name === 'META-INF/MANIFEST.MF');
    const bytes = member === undefined ? null : this.#member(file, member, largestText);
    return bytes === null ? new Map() : mainSection(bytes);
  }

  /** Returns the artifacts that an archive states, or else the one that its name and manifest tell. */
  #coordinates(
    file: KeptBytes,
    members: readonly ZipMember[],
    stem: string,
    manifest: Manifest,
  ): readonly Coordinates[] {
    const stated = new Map<string, Coordinates>();
    for (const member of members) {
      if (stated.size >= maxParts) break;
      const [, group, artifact, form] = member.name.match(propertiesFile) ?? [];
      if (group === undefined || artifact === undefined) continue;
      const key = `${group}:${artifact}`;
      const known = stated.get(key);
      if (known !== undefined && known.version !== null) continue;
      const properties =
        form === 'properties'
          ? propertiesIn(this.#member(file, member, largestProperties))
          : new Map<string, string>();
      stated.set(key, {
        group: properties.get('groupId') ?? utf8Text(group),
        artifact: properties.get('artifactId') ?? utf8Text(artifact),
        version: properties.get('version') ?? versionAfter(stem, utf8Text(artifact)),
        isShaded: false,
      });
    }
    return ownFirst([...stated.values()], stem, manifest);
  }
}

/**
 * Tells the artifact that an archive is from those that were put into it. Of several, it is the one that the file has its name from; else
 * all were put in, and the archive is what its name says.
 */
function ownFirst(stated: readonly Coordinates[], stem: string, manifest: Manifest): readonly Coordinates[] {
  if (stated.length === 0) return [byName(stem, manifest)];
  if (stated.length === 1) return stated;
  const isOwn = ({ artifact }: Coordinates): boolean =>
    stem === artifact || /^\d/.test(versionAfter(stem, artifact) ?? '');
  const own = stated.filter(isOwn);
  const shaded = stated.filter((each) => !isOwn(each)).map((each) => ({ ...each, isShaded: true }));
  return [...(own.length === 0 ? [byName(stem, manifest)] : own), ...shaded];
}

/** Returns the version in a file name that begins with the artifact; null for any other name. */
function versionAfter(stem: string, artifact: string): string | null {
  return stem.startsWith(`${artifact}-`) ? stem.slice(artifact.length + 1) : null;
}

/** Returns what file name and manifest tell of an archive that states no artifact. */
function byName(stem: string, manifest: Manifest): Coordinates {
  const [artifact, inName] = splitVersion(stem);
  const version =
    inName ??
    manifest.get('implementation-version') ??
    manifest.get('bundle-version') ??
    manifest.get('specification-version') ??
    null;
  return { group: knownGroup(artifact) ?? groupIn(manifest, artifact), artifact, version, isShaded: false };
}

/** Returns the group that a manifest states: its vendor's identifier, or the symbolic name of a bundle less the artifact. */
function groupIn(manifest: Manifest, artifact: string): string | null {
  const vendor = manifest.get('implementation-vendor-id');
  if (vendor !== undefined && /^[\w-]+(?:\.[\w-]+)+$/.test(vendor)) return vendor;
  const [bundle = ''] = (manifest.get('bundle-symbolicname') ?? '').split(';', 1);
  return bundle.endsWith(`.${artifact}`) ? bundle.slice(0, -artifact.length - 1) : null;
}

function licencesIn(manifest: Manifest): readonly string[] {
  const stated = manifest.get('bundle-license');
  // "Apache-2.0;link=…, https://…": each is a name with attributes.
  return stated === undefined
    ? []
    : [
        ...new Set(
          stated
            .split(',')
            .map((each) => (each.split(';', 1)[0] ?? '').trim().replaceAll('"', ''))
            .filter((each) => each !== '' && each.length <= 200),
        ),
      ];
}

/** Reads the section of a manifest before the first empty line. Lines that begin with a space go on with the one before. */
function mainSection(bytes: Uint8Array): Manifest {
  const [section = ''] = utf8Text(readByteString(bytes, 0, Math.min(bytes.length, manifestHead)))
    .replaceAll(/\r\n?/g, '\n')
    .split('\n\n', 1);
  const manifest = new Map<string, string>();
  for (const line of section.replaceAll('\n ', '').split('\n')) {
    const colon = line.indexOf(': ');
    const value = line.slice(colon + 2).trim();
    if (colon > 0 && value !== '') manifest.set(line.slice(0, colon).toLowerCase(), value);
  }
  return manifest;
}

/** Reads properties as Java writes them: "version=1.0", with comments that begin with a number sign. */
function propertiesIn(bytes: Uint8Array | null): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  for (const line of bytes === null ? [] : utf8Text(readByteString(bytes)).split(/\r?\n/)) {
    const equals = line.indexOf('=');
    const value = line.slice(equals + 1).trim();
    if (equals > 0 && value !== '' && !line.startsWith('#'))
      properties.set(line.slice(0, equals).trim(), value);
  }
  return properties;
}
