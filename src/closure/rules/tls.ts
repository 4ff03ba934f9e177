/**
 * The rule for CA certificates, by which programs trust servers. `families.ts` lists it.
 */
import { ascii, type ByteString, asciiList } from '../../bytes/bytes.ts';
import { baseOf, parentOf, type Path, rootPaths } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { present, presentIn } from './present.ts';
import { namedByVariables, variable } from './configuration.ts';
import { importOf } from './imports.ts';

/** Where libraries look for all CA certificates in one file, by distribution. */
const bundles = rootPaths(
  'etc/ssl/certs/ca-certificates.crt',
  'etc/ssl/cert.pem',
  'etc/ssl/ca-bundle.pem',
  'etc/ssl/certs/ca-bundle.crt',
  'etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  'etc/pki/tls/certs/ca-bundle.crt',
  'etc/pki/tls/cert.pem',
  'etc/pki/tls/cacert.pem',
  'usr/lib/ssl/cert.pem',
  'usr/local/ssl/cert.pem',
);

/** Where they look for one certificate in a file, by links that are named by hashes (openssl-rehash(1)). */
const directories = rootPaths(
  'etc/ssl/certs',
  'etc/pki/tls/certs',
  'usr/lib/ssl/certs',
  'usr/local/ssl/certs',
  'etc/pki/ca-trust/extracted/pem/directory-hash',
);

/** Variables that name a file of certificates. */
const fileVariables = asciiList(
  'SSL_CERT_FILE',
  'PIP_CERT',
  'NODE_EXTRA_CA_CERTS',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
  'AWS_CA_BUNDLE',
  'GIT_SSL_CAINFO',
);

/** Libraries that check certificates against those of the system. */
const libraries = /^lib(?:ssl|gnutls|gnutls-openssl|nss3|mbedtls|wolfssl|tls)\.so(?:\.|$)/;

/** Functions that read the certificates of the system. */
export const trustFunctions: ReadonlySet<string> = new Set([
  'SSL_CTX_set_default_verify_paths',
  'X509_STORE_set_default_paths',
]);

/** Modules with their own bundle of certificates beside them, which stays with any of their files. */
const bundled: readonly (readonly [directory: string, bundle: ByteString])[] = [
  ['certifi', ascii`cacert.pem`],
  ['botocore', ascii`cacert.pem`],
  ['httplib2', ascii`cacerts.txt`],
  ['grpc', ascii`_cython/_credentials/roots.pem`],
  ['CA', ascii`cacert.pem`],
];

/** CA certificates are half a megabyte that many programs never read, so that they stay only if something asks for them. */
export const tlsRule: ClosureRule = {
  name: 'tls',
  describe:
    "The CA certificates, if a TLS library stays (OpenSSL, GnuTLS, NSS), or the trace used one of them, or, unless the granularity is `file`, an ELF file names the bundle (Go, Rust) or a TLS library (.NET, PyInstaller's programs of one file); those that an environment variable names (SSL_CERT_FILE, SSL_CERT_DIR, NODE_EXTRA_CA_CERTS, …); the bundle of a module that has its own (certifi).",
  *roots(context): Generator<Need> {
    const { fs, trace } = context;
    yield* namedByVariables(fileVariables, context);
    for (const directory of variable('SSL_CERT_DIR', context).split(':'))
      if (directory !== '') yield { path: directory, detail: ascii`named by SSL_CERT_DIR`, below: true };
    for (const name of trace.paths.keys())
      if (isTrust(name) && fs.resolve(name).path !== null) {
        yield* systemTrust(ascii`/${name} was used`, context);
        break;
      }
  },
  *follow(path, context): Generator<Need> {
    const elf = context.facts.elf(path);
    if (elf !== null) {
      if (context.granularity !== 'file') yield* trustOfMentions(path, context);
      const called = importOf(elf, trustFunctions);
      if (libraries.test(baseOf(path)) || libraries.test(elf.soname ?? ''))
        yield* systemTrust(ascii`/${path} checks certificates against it`, context);
      else if (called !== null && elf.trouble === null)
        yield* systemTrust(ascii`/${path} calls ${called}`, context);
      return;
    }
    const directory = parentOf(path);
    for (const [name, bundle] of bundled)
      if (baseOf(directory) === name && /\.(?:py|pm|so)$/.test(path))
        for (const own of presentIn(context.fs, directory, [bundle]))
          yield { path: own, detail: ascii`the certificates that come with /${path}` };
  },
};

/**
 * Yields the certificates for a program that names the bundle, as those with a TLS of their own do (Go, rustls), or a TLS library, which
 * it loads by its name (.NET) or brings along in an archive (PyInstaller).
 */
function* trustOfMentions(path: Path, context: ClosureContext): Generator<Need> {
  for (const name of context.facts.mentions(path)) {
    if (/\.(?:crt|pem)$/.test(name)) yield* systemTrust(ascii`/${path} names /${name}`, context);
    else if (libraries.test(name)) yield* systemTrust(ascii`/${path} may load ${name}`, context);
    else continue;
    return;
  }
}

/** Returns whether a traced name is one of the certificates. Names count as the program used them: links that are named by hashes. */
function isTrust(name: string): boolean {
  return (
    (bundles as readonly string[]).includes(name) ||
    directories.some((at) => name === at || name.startsWith(`${at}/`))
  );
}

/** Yields all certificates of the system: other hosts than those of the trace have other authorities. */
function* systemTrust(why: ByteString, { fs }: ClosureContext): Generator<Need> {
  const detail = ascii`CA certificates: ${why}`;
  for (const path of present(fs, bundles)) yield { path, detail };
  for (const path of present(fs, directories)) yield { path, detail, below: true };
}
