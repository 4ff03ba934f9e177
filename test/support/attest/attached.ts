/**
 * Reads what stands beside an image: each artifact with its bytes, and the statement in it. The tests of statements and signatures call
 * it.
 */
import { expect } from 'vitest';
import type { Statement } from '../../../src/attest/statement.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseManifest } from '../../../src/oci/manifest.ts';
import { collect } from '../../../src/stream/collect.ts';
import { never } from '../registry/setup.ts';
import { source } from '../store/local.ts';

/** An artifact beside an image. */
export interface Attached {
  readonly artifactType: string | null;
  readonly annotations: Readonly<Record<string, string>>;
  /** The manifest of the artifact. */
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly digest: string;
  /** The one blob in it. */
  readonly text: string;
  readonly statement: Statement;
}

/** The parts of a bundle that tests look into. */
export interface Bundle {
  readonly mediaType: string;
  readonly verificationMaterial: { readonly publicKey: { readonly hint: string } };
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string }[];
  };
}

/** Returns the statement in a bundle, or the statement itself. */
export function statementIn(text: string): Statement {
  const json = JSON.parse(text) as Statement | Bundle;
  if (!('dsseEnvelope' in json)) return json;
  return JSON.parse(Buffer.from(json.dsseEnvelope.payload, 'base64').toString('utf8')) as Statement;
}

/** Reads all artifacts that refer to a manifest of a place. */
export async function attachedTo(reference: string, digest: string): Promise<readonly Attached[]> {
  const place = await source(reference);
  const found: Attached[] = [];
  for (const descriptor of await place.referrers(digest as Digest, never)) {
    const raw = await place.manifest(descriptor, never);
    const manifest = parseManifest(raw.bytes, raw.descriptor.mediaType, 'the artifact');
    if (manifest.kind !== 'manifest') throw new Error('the artifact is an index');
    const [layer] = manifest.layers;
    expect(manifest.layers).toHaveLength(1);
    const text = Buffer.from(
      await collect(place.blob(layer as NonNullable<typeof layer>, never), 1e6, 'the blob'),
    ).toString();
    found.push({
      artifactType: manifest.json['artifactType'] as string,
      annotations: manifest.json['annotations'] as Record<string, string>,
      manifest: manifest.json,
      digest: descriptor.digest,
      text,
      statement: statementIn(text),
    });
  }
  return found;
}
