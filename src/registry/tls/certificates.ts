/**
 * The certificates that connections trust and show, from the folders of docker and podman and from the options. The command line
 * makes them once a run; the trust of each client asks for those of its servers.
 */
import { X509Certificate } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { OcislimError } from '../../errors.ts';
import { defaultLimits } from '../../limits.ts';
import { Secret } from '../auth/secret.ts';
import { type FileReading, knownAuthorities, pemCertificates, readCertificateFile } from './authorities.ts';
import { type ClientCertificate, openPkcs12 } from './pkcs12.ts';
import type { Environment } from '../http/proxy.ts';

/** The certificates for one server, in addition to the CAs that are trusted for all servers. */
export interface HostCertificates {
  /** CAs, in PEM. */
  readonly authorities: readonly string[];
  readonly clients: readonly ClientCertificate[];
}

/** Decides which certificates each server gets. Every file is read once, when it is first needed. */
export interface Certificates {
  /** Returns the CAs that are trusted for every server, in PEM. */
  known(): Promise<readonly string[]>;
  /**
   * Returns the certificates for a server, by the names of its folder (`HOST[:PORT]`), the best first. A server that another
   * one named (`foreign`) does not get what was given for the registry. @throws IO for files that cannot be used
   */
  of(names: readonly string[], foreign: boolean): Promise<HostCertificates>;
}

export interface CertificateOptions {
  /** A folder for every server, instead of the standard ones; null for those. */
  readonly certDir: string | null;
  /** A PKCS#12 file with a client certificate; null without one. */
  readonly clientP12: string | null;
  readonly passphrase: Secret | null;
  /** A file whose first line is the passphrase; goes before `passphrase`. */
  readonly passphraseFile: string | null;
  readonly env: Environment;
  /** The home directory; null for a user without one. */
  readonly home: string | null;
  /** Ends waits for files that are pipes. Default: nothing does. */
  readonly signal?: AbortSignal;
  /** Default: the usual limits. */
  readonly limits?: FileReading['limits'];
}

const nothing: HostCertificates = { authorities: [], clients: [] };

/** Makes the certificates of a run: those of docker and podman (`certs.d/HOST[:PORT]`), and the ones given. */
export function createCertificates(options: CertificateOptions): Certificates {
  const { certDir, clientP12, env, home } = options;
  const { signal = new AbortController().signal, limits = defaultLimits } = options;
  const reading: FileReading = { limits, signal };
  const folders = new Map<string, Promise<HostCertificates | null>>();
  const read = (folder: string, mustExist: boolean): Promise<HostCertificates | null> => {
    const found = folders.get(folder) ?? readFolder(folder, mustExist, reading);
    folders.set(folder, found);
    return found;
  };
  let p12: Promise<ClientCertificate> | null = null;
  let known: Promise<readonly string[]> | null = null;
  const config = env['XDG_CONFIG_HOME'] || (home === null ? null : join(home, '.config'));
  const bases = [
    ...(config === null ? [] : [join(config, 'containers/certs.d')]),
    ...(home === null ? [] : [join(home, '.docker/certs.d')]),
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
  ];
  const standard = async (names: readonly string[]): Promise<HostCertificates> => {
    // A registry may have chosen the name: it must not lead out of the folder.
    const safe = names.filter((name) => !/^\.*$|[/\\\0]/.test(name));
    for (const folder of bases.flatMap((base) => safe.map((name) => join(base, name)))) {
      const found = await read(folder, false);
      if (found !== null) return found;
    }
    return nothing;
  };
  return {
    known: () => (known ??= knownAuthorities(env, reading)),
    async of(names, foreign) {
      const found = certDir === null ? await standard(names) : ((await read(certDir, true)) ?? nothing);
      if (foreign) return certDir === null ? found : { ...found, clients: [] };
      if (clientP12 === null) return found;
      p12 ??= readPkcs12(clientP12, options, reading);
      return { ...found, clients: [await p12] };
    },
  };
}

async function readPkcs12(
  file: string,
  { passphrase, passphraseFile }: CertificateOptions,
  reading: FileReading,
): Promise<ClientCertificate> {
  const secret =
    passphraseFile === null
      ? passphrase
      : new Secret((await readText(passphraseFile, reading)).replace(/\r?\n[^]*$/, ''));
  return openPkcs12(await readBytes(file, reading), secret, file);
}

/** Reads a folder of `*.crt` (CAs), `*.cert` and `*.key` (client certificates); null when it is missing or not readable. */
async function readFolder(
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
