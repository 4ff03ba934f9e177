/**
 * Tests of signed statements, with Sigstore's own verifier for Node as the judge. OpenSSL and cosign judge them in
 * e2e/provenance.test.ts.
 */
import { generateKeyPairSync } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { signStatement } from '../../src/attest/bundle.ts';
import { preAuthEncoding } from '../../src/attest/dsse.ts';
import { readSigningKey, type Signer } from '../../src/attest/signing-key.ts';
import { encodeStatement, signatureStatement, statementOf } from '../../src/attest/statement.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { Bundle } from '../support/attest/attached.ts';

const digest = digestOf(Buffer.from('image'));
const statement = signatureStatement(digest);

const parsed = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString('utf8')) as Bundle;

async function signerOf(kind: 'P-256' | 'P-384' | 'ed25519' | 'rsa'): Promise<Signer> {
  const { privateKey } =
    kind === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: kind });
  return readSigningKey({
    pem: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    passphrase: null,
    where: 'key',
  });
}

/** Verifies with Sigstore's verifier: with a key, and without logs and times. */
function verifyBundle(bundle: unknown, { hint, publicKey }: Pick<Signer, 'hint' | 'publicKey'>): void {
  const rawBytes = Buffer.from(publicKey.replaceAll(/-----.*-----|\n/g, ''), 'base64');
  const root = { mediaType: '', tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] };
  const keys = { [hint]: { rawBytes, keyDetails: 0, validFor: { start: new Date(0) } } };
  const trust = toTrustMaterial(root, keys);
  const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  verifier.verify(toSignedEntity(bundleFromJSON(bundle)));
}

test('the bytes that a signature covers are those of the specification', () => {
  // The example of DSSE, "protocol.md".
  const bytes = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
  expect(Buffer.from(bytes).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
});

test('what a signature covers tells type and payload apart: no two pairs give the same bytes', () => {
  const part = fc.string({ unit: fc.constantFrom('a', ' ', '1', 'é'), maxLength: 6 });
  fc.assert(
    fc.property(part, part, part, part, (type, payload, otherType, otherPayload) => {
      const one = Buffer.from(preAuthEncoding(type, Buffer.from(payload)));
      const other = Buffer.from(preAuthEncoding(otherType, Buffer.from(otherPayload)));
      expect(one.equals(other)).toBe(type === otherType && payload === otherPayload);
    }),
  );
});

test('a signature is the statement that cosign 3 makes, in its bundle', async () => {
  const signer = await signerOf('P-256');
  const bundle = parsed(signStatement(statement, signer));
  expect(bundle).toEqual({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: signer.hint } },
    dsseEnvelope: {
      payload: Buffer.from(encodeStatement(statement)).toString('base64'),
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ sig: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/) as string }],
    },
  });
  expect(JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString())).toEqual({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: digest.slice('sha256:'.length) } }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  });
});

test.each(['P-256', 'P-384', 'ed25519', 'rsa'] as const)(
  "Sigstore's verifier accepts a bundle, and refuses one that was changed: %s",
  async (kind) => {
    const signer = await signerOf(kind);
    const bytes = signStatement(
      statementOf({ digest: { sha256: 'ab' } }, 'https://x.example/v1', { a: 'é' }),
      signer,
    );
    verifyBundle(parsed(bytes), signer);
    const { dsseEnvelope, ...rest } = parsed(bytes);
    const payload = Buffer.from(encodeStatement(statement)).toString('base64');
    const forged = { ...rest, dsseEnvelope: { ...dsseEnvelope, payload } };
    expect(() => verifyBundle(forged, signer)).toThrow(/signature/);
    expect(() =>
      verifyBundle(parsed(bytes), { ...signer, publicKey: signer.publicKey, hint: 'other' }),
    ).toThrow();
  },
);
