/** Makes private keys as cosign writes them, for the tests of keys. cosign's own are in `fixtures/keys`. */
import { scryptSync } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';

/** What to write otherwise than cosign does. */
export interface Slip {
  readonly label?: string;
  readonly N?: number;
  readonly r?: number;
  readonly kdf?: string;
  readonly cipher?: string;
  readonly nonce?: number;
  readonly salt?: string;
}

/** Encrypts a PKCS #8 key (DER) with a passphrase. */
export function sealLikeCosign(pkcs8: Uint8Array, passphrase: string, slip: Slip = {}): string {
  const salt = Buffer.alloc(32, 7);
  const nonce = Buffer.alloc(slip.nonce ?? 24, 9);
  const params = { N: slip.N ?? 32768, r: slip.r ?? 8, p: 1 };
  const key = scryptSync(passphrase, salt, 32, { N: 32768, r: 8, p: 1, maxmem: 2 ** 27 });
  const ciphertext = xsalsa20poly1305(key, Buffer.alloc(24, 9)).encrypt(pkcs8);
  const json = {
    kdf: { name: slip.kdf ?? 'scrypt', params, salt: slip.salt ?? salt.toString('base64') },
    cipher: { name: slip.cipher ?? 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(ciphertext).toString('base64'),
  };
  return pem(slip.label ?? 'ENCRYPTED SIGSTORE PRIVATE KEY', JSON.stringify(json));
}

/** Writes a PEM block. */
export function pem(label: string, body: Uint8Array | string): string {
  const lines = Buffer.from(body).toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
