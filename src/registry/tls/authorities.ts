/**
 * The CAs that are trusted for every server: Node's, the system's, and those that the environment names. The certificates of a run
 * ask for them once.
 */
import { readdir, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { readGiven } from '../../files/given-file.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import { OcislimError } from '../../errors.ts';
import type { Environment } from '../http/proxy.ts';

/** What reading files of certificates needs. */
export interface FileReading {
  readonly limits: Pick<Limits, 'certificate-bytes'>;
  readonly signal: AbortSignal;
}

/** Reads a file of certificates, keys or a passphrase. Passes the system's errors on. @throws LIMIT, the signal's reason */
export function readCertificateFile(path: string, { limits, signal }: FileReading): Promise<Uint8Array> {
  return readGiven(path, { limit: 'certificate-bytes', limits }, signal);
}

const untilTheEnd: FileReading = { limits: defaultLimits, signal: new AbortController().signal };

/** Files with all CAs of a system. */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * Reads Node's own CAs, those of NODE_EXTRA_CA_CERTS, and the system's: `SSL_CERT_FILE` and `SSL_CERT_DIR` (folders
 * separated by colons) each replace the system's. Missing files and files without certificates are ignored, as OpenSSL does.
 * @throws LIMIT
 */
export async function knownAuthorities(
  env: Environment,
  reading: FileReading = untilTheEnd,
): Promise<readonly string[]> {
  const file = env['SSL_CERT_FILE'];
  const list = env['SSL_CERT_DIR'];
  if (!list) {
    const found = [...getCACertificates('default'), ...getCACertificates('system')];
    // Node reads the file itself, but not on every system, and only in its own environment.
    return unique(file ? [...found, ...(await readBundle(file, reading))] : found);
  }
  // Node takes the list for the name of one folder, and warns on stderr that it is missing.
  const found: string[] = [...getCACertificates('default')];
  for (const bundle of file ? [file] : bundles) {
    const certificates = await readBundle(bundle, reading);
    for (const each of certificates) found.push(each);
    if (certificates.length > 0) break;
  }
  for (const folder of list.split(delimiter))
    for (const each of await readFolder(folder, reading)) found.push(each);
  return unique(found);
}

function unique(certificates: readonly string[]): readonly string[] {
  return [...new Set(certificates.map((each) => each.trim()))];
}

async function readBundle(file: string, reading: FileReading): Promise<readonly string[]> {
  try {
    return pemCertificates(Buffer.from(await readCertificateFile(file, reading)).toString('utf8'));
  } catch (error) {
    reading.signal.throwIfAborted();
    if (error instanceof OcislimError) throw error;
    return [];
  }
}

async function readFolder(folder: string, reading: FileReading): Promise<readonly string[]> {
  const names = folder === '' ? [] : await readdir(folder).catch(() => []);
  const found: string[] = [];
  const read = new Set<string>();
  for (const name of names) {
    const path = join(folder, name);
    // OpenSSL finds a certificate by a link whose name is a hash: each file has two names.
    const { dev, ino } = await stat(path).catch(() => ({ dev: 0, ino: name }));
    const file = `${dev} ${ino}`;
    if (read.has(file)) continue;
    read.add(file);
    for (const each of await readBundle(path, reading)) found.push(each);
  }
  return found;
}

/** Returns each certificate of a text in PEM. */
export function pemCertificates(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
