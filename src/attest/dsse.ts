import { Buffer } from 'node:buffer';

/** A signed payload (DSSE, "envelope.md"). Bytes are in base64. */
export interface Envelope {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly [{ readonly sig: string }];
}

/** Returns the bytes that a signature covers: type and payload with their lengths before them (DSSE, "PAE"). */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType, 'utf8');
  const head = `DSSEv1 ${type.length} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head, 'utf8'), payload]);
}

/** Signs a payload. `sign` gets the bytes that the signature covers. */
export function sealEnvelope(
  payloadType: string,
  payload: Uint8Array,
  sign: (bytes: Uint8Array) => Uint8Array,
): Envelope {
  const sig = Buffer.from(sign(preAuthEncoding(payloadType, payload))).toString('base64');
  return { payload: Buffer.from(payload).toString('base64'), payloadType, signatures: [{ sig }] };
}
