/**
 * The `manifest.json` that `docker save` writes (Docker Image Specification v1.2). It lists the images of the archive by names
 * of members; docker-archive-source.ts reads it.
 */
import { OcislimError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseJson } from '../../oci/json.ts';
import { knownKeys, refuseOtherCase } from '../../oci/other-case.ts';
import { parseReference } from '../../oci/reference.ts';
import { itemsNamed } from '../image-name.ts';
import { listChoices, mostListed } from '../layout/layout-choice.ts';

/** One image of the `manifest.json` that `docker save` writes. */
export interface DockerImage {
  /** Name of the member that is the config. */
  readonly config: string;
  /** `repository:tag`, as Docker shows them. */
  readonly names: readonly string[];
  /** Names of the members that are the layers, lowest first. */
  readonly layers: readonly string[];
}

const rowKeys = knownKeys('Config', 'RepoTags', 'Layers');

/** Reads a `manifest.json`. `label` begins the messages. @throws ARCHIVE_INVALID */
export function parseDockerManifest(bytes: Uint8Array, label: string): readonly DockerImage[] {
  const what = `${label}: its file "manifest.json"`;
  let list: unknown;
  try {
    list = parseJson(bytes, what);
    refuseOtherCase(Array.isArray(list) ? list : [], rowKeys, what);
  } catch (cause) {
    throw new OcislimError('ARCHIVE_INVALID', (cause as Error).message, { cause });
  }
  if (!Array.isArray(list)) throw new OcislimError('ARCHIVE_INVALID', `${what} is not a list of images`);
  return list.map((row: unknown, i) => {
    const { Config: config, RepoTags: names, Layers: layers } = (row ?? {}) as Record<string, unknown>;
    if (typeof config !== 'string' || !isTexts(names ?? []) || !isTexts(layers ?? [])) {
      throw new OcislimError('ARCHIVE_INVALID', `${what} has a malformed image ${i + 1}`);
    }
    return { config, names: (names ?? []) as string[], layers: (layers ?? []) as string[] };
  });
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

/** An archive of Docker, and which of its images is meant. */
export interface WantedDockerImage {
  /** `repository:tag`. */
  readonly name: string | null;
  /** The digest of a manifest or a config. Decides where it is given. */
  readonly digest: Digest | null;
  /** The row of manifest.json, from 0. */
  readonly position: number | null;
}

/** Returns the image of a name or position, or the only one. @throws NOT_FOUND, USAGE where there are several */
export function findImage(
  images: readonly DockerImage[],
  { name, position }: WantedDockerImage,
  place: DockerPlace,
): DockerImage {
  const found =
    position !== null ? images.slice(position, position + 1) : name !== null ? named(images, name) : images;
  const [image, ...others] = found;
  if (image === undefined) {
    const list = listImages(images, place.place);
    const which = position !== null ? ` @${position}` : name !== null ? ` named ${JSON.stringify(name)}` : '';
    const holds = list === '' ? '' : `; it holds${list}`;
    throw new OcislimError('NOT_FOUND', `${place.label}: it holds no image${which}${holds}`);
  }
  if (others.some((other) => !isSame(other, image))) {
    const list = listImages(images, place.place);
    throw new OcislimError('USAGE', `${place.label}: it holds several images${list}`, {
      advice: 'Write one of these.',
    });
  }
  return image;
}

/** How messages speak of an archive. */
export interface DockerPlace {
  /** What messages begin with. */
  readonly label: string;
  /** The place as a reference begins: `docker-archive:FILE`. */
  readonly place: string;
}

/** Lists the images of an archive as references that choose them: by a name that is theirs alone, else by position. */
export function listImages(images: readonly DockerImage[], place: string): string {
  const choices = images.slice(0, mostListed).flatMap((image, i) => {
    const names = image.names.flatMap((name) => nameIn(name) ?? []);
    const own = names.filter((name) => named(images, name).every((other) => isSame(other, image)));
    return own.length > 0 ? own.map((name) => `${place}:${name}`) : [`${place}@${i}`];
  });
  return listChoices([...new Set(choices)], images.length);
}

function named(images: readonly DockerImage[], name: string): readonly DockerImage[] {
  return itemsNamed(images, (image) => image.names, name);
}

/** Returns a name as a reference to an archive has it; null where no reference can. */
function nameIn(name: string): string | null {
  try {
    const reference = parseReference(`docker-archive:FILE:${name}`);
    const isRead = 'name' in reference && reference.path === 'FILE' && reference.digest === null;
    return isRead ? reference.name : null;
  } catch {
    return null;
  }
}

/** Returns whether two rows are one image: Docker writes a row for each image, other tools one for each name. */
function isSame(a: DockerImage, b: DockerImage): boolean {
  return a.config === b.config && a.layers.join('\n') === b.layers.join('\n');
}
