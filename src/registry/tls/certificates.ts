/**
 * The certificates that connections trust and show, from the folders of docker and podman and from the options. The command line
 * makes them once a run; the trust of each client asks for those of its servers.
 */
import { join } from 'node:path';
import { defaultLimits } from '../../limits.ts';
import type { Secret } from '../auth/secret.ts';
import type { FileReading } from './authorities.ts';
import type { ClientCertificate } from './pkcs12.ts';
import type { Environment } from '../http/proxy.ts';

/** The certificates for one server, in addition to the CAs that are trusted for all servers. */
export interface HostCertificates {
  /** CAs, in PEM. */
  readonly authorities: readonly string[];
  readonly clients: readonly ClientCertificate[];
}

/** Decides which certificates each server gets. Every file is read once, when it is first needed. */
export interface Certificates {
  /** Whether the user named a file or folder of them: a fault in it is told, whatever the server needs. */
  readonly areGiven: boolean;
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

/** Loads what reads certificates, and Node's TLS with it: a run without a registry needs neither. */
const files = () => import('./certificate-files.ts');

const nothing: HostCertificates = { authorities: [], clients: [] };

/** Makes the certificates of a run: those of docker and podman (`certs.d/HOST[:PORT]`), and the ones given. */
export function createCertificates(options: CertificateOptions): Certificates {
  const { certDir, clientP12, env, home } = options;
  const { signal = new AbortController().signal, limits = defaultLimits } = options;
  const reading: FileReading = { limits, signal };
  const folders = new Map<string, Promise<HostCertificates | null>>();
  const readFolder = async (folder: string, mustExist: boolean): Promise<HostCertificates | null> =>
    (await files()).readCertificateFolder(folder, mustExist, reading);
  const read = (folder: string, mustExist: boolean): Promise<HostCertificates | null> => {
    const found = folders.get(folder) ?? readFolder(folder, mustExist);
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
    areGiven: certDir !== null || clientP12 !== null,
    known: () => (known ??= files().then(({ knownAuthorities }) => knownAuthorities(env, reading))),
    async of(names, foreign) {
      const found = certDir === null ? await standard(names) : ((await read(certDir, true)) ?? nothing);
      if (foreign) return certDir === null ? found : { ...found, clients: [] };
      if (clientP12 === null) return found;
      p12 ??= files().then(({ readPkcs12 }) => readPkcs12(clientP12, options, reading));
      return { ...found, clients: [await p12] };
    },
  };
}
