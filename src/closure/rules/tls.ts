import { ascii, type ByteString, asciiList } from '../../bytes/bytes.ts';
import { baseOf, join, parentOf, rootPaths } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { variable } from './configuration.ts';
import { importOf } from './imports.ts';

/** Where libraries look for the certificates of authorities, all in one file. */
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

/** One file each, and links named by hashes. */
const directories = rootPaths(
  'etc/ssl/certs',
  'etc/pki/tls/certs',
  'usr/lib/ssl/certs',
  'usr/local/ssl/certs',
  'etc/pki/ca-trust/extracted/pem/directory-hash',
);

const fileVariables = asciiList(
  'SSL_CERT_FILE',
  'PIP_CERT',
  'NODE_EXTRA_CA_CERTS',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
  'AWS_CA_BUNDLE',
  'GIT_SSL_CAINFO',
);

/** Libraries that check certificates against the system's. */
const libraries = /^lib(?:ssl|gnutls|gnutls-openssl|nss3|mbedtls|wolfssl|tls)\.so(?:\.|$)/;

/** Functions that read the system's trust. */
export const trustFunctions: ReadonlySet<string> = new Set([
  'SSL_CTX_set_default_verify_paths',
  'X509_STORE_set_default_paths',
]);

/** Modules that bring a bundle of their own beside them: when one of their files stays, so does the bundle. */
const bundled: readonly (readonly [directory: string, bundle: ByteString])[] = [
  ['certifi', ascii`cacert.pem`],
  ['botocore', ascii`cacert.pem`],
  ['httplib2', ascii`cacerts.txt`],
  ['grpc', ascii`_cython/_credentials/roots.pem`],
  ['CA', ascii`cacert.pem`],
];

/** Trust in certificates: kept where something asks for it, since it is half a megabyte that many programs never read. */
export const tlsRule: ClosureRule = {
  name: 'tls',
  describe:
    'The certificates of authorities, where something asks: a TLS library that stays (OpenSSL, GnuTLS, NSS), a traced use of one of them, an environment variable (SSL_CERT_FILE, SSL_CERT_DIR, NODE_EXTRA_CA_CERTS, …), or a module with a bundle of its own (certifi).',
  *roots(context): Generator<Need> {
    const { fs, trace } = context;
    for (const name of fileVariables) {
      const file = variable(name, context);
      if (file !== '') yield { path: file, detail: ascii`named by ${name}`, below: true };
    }
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
      const called = importOf(elf, trustFunctions);
      if (libraries.test(baseOf(path)) || libraries.test(elf.soname ?? ''))
        yield* systemTrust(ascii`/${path} checks certificates against it`, context);
      else if (called !== null && elf.trouble === null)
        yield* systemTrust(ascii`/${path} calls ${called}`, context);
      return;
    }
    const directory = parentOf(path);
    for (const [name, bundle] of bundled)
      if (baseOf(directory) === name && /\.(?:py|pm|so)$/.test(path)) {
        const own = join(directory, bundle);
        if (context.fs.kind(own) !== null)
          yield { path: own, detail: ascii`the certificates that /${path} brings along` };
      }
  },
};

/** By the name that was used: a certificate is opened through a link that is named by a hash. */
function isTrust(name: string): boolean {
  return (
    (bundles as readonly string[]).includes(name) ||
    directories.some((at) => name === at || name.startsWith(`${at}/`))
  );
}

function* systemTrust(why: ByteString, { fs }: ClosureContext): Generator<Need> {
  const detail = ascii`certificates of authorities: ${why}`;
  for (const [paths, below] of [
    [bundles, false],
    [directories, true],
  ] as const)
    for (const path of paths) if (fs.kind(path) !== null) yield { path, detail, below };
}
