/**
 * Reads files of certificates: folders of docker and podman, client certificates, PKCS#12. The certificates of a run load this when a
 * server needs them.
 */
import { X509Certificate } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { OcislimError } from '../../errors.ts';
import { Secret } from '../auth/secret.ts';
import { type FileReading, pemCertificates, readCertificateFile } from './authorities.ts';
import type { CertificateOptions, HostCertificates } from './certificates.ts';
import { type ClientCertificate, openPkcs12 } from './pkcs12.ts';

export { knownAuthorities } from './authorities.ts';

/** Reads a PKCS#12 file. A passphrase file, whose first line is taken, goes before the passphrase. @throws IO, LIMIT */
export async function readPkcs12(
  file: string,
  { passphrase, passphraseFile }: Pick<CertificateOptions, 'passphrase' | 'passphraseFile'>,
  reading: FileReading,
): Promise<ClientCertificate> {
  const secret =
    passphraseFile === null
      ? passphrase
      : new Secret((await readText(passphraseFile, reading)).replace(/\r?\n[^]*$/, ''));
  return openPkcs12(await readBytes(file, reading), secret, file);
}

/**
 * Reads a folder of `*.crt` (CAs), `*.cert` and `*.key` (client certificates); null when it is missing or not readable.
 * @throws IO for files that cannot be used, and for a missing folder that must exist
 */
export async function readCertificateFolder(
  folder: string,
  mustExist: boolean,
  reading: FileReading,
): Promise<HostCertificates | null> {
  let files: readonly string[];
  try {
    files = (await readdir(folder)).toSorted();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (!mustExist && ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(code)) return null;
    throw new OcislimError('IO', `cannot read the certificates in ${folder}: ${code}`, { cause });
  }
  const authorities: string[] = [];
  const clients: ClientCertificate[] = [];
  for (const file of files) {
    const path = join(folder, file);
    if (file.endsWith('.crt'))
      for (const authority of await readAuthorities(path, reading)) authorities.push(authority);
    else if (file.endsWith('.cert')) {
      const keyFile = `${path.slice(0, -5)}.key`;
      requireKey(path, keyFile, files);
      clients.push(await readPair(path, keyFile, reading));
    } else if (file.endsWith('.key') && !files.includes(`${file.slice(0, -4)}.cert`))
      throw new OcislimError(
        'IO',
        `the key ${path} has no certificate: ${path.slice(0, -4)}.cert is missing`,
      );
  }
  return { authorities, clients };
}

function requireKey(certFile: string, keyFile: string, files: readonly string[]): void {
  if (!files.some((file) => keyFile.endsWith(`/${file}`)))
    throw new OcislimError('IO', `the client certificate ${certFile} has no key: ${keyFile} is missing`, {
      advice: 'If it is the certificate of a CA, its name must end in .crt.',
    });
}

async function readPair(certFile: string, keyFile: string, reading: FileReading): Promise<ClientCertificate> {
  const [cert, key] = [await readText(certFile, reading), await readText(keyFile, reading)];
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    // OpenSSL's message says whether the key is encrypted, belongs to another certificate, or is malformed.
    throw new OcislimError(
      'IO',
      `the client certificate ${certFile} and its key ${keyFile} cannot be used: ${(cause as Error).message}`,
      { cause },
    );
  }
  return { kind: 'pem', cert, key: new Secret(key) };
}

async function readAuthorities(path: string, reading: FileReading): Promise<readonly string[]> {
  const found = pemCertificates(await readText(path, reading));
  try {
    for (const each of found) void new X509Certificate(each);
  } catch (cause) {
    throw new OcislimError('IO', `a certificate in ${path} is broken: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (found.length === 0) throw new OcislimError('IO', `${path} holds no certificate in PEM`);
  return found;
}

async function readText(path: string, reading: FileReading): Promise<string> {
  return Buffer.from(await readBytes(path, reading)).toString('utf8');
}

async function readBytes(path: string, reading: FileReading): Promise<Uint8Array> {
  try {
    return await readCertificateFile(path, reading);
  } catch (cause) {
    reading.signal.throwIfAborted();
    if (cause instanceof OcislimError) throw cause;
    throw new OcislimError('IO', `cannot read ${path}: ${(cause as NodeJS.ErrnoException).code ?? ''}`, {
      cause,
    });
  }
}
