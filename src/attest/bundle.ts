import { encodeJson } from '../oci/json.ts';
import { sealEnvelope } from './dsse.ts';
import { attestationTypes } from './names.ts';
import type { Signer } from './signing-key.ts';
import { encodeStatement, type Statement } from './statement.ts';

/**
 * Signs a statement, and returns the bytes of its Sigstore bundle (protobuf-specs, `sigstore_bundle.proto`, version 0.3): the envelope,
 * and a hint that names the public key. It has no certificate and no entry of a transparency log, so that verifiers must be
 * given the key and told to do without a log.
 */
export function signStatement(statement: Statement, signer: Signer): Uint8Array {
  return encodeJson({
    mediaType: attestationTypes.bundle,
    verificationMaterial: { publicKey: { hint: signer.hint } },
    dsseEnvelope: sealEnvelope(attestationTypes.statement, encodeStatement(statement), signer.sign),
  });
}
