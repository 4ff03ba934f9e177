/**
 * Tells which files hold secrets: by their names, and by what is in them. A scan asks for the contents of those whose names may; the
 * analysis then looks at the contents, of every layer.
 */
import { readByteString } from '../../bytes/bytes.ts';
import { baseOf, type Path } from '../../bytes/path.ts';
import { KiB } from '../../units.ts';
import type { ContentProbe } from '../facts/facts.ts';
import { secretVariables } from './secrets.ts';

/** A kind of files that may hold a secret. */
interface SecretKind {
  /** What it is, with its article: "a private key". */
  readonly what: string;
  readonly path: RegExp;
  /** Tells whether the contents, as a byte string, hold a secret. */
  readonly holds: (text: string) => boolean;
}

/** A file beyond this is not a secret of a known kind. */
const largest = 64 * KiB;

/** A line of some settings with a value that is not a variable or a placeholder. */
const setting = (names: string): RegExp =>
  new RegExp(
    `^[ \\t]*[^#;\\n]{0,200}?(?:${names})["']?[ \\t]*[:= \\t][ \\t]*["']?(?![$<{*\\s"'])[^\\s"']{4}`,
    'im',
  );

const privateKey = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/;
const hasPrivateKey = (text: string): boolean => privateKey.test(text);
const urlWithPassword = /[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{1,200}:[^\s/@$<{]{1,200}@/i;

const kinds: readonly SecretKind[] = [
  {
    what: 'a private key',
    path: /(?:^|\/)(?:id_(?:rsa|dsa|ecdsa|ed25519|ecdsa_sk|ed25519_sk)|identity|ssh_host_\w+_key)$|\.(?:pem|key|ppk|asc|p8|gpg)$/,
    holds: (text) => hasPrivateKey(text) || text.startsWith('PuTTY-User-Key-File'),
  },
  {
    what: 'a token of npm',
    path: /(?:^|\/)\.(?:npmrc|yarnrc|yarnrc\.yml)$/,
    holds: (text) => setting('_authToken|_password|_auth|npmAuthToken').test(text),
  },
  {
    what: 'a password of netrc',
    path: /(?:^|\/)[._]netrc$/,
    holds: (text) => /(?:^|\s)password\s+[^\s$<{]{3}/.test(text),
  },
  {
    what: 'credentials of a registry',
    path: /(?:^|\/)(?:\.docker\/config\.json|\.dockercfg|containers\/auth\.json)$/,
    holds: (text) => /"(?:auth|identitytoken|registrytoken|password)"\s*:\s*"[^"]{4}/.test(text),
  },
  {
    what: 'credentials of AWS',
    path: /(?:^|\/)\.aws\/(?:credentials|config)$/,
    holds: (text) => setting('aws_secret_access_key|aws_session_token').test(text),
  },
  {
    what: 'credentials of Google Cloud',
    path: /(?:^|\/)(?:application_default_credentials\.json|[^/]*(?:service[-_]?account|credentials|gcp|gcloud)[^/]*\.json)$/i,
    holds: (text) => /"private_key"\s*:\s*"-----BEGIN|"refresh_token"\s*:\s*"[^"]{8}/.test(text),
  },
  {
    what: 'tokens of Azure',
    path: /(?:^|\/)\.azure\/(?:accessTokens\.json|msal_token_cache\.json|azureProfile\.json)$/,
    holds: (text) => /"(?:refresh_?token|access_?token|secret)"\s*:\s*"[^"]{8}/i.test(text),
  },
  {
    what: 'credentials of Kubernetes',
    path: /(?:^|\/)(?:\.kube\/config|kubeconfig(?:\.ya?ml)?)$/,
    holds: (text) => /^\s*(?:token|client-key-data|password):\s*["']?[^\s"'$<{]{4}/m.test(text),
  },
  { what: 'a password of PyPI', path: /(?:^|\/)\.pypirc$/, holds: (text) => setting('password').test(text) },
  {
    what: 'a password in the settings of pip',
    path: /(?:^|\/)pip(?:\/|\.)pip?\.?conf$|(?:^|\/)pip\.conf$/,
    holds: (text) => urlWithPassword.test(text),
  },
  {
    what: 'credentials of git',
    path: /(?:^|\/)\.git-credentials$/,
    holds: (text) => urlWithPassword.test(text),
  },
  {
    what: 'a password in the settings of a git repository',
    path: /(?:^|\/)(?:\.git\/config|\.gitconfig)$/,
    holds: (text) => urlWithPassword.test(text) || /extraheader\s*=\s*authorization:/i.test(text),
  },
  {
    what: 'a password of PostgreSQL',
    path: /(?:^|\/)\.pgpass$/,
    holds: (text) => /^(?:[^:\n#]*:){4}[^\n$<{]+$/m.test(text),
  },
  {
    what: 'a password of MySQL',
    path: /(?:^|\/)\.my\.cnf$/,
    holds: (text) => setting('password').test(text),
  },
  {
    what: 'credentials of Maven',
    path: /(?:^|\/)\.m2\/settings\.xml$/,
    holds: (text) => /<password>\s*[^<$\s{][^<]*<\/password>/.test(text),
  },
  {
    what: 'a token of cargo',
    path: /(?:^|\/)\.cargo\/credentials(?:\.toml)?$/,
    holds: (text) => setting('token').test(text),
  },
  {
    what: 'a token of RubyGems',
    path: /(?:^|\/)\.gem\/credentials$/,
    holds: (text) => setting('rubygems_api_key|api_key').test(text),
  },
  {
    what: 'a token of Composer',
    path: /(?:^|\/)(?:\.composer|composer)\/auth\.json$/,
    holds: (text) => /"(?:[^"]{1,200})"\s*:\s*"[^"$<{]{8}/.test(text),
  },
  {
    what: 'a token of Terraform',
    path: /(?:^|\/)(?:\.terraformrc|credentials\.tfrc\.json)$/,
    holds: (text) => setting('token').test(text),
  },
  {
    what: 'a token of GitHub',
    path: /(?:^|\/)(?:\.config\/gh\/hosts\.yml|\.config\/hub)$/,
    holds: (text) => setting('oauth_token').test(text),
  },
  { what: 'a token of Vault', path: /(?:^|\/)\.vault-token$/, holds: (text) => text.trim().length >= 8 },
  { what: 'settings with a secret', path: /(?:^|\/)\.env(?:\.[\w-]+)?$/, holds: hasSecretVariable },
];

/** Settings that are examples: their values open nothing. */
const example = /(?:^|\/)\.env\.(?:example|sample|template|dist|test)$/;

/** Returns how much of a file the search for secrets needs, in bytes. */
export const secretProbe: ContentProbe = (path) => (kindOf(path) === null ? 0 : largest);

/** Returns what secret a file holds, with its article ("a private key"); null for none. `contents` are the whole file. */
export function secretIn(path: Path, contents: Uint8Array): string | null {
  const kind = kindOf(path);
  return kind !== null && contents.length <= largest && kind.holds(readByteString(contents))
    ? kind.what
    : null;
}

/** All last parts of names begin or end in one of these ways: nearly every path is decided here. */
const candidate =
  /^[._]|^id_|key$|(?:config|credentials|identity|\.(?:pem|key|ppk|asc|p8|gpg|json|conf|xml|ya?ml|toml))$/;

function kindOf(path: Path): SecretKind | null {
  if (!candidate.test(baseOf(path)) && !path.endsWith('.config/hub')) return null;
  if (example.test(path)) return null;
  return kinds.find((kind) => kind.path.test(path)) ?? null;
}

function hasSecretVariable(text: string): boolean {
  const variables = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w{0,200})\s*=\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined) variables.set(name, value.replace(/^(["'])(.*)\1\s*$/, '$2'));
  }
  return secretVariables(variables).length > 0;
}
