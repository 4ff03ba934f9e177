/**
 * Private keys that sign statements: read from PEM texts as OpenSSL and cosign write them, and used as cosign verifies. The commands
 * read the file, and hold the signer for one run.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { OcislimError } from '../errors.ts';
import { type GivenKey, keyAdvice, lockedKey, wrongPassphrase } from './key-errors.ts';

/** A key that signs. */
export interface Signer {
  /** What it is: "EC P-256", "Ed25519", "RSA 3072". */
  readonly kind: string;
  /** Names the public key in bundles: the SHA-256 of its SubjectPublicKeyInfo in base64, as cosign has it. */
  readonly hint: string;
  /** The public key as PEM, for those who verify. */
  readonly publicKey: string;
  /** Signs bytes. ECDSA gives DER and is not deterministic; Ed25519 and RSA (PKCS #1 v1.5) are. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
}

/** Labels of PEM blocks that hold a private key which Node's crypto reads by itself. */
const plainLabels = ['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'];

/** Labels of keys that cosign has encrypted. */
const cosignLabels = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY'];

/** The curves that cosign knows, by the names that OpenSSL has for them. */
const curves: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);

/**
 * The hash of signatures by EC and RSA keys. cosign verifies with it by default on every curve (`--signature-digest-algorithm`, which
 * `verify-attestation` does not have), and so do policy engines and Sigstore's verifier for Node. cosign itself signs with a longer
 * one on longer curves, and needs that option for its own signatures.
 */
const usualHash = 'sha256';

const leastRsaBits = 2048;
const mostRsaBits = 8192;

/** Reads a private key. @throws USAGE for what is not one, cannot sign, or does not open with the passphrase */
export async function readSigningKey(given: GivenKey): Promise<Signer> {
  const { where } = given;
  const { label, pem } = keyBlock(given);
  if (cosignLabels.includes(label)) {
    const { openCosignKey } = await import('./cosign-key.ts');
    const pkcs8 = await openCosignKey(bodyOf(pem, label, where), given);
    return signerOf(keyFrom({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }, given), where);
  }
  return signerOf(openPlain({ ...given, pem }, label), where);
}

/**
 * Returns the one block of a PEM file that holds a private key: `openssl ecparam -genkey` writes the curve before it, and others a
 * certificate. @throws USAGE for none, and for several
 */
function keyBlock({ pem, where }: GivenKey): { readonly label: string; readonly pem: string } {
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]{1,60})-----/g)].map(({ index, 1: label = '' }) => ({
    label,
    index,
  }));
  const [first] = blocks;
  if (first === undefined)
    throw new OcislimError('USAGE', `${where} is not a PEM file`, { advice: keyAdvice });
  const keys = blocks.filter(({ label }) => plainLabels.includes(label) || cosignLabels.includes(label));
  const [key] = keys;
  if (key === undefined)
    throw new OcislimError('USAGE', `${where} holds ${describeLabel(first.label)}, not a private key`, {
      advice: keyAdvice,
    });
  if (keys.length > 1)
    throw new OcislimError('USAGE', `${where} holds ${keys.length} private keys`, {
      advice: 'Give a file with the one to sign with.',
    });
  const next = blocks.find(({ index }) => index > key.index);
  return { label: key.label, pem: pem.slice(key.index, next?.index) };
}

function describeLabel(label: string): string {
  return /PUBLIC KEY|CERTIFICATE/.test(label) ? `a ${label.toLowerCase()}` : `a block "${label}"`;
}

/** Opens a key that OpenSSL has written, encrypted or not. */
function openPlain(given: GivenKey, label: string): KeyObject {
  const { pem, passphrase, where } = given;
  const isEncrypted = label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED/m.test(pem);
  if (!isEncrypted) return keyFrom({ key: pem, format: 'pem' }, given);
  if (passphrase === null) throw lockedKey(where);
  return keyFrom({ key: pem, format: 'pem', passphrase }, given);
}

function keyFrom(input: Parameters<typeof createPrivateKey>[0], { where }: GivenKey): KeyObject {
  try {
    return createPrivateKey(input);
  } catch (cause) {
    const { message } = cause as Error;
    if (/bad decrypt|bad password|interrupted or cancelled/i.test(message))
      throw wrongPassphrase(where, cause);
    throw new OcislimError('USAGE', `${where} holds a private key that cannot be read`, {
      cause,
      advice: keyAdvice,
    });
  }
}

/** Makes a signer of a key. @throws USAGE for a kind of key that cosign does not verify */
function signerOf(key: KeyObject, where: string): Signer {
  const { kind, hash } = kindOf(key, where);
  const publicKey = createPublicKey(key);
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return {
    kind,
    hint: createHash('sha256').update(spki).digest('base64'),
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }),
    sign: (bytes) => sign(hash, bytes, key),
  };
}

/** Returns what a key is, and the hash of its signatures; null where the algorithm has its own. @throws USAGE */
function kindOf(key: KeyObject, where: string): { readonly kind: string; readonly hash: string | null } {
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details = {} } = key;
  if (type === 'ed25519') return { kind: 'Ed25519', hash: null };
  if (type === 'rsa') {
    const bits = details.modulusLength ?? 0;
    if (bits >= leastRsaBits && bits <= mostRsaBits) return { kind: `RSA ${bits}`, hash: usualHash };
    throw unfit(where, `is an RSA key of ${bits} bits`);
  }
  if (type !== 'ec') throw unfit(where, `is of the kind ${type}`);
  const named = details.namedCurve ?? 'without a name';
  const curve = curves.get(named);
  if (curve === undefined) throw unfit(where, `is on the curve ${named}`);
  return { kind: `EC ${curve}`, hash: usualHash };
}

function unfit(where: string, what: string): OcislimError {
  return new OcislimError('USAGE', `${where} ${what}, which cosign does not verify`, {
    advice: 'Use EC P-256, P-384 or P-521, Ed25519, or RSA of 2048 to 8192 bits.',
  });
}

/** Returns the bytes of a PEM block (RFC 7468). @throws USAGE for a block without an end */
function bodyOf(pem: string, label: string, where: string): Uint8Array {
  const begin = `-----BEGIN ${label}-----`;
  const from = pem.indexOf(begin) + begin.length;
  const to = pem.indexOf(`-----END ${label}-----`, from);
  if (to < 0) throw new OcislimError('USAGE', `${where} has no end: it was cut off`);
  return Buffer.from(pem.slice(from, to), 'base64');
}
