import { readdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { getCACertificates } from 'node:tls';
import type { Environment } from '../http/proxy.ts';

/** Where systems keep all their CAs in one file. */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * Node's own CAs, those of NODE_EXTRA_CA_CERTS, and the system's: `SSL_CERT_FILE` and `SSL_CERT_DIR` (folders with
 * colons between them) name others, each in the place of the system's. What is not there, or no certificate, counts
 * for nothing, as with OpenSSL.
 */
export async function knownAuthorities(env: Environment): Promise<readonly string[]> {
  const file = env['SSL_CERT_FILE'];
  const list = env['SSL_CERT_DIR'];
  if (!list) {
    const found = [...getCACertificates('default'), ...getCACertificates('system')];
    // Node reads the file itself, but not on every system, and only in its own environment.
    return unique(file ? [...found, ...(await readBundle(file))] : found);
  }
  // Node takes the list for one folder's name, and complains on stderr when there is none.
  const found: string[] = [...getCACertificates('default')];
  for (const bundle of file ? [file] : bundles) {
    const certificates = await readBundle(bundle);
    found.push(...certificates);
    if (certificates.length > 0) break;
  }
  for (const folder of list.split(delimiter)) found.push(...(await readFolder(folder)));
  return unique(found);
}

function unique(certificates: readonly string[]): readonly string[] {
  return [...new Set(certificates.map((each) => each.trim()))];
}

async function readBundle(file: string): Promise<readonly string[]> {
  try {
    return pemCertificates(await readFile(file, 'utf8'));
  } catch {
    return [];
  }
}

async function readFolder(folder: string): Promise<readonly string[]> {
  const files = folder === '' ? [] : await readdir(folder).catch(() => []);
  const found: string[] = [];
  for (const file of files) found.push(...(await readBundle(join(folder, file))));
  return found;
}

/** The certificates of a text in PEM, each for itself. */
export function pemCertificates(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
