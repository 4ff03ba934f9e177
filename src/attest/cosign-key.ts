/**
 * Opens private keys as cosign writes them: PKCS #8 in NaCl's secretbox, under a key that scrypt makes of the passphrase
 * (go-securesystemslib, `encrypted`). `signing-key.ts` loads it for such keys only.
 */
import { scrypt } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { OcislimError } from '../errors.ts';
import { isObject, type JsonObject, memberOf, tryParseJson } from '../bytes/json-value.ts';
import { type GivenKey, lockedKey, wrongPassphrase } from './key-errors.ts';

/** The costs of scrypt that cosign accepts: any other could take all memory. */
const costs = [2 ** 15, 2 ** 16, 2 ** 17];
const [blockSize, parallelism] = [8, 1];
const keyBytes = 32;
const nonceBytes = 24;

/** A key as it is stored. */
interface Sealed {
  readonly cost: number;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Returns the PKCS #8 of a key (DER). @throws USAGE for another form, or a passphrase that does not fit */
export async function openCosignKey(body: Uint8Array, given: GivenKey): Promise<Uint8Array> {
  const { where, passphrase } = given;
  const sealed = parseSealed(tryParseJson(body));
  if (sealed === null)
    throw new OcislimError('USAGE', `${where} is encrypted in a way that cosign does not write`, {
      advice: 'It needs scrypt (N 32768, 65536 or 131072, r 8, p 1) and nacl/secretbox.',
    });
  // cosign takes an empty passphrase for one, too: keys of pipelines often have it.
  const key = await derive(passphrase ?? '', sealed);
  try {
    return xsalsa20poly1305(key, sealed.nonce).decrypt(sealed.ciphertext);
  } catch (cause) {
    throw passphrase === null ? lockedKey(where) : wrongPassphrase(where, cause);
  }
}

/** Reads the JSON in a key; null for anything else. */
function parseSealed(json: unknown): Sealed | null {
  const [kdf, cipher] = [memberOf(json, 'kdf'), memberOf(json, 'cipher')];
  const params = memberOf(kdf, 'params');
  if (memberOf(kdf, 'name') !== 'scrypt' || memberOf(cipher, 'name') !== 'nacl/secretbox') return null;
  if (!isObject(params)) return null;
  const cost = costOf(params);
  const salt = bytesOf(memberOf(kdf, 'salt'));
  const nonce = bytesOf(memberOf(cipher, 'nonce'));
  const ciphertext = bytesOf(memberOf(json, 'ciphertext'));
  if (cost === null || salt === null || nonce?.length !== nonceBytes || ciphertext === null) return null;
  return { cost, salt, nonce, ciphertext };
}

function costOf({ N, r, p }: JsonObject): number | null {
  return r === blockSize && p === parallelism ? (costs.find((cost) => cost === N) ?? null) : null;
}

function bytesOf(text: unknown): Uint8Array | null {
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  return Buffer.from(text, 'base64');
}

/** Makes the key of the box, in a thread of Node's pool. */
function derive(passphrase: string, { salt, cost }: Sealed): Promise<Uint8Array> {
  const options = { N: cost, r: blockSize, p: parallelism, maxmem: 2 * 128 * cost * blockSize };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, keyBytes, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
