import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OcislimError } from '../../errors.ts';
import type { Credential, CredentialLookup } from './credential.ts';
import { askHelper } from './credential-helper.ts';

export interface CredentialOptions {
  /** `USER:PASSWORD`, for every registry asked for. */
  readonly creds: string | null;
  /** A file like Docker's `config.json` that must exist. */
  readonly authfile: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home directory. */
  readonly home: string;
}

/**
 * Looks in, and takes the first match of: `creds`; `authfile`; `$DOCKER_AUTH_CONFIG` (JSON); `$REGISTRY_AUTH_FILE`;
 * `$XDG_RUNTIME_DIR/containers/auth.json`; `$XDG_CONFIG_HOME/containers/auth.json`; `$DOCKER_CONFIG/config.json`;
 * `~/.docker/config.json`. Within each: `credHelpers`, `credsStore`, `auths`.
 * @throws USAGE for a malformed `creds`.
 */
export function createCredentialLookup(options: CredentialOptions): CredentialLookup {
  const { creds, env } = options;
  if (creds !== null) {
    const explicit = parseCreds(creds);
    return () => Promise.resolve(explicit);
  }
  const stores = listStores(options);
  return async (host, repository, signal) => {
    for (const { where, read } of stores) {
      const text = await read();
      if (text === null) continue;
      const found = await searchStore(parseStore(text, where), { where, host, repository, env }, signal);
      if (found !== null) return found;
    }
    return null;
  };
}

function parseCreds(creds: string): Credential {
  const colon = creds.indexOf(':');
  if (colon <= 0)
    throw new OcislimError('USAGE', 'credentials on the command line are written USER:PASSWORD');
  return { kind: 'basic', username: creds.slice(0, colon), password: creds.slice(colon + 1) };
}

interface Store {
  /** For messages. */
  readonly where: string;
  /** Its text; null when it does not exist. */
  readonly read: () => Promise<string | null>;
}

function listStores({ authfile, env, home }: CredentialOptions): readonly Store[] {
  const stores: Store[] = [];
  const file = (path: string, mustExist = false): void => {
    stores.push({ where: path, read: once(() => readStore(path, mustExist)) });
  };
  if (authfile !== null) file(authfile, true);
  const inline = env['DOCKER_AUTH_CONFIG'];
  if (inline) stores.push({ where: '$DOCKER_AUTH_CONFIG', read: () => Promise.resolve(inline) });
  if (env['REGISTRY_AUTH_FILE']) file(env['REGISTRY_AUTH_FILE']);
  if (env['XDG_RUNTIME_DIR']) file(join(env['XDG_RUNTIME_DIR'], 'containers/auth.json'));
  file(join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'containers/auth.json'));
  if (env['DOCKER_CONFIG']) file(join(env['DOCKER_CONFIG'], 'config.json'));
  file(join(home, '.docker/config.json'));
  return stores;
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null;
  return () => (result ??= work());
}

async function readStore(path: string, mustExist: boolean): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (!mustExist && (code === 'ENOENT' || code === 'ENOTDIR')) return null;
    throw new OcislimError('IO', `cannot read the credentials in ${path}: ${code ?? String(cause)}`, {
      cause,
    });
  }
}

interface AuthEntry {
  readonly auth?: unknown;
  readonly username?: unknown;
  readonly password?: unknown;
  readonly identitytoken?: unknown;
  readonly registrytoken?: unknown;
}

interface StoreContent {
  readonly credHelpers: ReadonlyMap<string, unknown>;
  readonly credsStore: unknown;
  readonly auths: ReadonlyMap<string, unknown>;
}

function parseStore(text: string, where: string): StoreContent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // No cause: a parser's message quotes the text, and the text is secrets.
    throw broken(where, 'it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw broken(where, 'it is not a JSON object');
  const object = new Map(Object.entries(value));
  return {
    credHelpers: entries(object.get('credHelpers')),
    credsStore: object.get('credsStore'),
    auths: entries(object.get('auths')),
  };
}

function entries(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function broken(where: string, why: string): OcislimError {
  return new OcislimError('UNAUTHORIZED', `cannot use the credentials in ${where}: ${why}`);
}

interface Query {
  readonly where: string;
  readonly host: string;
  readonly repository: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

async function searchStore(
  store: StoreContent,
  query: Query,
  signal: AbortSignal,
): Promise<Credential | null> {
  const keys = keysFor(query.host, query.repository);
  const helped = keys.find((key) => store.credHelpers.has(key));
  if (helped !== undefined) {
    const name = store.credHelpers.get(helped);
    if (typeof name !== 'string')
      throw broken(query.where, `the credential helper of ${helped} is not a name`);
    // An empty name switches the credsStore off for this host, as podman writes it.
    if (name !== '') return askHelper(name, helped, query.env, signal);
  } else if (typeof store.credsStore === 'string' && store.credsStore !== '') {
    const serverUrl = query.host === 'docker.io' ? hubKey : query.host;
    const found = await askHelper(store.credsStore, serverUrl, query.env, signal);
    if (found !== null) return found;
  }
  for (const key of keys) {
    const found = readEntry(store.auths.get(key), key, query.where);
    if (found !== null) return found;
  }
  return null;
}

const hubKey = 'https://index.docker.io/v1/';

/** The keys that may hold a repository's entry: podman's namespaced ones, most specific first, the host, old forms. */
function keysFor(host: string, repository: string): readonly string[] {
  const keys: string[] = [];
  const path = repository.split('/');
  for (let length = path.length; length > 0; length -= 1)
    keys.push(`${host}/${path.slice(0, length).join('/')}`);
  const names = host === 'docker.io' ? ['docker.io', 'index.docker.io', 'registry-1.docker.io'] : [host];
  for (const name of names) keys.push(name);
  if (host === 'docker.io') keys.push(hubKey);
  for (const name of names) {
    for (const scheme of ['https', 'http']) {
      for (const suffix of ['', '/', '/v1', '/v1/', '/v2', '/v2/']) keys.push(`${scheme}://${name}${suffix}`);
    }
  }
  return keys;
}

function readEntry(value: unknown, key: string, where: string): Credential | null {
  if (typeof value !== 'object' || value === null) return null;
  const { auth, username, password, identitytoken, registrytoken } = value as AuthEntry;
  if (typeof registrytoken === 'string' && registrytoken !== '')
    return { kind: 'bearer', token: registrytoken };
  let pair: { readonly username: string; readonly password: string } | null = null;
  if (typeof auth === 'string' && auth !== '') {
    const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
    const colon = decoded.indexOf(':');
    if (colon < 0) throw broken(where, `the entry of ${key} is not base64 of USER:PASSWORD`);
    pair = { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  } else if (typeof username === 'string' && username !== '' && typeof password === 'string') {
    pair = { username, password };
  }
  if (typeof identitytoken === 'string' && identitytoken !== '') {
    return { kind: 'identity', username: pair?.username || '<token>', token: identitytoken };
  }
  return pair === null ? null : { kind: 'basic', ...pair };
}
