/**
 * The `manifest.json` that `docker save` writes (Docker Image Specification v1.2). It lists the images of the archive by names
 * of members; docker-archive-source.ts reads it.
 */
import { OcislimError } from '../../errors.ts';
import { parseJson } from '../../oci/json.ts';
import { knownKeys, refuseOtherCase } from '../../oci/other-case.ts';
import { fullName } from './image-name.ts';

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

/** Returns the image of this name, or the only one if `name` is null. @throws NOT_FOUND, USAGE where there are several */
export function findImage(images: readonly DockerImage[], name: string | null, label: string): DockerImage {
  const found =
    name === null
      ? images
      : images.filter((image) => image.names.some((other) => fullName(other) === fullName(name)));
  const [image, ...others] = found;
  const list = images.flatMap((each) => (each.names.length > 0 ? each.names : [each.config])).slice(0, 20);
  if (image === undefined) {
    const what = name === null ? 'it holds no image' : `it holds no image named ${JSON.stringify(name)}`;
    const advice = list.length === 0 ? {} : { advice: `It holds: ${list.join(', ')}.` };
    throw new OcislimError('NOT_FOUND', `${label}: ${what}`, advice);
  }
  if (others.length > 0) {
    throw new OcislimError('USAGE', `${label}: it holds several images: ${list.join(', ')}`, {
      advice: 'Name one of them: docker-archive:FILE:name:tag.',
    });
  }
  return image;
}
