/**
 * The room `attest`: what a run can claim of its result, as in-toto statements, and how these are signed. It makes bytes and reads
 * keys, and knows neither files nor registries; the commands call it once the result is published.
 */
import { algorithmOf, type Digest, hexOf } from '../oci/digest.ts';
import { encodeJson } from '../oci/json.ts';
import { knownTypes } from './names.ts';

/** Digests by algorithm, in hexadecimal digits (in-toto attestation spec, "DigestSet"). */
export type DigestSet = Readonly<Record<string, string>>;

/** Something that a statement is about or mentions (in-toto attestation spec, "ResourceDescriptor"). */
export interface ResourceDescriptor {
  readonly name?: string;
  readonly uri?: string;
  readonly digest: DigestSet;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** A claim about one or several artifacts (in-toto attestation spec, "Statement", version 1). */
export interface Statement<Predicate extends object = object> {
  readonly _type: typeof knownTypes.statement;
  readonly subject: readonly ResourceDescriptor[];
  readonly predicateType: string;
  readonly predicate: Predicate;
}

/** Makes a statement about one artifact. */
export function statementOf<Predicate extends object>(
  subject: ResourceDescriptor,
  predicateType: string,
  predicate: Predicate,
): Statement<Predicate> {
  return { _type: knownTypes.statement, subject: [subject], predicateType, predicate };
}

/** Makes the statement that stands for a signature of an artifact in bundles of cosign 3: its predicate is empty. */
export function signatureStatement(digest: Digest): Statement {
  return statementOf({ digest: digestSet(digest) }, knownTypes.signature, {});
}

/** Returns the bytes of a statement: compact JSON, the same for the same statement. */
export function encodeStatement(statement: Statement): Uint8Array {
  return encodeJson(statement);
}

/** Writes a digest as in-toto has it. */
export function digestSet(digest: Digest): DigestSet {
  return { [algorithmOf(digest)]: hexOf(digest) };
}
