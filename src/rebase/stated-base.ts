/**
 * What images state of the image that they were built on, in annotations and labels: read to find the old base, and made true of the new
 * one. The transform and the command `rebase` call it, and whatever writes indexes.
 */
import type { BaseNames, Image, NamedBase } from '../image/image.ts';
import { baseDigest, baseName } from '../oci/base-annotations.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { isJsonObject, type JsonObject } from '../oci/json.ts';
import { spellingOf } from '../oci/other-case.ts';

/** The label in which Cloud Native Buildpacks keep the run image (platform specification, "Labels"). */
const buildpacks = 'io.buildpacks.lifecycle.metadata';

/** Returns whether the layers of a base are the lowest ones of an image, by their DiffIDs: a base may have been packed again. */
export function isBelow(base: Pick<Image, 'config'>, image: Pick<Image, 'config'>): boolean {
  return base.config.diffIds.every((diffId, i) => image.config.diffIds[i] === diffId);
}

/** A base as one place states it: at least one of name and digest. */
export interface StatedBase {
  readonly name: string | null;
  readonly digest: Digest | null;
  /** Which annotation or label says so, for people. */
  readonly where: string;
}

/**
 * Returns what an image states, the most particular first: annotations of its manifest, of its row and of its index, then labels. Each
 * base comes once.
 */
export function statedBases(
  { manifest, config }: Pick<Image, 'manifest' | 'config'>,
  outer: readonly { readonly annotations: unknown; readonly where: string }[],
): readonly StatedBase[] {
  const labels = labelsOf(config.json);
  const found = [
    fromKeys(manifest.json['annotations'], 'the annotations of its manifest'),
    ...outer.map(({ annotations, where }) => fromKeys(annotations, where)),
    fromKeys(labels, 'its labels'),
    ...fromBuildpacks(labels[buildpacks]),
  ].filter((each) => each !== null);
  const known = new Set<string>();
  return found.filter(({ name, digest }) => {
    const key = `${name ?? ''}@${digest ?? ''}`;
    return !known.has(key) && known.add(key);
  });
}

function fromKeys(notes: unknown, where: string): StatedBase | null {
  if (!isJsonObject(notes)) return null;
  const [name, digest] = [textOf(notes[baseName]), textOf(notes[baseDigest])];
  const isUsable = digest !== null && isDigest(digest);
  if (name === null && !isUsable) return null;
  return { name, digest: isUsable ? digest : null, where };
}

/** Reads `runImage` of the metadata: a reference with a digest, and the name that users know. */
function fromBuildpacks(label: unknown): readonly StatedBase[] {
  const run = runImageOf(label);
  if (run === null) return [];
  const where = `its label ${buildpacks}`;
  const [reference, image] = [textOf(run['reference']), textOf(run['image'])];
  const [, digest = ''] = /@(sha\d+:[0-9a-f]+)$/.exec(reference ?? '') ?? [];
  // A layout is named by its digest alone.
  const bare = reference !== null && isDigest(reference) ? reference : null;
  const stated = isDigest(digest) ? digest : bare;
  const name = bare === null ? (reference?.replace(/@sha\d+:[0-9a-f]+$/, '') ?? image) : image;
  return name === null && stated === null ? [] : [{ name, digest: stated, where }];
}

function runImageOf(label: unknown): JsonObject | null {
  const metadata = parsed(label);
  const run = metadata?.['runImage'];
  return isJsonObject(run) ? run : null;
}

function parsed(label: unknown): JsonObject | null {
  if (typeof label !== 'string') return null;
  try {
    const value: unknown = JSON.parse(label);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Returns annotations that name the new base; the same object where they do so already. `stated`: only what they say is replaced. `always`: what
 * they do not say is added. Where they had the digest of the index of a base, they get that of the new one. A name that only this machine could read is
 * not written.
 */
export function writeBase(
  annotations: unknown,
  { from, to }: BaseNames,
  when: 'stated' | 'always' = 'stated',
): JsonObject {
  const notes = isJsonObject(annotations) ? annotations : {};
  const before = notes[baseDigest];
  const isIndex = from !== null && before === from.root && from.root !== from.digest;
  const digest = isIndex ? to.root : to.digest;
  if (before === digest) return notes;
  const isWanted = (key: string): boolean => when === 'always' || Object.hasOwn(notes, key);
  const written: JsonObject = { ...notes };
  if (isWanted(baseDigest)) written[baseDigest] = digest;
  if (isWanted(baseName) && to.name !== null) written[baseName] = to.name;
  if (to.name === null) delete written[baseName];
  return written;
}

/** Returns a config whose labels name the new base, where they named one. */
export function withTrueBase(
  json: JsonObject,
  { names, to }: { readonly names: BaseNames; readonly to: Image },
): JsonObject {
  const inner = json['config'];
  if (!isJsonObject(inner)) return json;
  const key = spellingOf(inner, 'Labels');
  const labels = inner[key];
  if (!isJsonObject(labels)) return json;
  const written = withRunImage(writeBase(labels, names), names.to, to);
  if (JSON.stringify(written) === JSON.stringify(labels)) return json;
  return { ...json, config: { ...inner, [key]: written } };
}

/** Writes the top layer and the reference of the run image, which platforms of buildpacks read before they rebase. */
function withRunImage(labels: JsonObject, { name, digest }: NamedBase, to: Image): JsonObject {
  const metadata = parsed(labels[buildpacks]);
  const run = runImageOf(labels[buildpacks]);
  const topLayer = to.config.diffIds.at(-1);
  if (metadata === null || run === null || topLayer === undefined || run['topLayer'] === topLayer)
    return labels;
  const repository = name?.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  const reference = repository === undefined ? digest : `${repository}@${digest}`;
  const runImage = { ...run, topLayer, reference };
  return { ...labels, [buildpacks]: JSON.stringify({ ...metadata, runImage }) };
}

function labelsOf(json: JsonObject): JsonObject {
  const inner = json['config'];
  if (!isJsonObject(inner)) return {};
  const labels = inner[spellingOf(inner, 'Labels')];
  return isJsonObject(labels) ? labels : {};
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
