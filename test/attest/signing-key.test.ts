/**
 * Tests of private keys: the forms that OpenSSL and cosign write, each of which must sign so that the public key verifies, and what
 * is refused with which words.
 */
import { constants, createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readSigningKey } from '../../src/attest/signing-key.ts';
import { pem, sealLikeCosign, type Slip } from '../support/attest/cosign-keys.ts';

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const p256 = ec('P-256');
const pkcs8 = { format: 'der', type: 'pkcs8' } as const;
const text = { format: 'pem', type: 'pkcs8' } as const;
const message = Buffer.from('a message');

const read = (key: string, passphrase: string | null = null) =>
  readSigningKey({ pem: key, passphrase, where: '--sign-key k' });

/** Verifies as cosign does: the hash goes with the kind of key. */
function verifies(publicKey: KeyObject | string, hash: string | null, sig: Uint8Array): boolean {
  return verify(hash, message, { key: publicKey as KeyObject, padding: constants.RSA_PKCS1_PADDING }, sig);
}

test.each([
  ['the curve before it, as `openssl ecparam -genkey` writes', 'sec1', pem('EC PARAMETERS', 'curve'), ''],
  ['a certificate before it', 'pkcs8', pem('CERTIFICATE', 'x'), ''],
  ['a certificate behind it', 'pkcs8', '', pem('CERTIFICATE', 'x')],
] as const)('a key is found in a file with %s', async (_, type, before, after) => {
  const signer = await read(`${before}${p256.privateKey.export({ format: 'pem', type })}${after}`);
  expect(verifies(p256.publicKey, 'sha256', signer.sign(message))).toBe(true);
});

describe('a key signs with the hash that cosign verifies with', () => {
  test.each([
    ['EC P-256', p256, 'sha256'],
    ['EC P-384', ec('P-384'), 'sha256'],
    ['EC P-521', ec('P-521'), 'sha256'],
    ['Ed25519', generateKeyPairSync('ed25519'), null],
    ['RSA 2048', generateKeyPairSync('rsa', { modulusLength: 2048 }), 'sha256'],
  ])('of the kind %s', async (kind, { privateKey, publicKey }, hash) => {
    const signer = await read(privateKey.export(text));
    expect(signer.kind).toBe(kind);
    const sig = signer.sign(message);
    expect(hash === null ? verify(null, message, publicKey, sig) : verifies(publicKey, hash, sig)).toBe(true);
    expect(createPublicKey(signer.publicKey).equals(publicKey)).toBe(true);
  });
});

test('a key is read in each form that OpenSSL writes', async () => {
  const { privateKey, publicKey } = p256;
  const locked = { cipher: 'aes-256-cbc', passphrase: 'secret' };
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const forms: [string, KeyObject, string | null][] = [
    [privateKey.export({ format: 'pem', type: 'sec1' }), publicKey, null],
    [privateKey.export({ ...text, ...locked }), publicKey, 'secret'],
    [privateKey.export({ format: 'pem', type: 'sec1', ...locked }), publicKey, 'secret'],
    [rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }), rsa.publicKey, null],
    [`Some words before.\n${privateKey.export(text)}`, publicKey, 'not needed'],
  ];
  for (const [key, expected, passphrase] of forms)
    expect(createPublicKey((await read(key, passphrase)).publicKey).equals(expected)).toBe(true);
});

test.each(['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY'])(
  'a key in a block "%s" is opened with its passphrase, an empty one too',
  async (label) => {
    const body = p256.privateKey.export(pkcs8);
    for (const [sealed, given] of [
      ['pass', 'pass'],
      ['', ''],
      ['', null],
    ] as const)
      expect(
        verifies(
          p256.publicKey,
          'sha256',
          (await read(sealLikeCosign(body, sealed, { label }), given)).sign(message),
        ),
      ).toBe(true);
  },
);

test('a key that cosign 3.1.3 has written is opened, with the public key beside it', async () => {
  const fixture = (name: string) =>
    readFileSync(new URL(`../../fixtures/keys/${name}`, import.meta.url), 'utf8');
  const signer = await read(fixture('cosign.key'), 'fixture');
  expect([signer.kind, signer.publicKey]).toEqual(['EC P-256', fixture('cosign.pub')]);
});

describe('a key is refused', () => {
  const body = p256.privateKey.export(pkcs8);
  const slips: [string, Slip][] = [
    ['too costly', { N: 2 ** 20 }],
    ['of another block size', { r: 32 }],
    ['of another derivation', { kdf: 'argon2' }],
    ['of another cipher', { cipher: 'aes' }],
    ['with a short nonce', { nonce: 12 }],
    ['with a broken salt', { salt: '§' }],
  ];
  test.each(slips)('if its encryption is not that of cosign: %s', async (_, slip) => {
    await expect(read(sealLikeCosign(body, 'x', slip), 'x')).rejects.toMatchObject({
      code: 'USAGE',
      message: '--sign-key k is encrypted in a way that cosign does not write',
    });
  });

  const body64 = p256.privateKey.export(text);
  const locked = p256.privateKey.export({ ...text, cipher: 'aes-256-cbc', passphrase: 'secret' });
  const cosign = sealLikeCosign(body, 'secret');
  test.each([
    ['a wrong passphrase', locked, 'other', /does not open with the passphrase/],
    ['a wrong passphrase of cosign', cosign, 'other', /does not open with the passphrase/],
    ['no passphrase', locked, null, /is encrypted, and no passphrase was given/],
    ['no passphrase for cosign', cosign, null, /is encrypted, and no passphrase was given/],
    ['no PEM', 'hello', null, /is not a PEM file/],
    ['a public key', p256.publicKey.export({ format: 'pem', type: 'spki' }), null, /holds a public key, not/],
    ['a certificate', pem('CERTIFICATE', 'x'), null, /holds a certificate, not a private key/],
    ['two private keys', `${body64}${body64}`, null, /holds 2 private keys/],
    ['a cut block', cosign.slice(0, 300), 'secret', /has no end/],
    ['noise in a block', pem('PRIVATE KEY', 'noise'), null, /cannot be read/],
    ['a curve', ec('secp256k1').privateKey.export(text), null, /on the curve secp256k1, which cosign/],
    [
      'a small RSA key',
      generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export(text),
      null,
      /1024 bits/,
    ],
    ['a kind', generateKeyPairSync('x25519').privateKey.export(text), null, /of the kind x25519/],
  ])('with words of what is wrong: %s', async (_, key, passphrase, message) => {
    const refusal = await read(key, passphrase).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'USAGE', message: expect.stringMatching(message) as string });
    expect((refusal as Error).message).not.toContain('secret');
    if (message.source !== 'has no end')
      expect(refusal).toMatchObject({ advice: expect.any(String) as string });
  });
});
