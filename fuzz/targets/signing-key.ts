/**
 * The target of private keys (--sign-key), which come from files and variables. Whatever the text is, a signer comes out whose signature its
 * public key verifies, or a refusal that does not repeat the key.
 */
import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { readSigningKey, type Signer } from '../../src/attest/signing-key.ts';
import { choiceOf, holds, outcomeOf, type Target } from '../target.ts';

/** Made for this purpose: they sign nothing. */
const body = 'MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f';
const sealed = {
  kdf: { name: 'scrypt', params: { N: 32768, r: 8, p: 1 }, salt: 'AAAA' },
  cipher: { name: 'nacl/secretbox', nonce: Buffer.alloc(24).toString('base64') },
  ciphertext: Buffer.alloc(80).toString('base64'),
};

const block = (label: string, text: string): string =>
  `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;

/** Costs of scrypt take half a second each: inputs with another one than cosign's must be refused before that. */
const isCostly = (text: string): boolean => /ENCRYPTED (?:SIGSTORE|COSIGN)/.test(text);

function checkSigner(signer: Signer, text: string): void {
  const message = Buffer.from('message');
  const key = createPublicKey(signer.publicKey);
  if (signer.kind !== 'Ed25519') return;
  holds(verify(null, message, key, signer.sign(message)), 'a signature that the public key does not verify');
  holds(key.equals(createPublicKey(createPrivateKey(text))), 'another public key than that of the text');
}

export const target: Target = {
  name: 'signing-key',
  invariant: 'a key signs what its public key verifies, or is refused without being shown',
  seeds: () =>
    [
      block('PRIVATE KEY', body),
      block('EC PRIVATE KEY', body),
      block('ENCRYPTED SIGSTORE PRIVATE KEY', Buffer.from(JSON.stringify(sealed)).toString('base64')),
      block('PUBLIC KEY', body),
    ].map((text) => Buffer.from(text)),
  dictionary: [
    '-----BEGIN ',
    '-----END ',
    'PRIVATE KEY-----',
    'ENCRYPTED COSIGN ',
    'Proc-Type: 4,ENCRYPTED',
    '\n',
  ],
  maxBytes: 2048,
  run: async (bytes) => {
    const text = Buffer.from(bytes).toString('latin1');
    const passphrase = choiceOf(bytes) % 2 === 0 ? null : 'x';
    if (isCostly(text) && choiceOf(bytes) % 16 !== 0) return;
    const outcome = await outcomeOf(() => readSigningKey({ pem: text, passphrase, where: 'key' }));
    if (outcome.kind === 'accepted') checkSigner(outcome.value, text);
    else holds(!outcome.message.includes(body.slice(0, 24)), 'a key in a message');
  },
};
