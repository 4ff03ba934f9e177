/**
 * What an artifact about an image is, for a person and for reports: its kind, its type, and what its statements are of. Told by what BuildKit,
 * cosign, notation and others write into manifests. `findArtifacts` calls it.
 */
import { isJsonObject, type JsonObject } from './json.ts';
import { signPredicate } from './attestation.ts';
import { isConfigType } from './media-type.ts';
import { artifactTypeOf } from './referrers.ts';

/** What artifacts about images are called. */
export const artifactKinds = ['signature', 'attestation', 'sbom', 'artifact'] as const;

export type ArtifactKind = (typeof artifactKinds)[number];

export interface ArtifactFacts {
  readonly kind: ArtifactKind;
  /** Its `artifactType`, else the media type of its config; null where neither is known. */
  readonly artifactType: string | null;
  /** The predicate types of its in-toto statements, each once. */
  readonly predicateTypes: readonly string[];
}

/** Annotations of manifests and layers that name a predicate type: those of Sigstore bundles, of BuildKit, and of cosign 2. */
const predicateKeys = ['dev.sigstore.bundle.predicateType', 'in-toto.io/predicate-type', 'predicateType'];

/** Returns whether what a list says of an artifact is all that its manifest would say. */
export function isTold(row: JsonObject): boolean {
  const type = row['artifactType'];
  if (typeof type !== 'string' || type === '') return false;
  return !/sigstore\.bundle|in-toto/.test(type) || predicatesOf([row]).length > 0;
}

/**
 * Reads what an artifact is. `row`: how a list of referrers, or an index, describes it. `document`: its manifest; null where it was not read.
 * `tag`: the one of cosign's that it stands under.
 */
export function artifactFacts(
  row: JsonObject,
  document: JsonObject | null,
  tag: string | null,
): ArtifactFacts {
  const layers = (Array.isArray(document?.['layers']) ? document['layers'] : []).filter(isJsonObject);
  const predicates = predicatesOf([row, ...(document === null ? [] : [document]), ...layers]);
  const layerTypes = layers.map(({ mediaType }) => mediaType).filter((each) => typeof each === 'string');
  const stated = artifactTypeOf(row) ?? (document === null ? null : artifactTypeOf(document));
  // Cosign 2 and BuildKit write images, of which only the layers tell what they are.
  const type = stated === null || isConfigType(stated) ? (layerTypes[0] ?? stated) : stated;
  const types = [...(type === null ? [] : [type]), ...layerTypes];
  return { kind: kindOf(types, predicates, tag), artifactType: type, predicateTypes: predicates };
}

function predicatesOf(objects: readonly JsonObject[]): readonly string[] {
  const found = objects.flatMap(({ annotations }) =>
    isJsonObject(annotations) ? predicateKeys.map((key) => annotations[key]) : [],
  );
  return [...new Set(found.filter((each) => typeof each === 'string' && each !== ''))] as string[];
}

function kindOf(types: readonly string[], predicates: readonly string[], tag: string | null): ArtifactKind {
  const is = (pattern: RegExp) => types.some((type) => pattern.test(type));
  if (tag?.endsWith('.sig') === true || predicates.includes(signPredicate)) return 'signature';
  if (is(/cncf\.notary\.signature|cosign\.simplesigning/)) return 'signature';
  if (tag?.endsWith('.sbom') === true || is(/spdx|cyclonedx|syft/i)) return 'sbom';
  const isStatement = predicates.length > 0 || is(/in-toto|dsse|sigstore\.bundle|openvex|vex/i);
  return tag?.endsWith('.att') === true || isStatement ? 'attestation' : 'artifact';
}
