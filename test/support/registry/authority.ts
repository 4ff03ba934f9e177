/**
 * Certificate authorities for tests of TLS, made with node-forge. They issue certificates for servers and clients,
 * and PKCS#12 files.
 */
import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';
import type { Certificate } from './certificate.ts';

export interface Issued {
  readonly names?: readonly string[];
  readonly from?: Date;
  readonly to?: Date;
  readonly commonName?: string;
}

/** A CA of a test. */
export interface Authority {
  readonly cert: string;
  /** Issues a certificate for a server or a client. Default names: 127.0.0.1 and localhost. */
  issue(issued?: Issued): Certificate;
}

// forge knows RSA only. All certificates share one pair, because making one takes time.
const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
const privateKey = forge.pki.privateKeyFromPem(pair.privateKey);
let serial = 1;

const distant = { from: new Date('2020-01-01'), to: new Date('2120-01-01') };

function certify(
  subject: string,
  issuer: string,
  { from, to }: typeof distant,
  extensions: unknown[],
): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  certificate.serialNumber = `1${(serial += 1).toString(16).padStart(7, '0')}`;
  certificate.validity.notBefore = from;
  certificate.validity.notAfter = to;
  certificate.setSubject([{ name: 'commonName', value: subject }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  certificate.setExtensions(extensions as object[]);
  certificate.sign(privateKey, forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

/** Makes a CA with this name. */
export function makeAuthority(name: string, lifetime = distant): Authority {
  return {
    cert: certify(name, name, lifetime, [{ name: 'basicConstraints', cA: true, critical: true }]),
    issue({ names = ['localhost', '127.0.0.1'], from, to, commonName = 'a test' } = {}) {
      const altNames = names.map((each) =>
        /^[\d.]+$/.test(each) ? { type: 7, ip: each } : { type: 2, value: each },
      );
      const life = { from: from ?? distant.from, to: to ?? distant.to };
      const cert = certify(commonName, name, life, [
        { name: 'basicConstraints', cA: false },
        ...(names.length === 0 ? [] : [{ name: 'subjectAltName', altNames }]),
      ]);
      return { cert, key: pair.privateKey };
    },
  };
}

/** Returns a PKCS#12 file of a certificate and its key. */
export function writePkcs12(
  { cert, key }: Certificate,
  password: string,
  algorithm: 'aes256' | '3des',
): Buffer {
  const asn1 = forge.pkcs12.toPkcs12Asn1(
    forge.pki.privateKeyFromPem(key),
    [forge.pki.certificateFromPem(cert)],
    password,
    { algorithm },
  );
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'binary');
}
