import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OcislimError } from '../../errors.ts';
import type { Credential, CredentialLookup } from './credential.ts';
import { askHelper } from './credential-helper.ts';
import { printable } from '../printable.ts';
import { Secret } from './secret.ts';

export interface CredentialOptions {
  /** `USER:PASSWORD`, for every registry; null to look in the stores. */
  readonly creds: Secret | null;
  /** A file like Docker's `config.json` that must exist. */
  readonly authfile: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home directory; null for a user without one. */
  readonly home: string | null;
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
    const explicit = parseCreds(creds.reveal());
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
  return { kind: 'basic', username: creds.slice(0, colon), password: new Secret(creds.slice(colon + 1)) };
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
  if (inline !== undefined && inline.trim() !== '')
    stores.push({ where: '$DOCKER_AUTH_CONFIG', read: () => Promise.resolve(inline) });
  if (env['REGISTRY_AUTH_FILE']) file(env['REGISTRY_AUTH_FILE']);
  if (env['XDG_RUNTIME_DIR']) file(join(env['XDG_RUNTIME_DIR'], 'containers/auth.json'));
  const config = env['XDG_CONFIG_HOME'] || (home === null ? null : join(home, '.config'));
  if (config !== null) file(join(config, 'containers/auth.json'));
  if (env['DOCKER_CONFIG']) file(join(env['DOCKER_CONFIG'], 'config.json'));
  if (home !== null) file(join(home, '.docker/config.json'));
  return stores;
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null;
  return () => (result ??= work());
}

async function readStore(path: string, mustExist: boolean): Promise<string | null> {
  try {
    const text = await readFile(path, 'utf8');
    // Docker and `podman login` make empty files that they fill later.
    return text.trim() === '' ? null : text;
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
  /** Empty for none. */
  readonly credsStore: string;
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
    credHelpers: entries(object.get('credHelpers'), 'credHelpers', where),
    credsStore: readName(object.get('credsStore'), 'credsStore', where),
    auths: entries(object.get('auths'), 'auths', where),
  };
}

function entries(value: unknown, name: string, where: string): ReadonlyMap<string, unknown> {
  if (value === undefined || value === null) return new Map();
  if (typeof value !== 'object' || Array.isArray(value))
    throw broken(where, `"${name}" is not an object by host`);
  return new Map(Object.entries(value));
}

/** The name of a helper; empty for none. */
function readName(value: unknown, name: string, where: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw broken(where, `"${name}" is not the name of a credential helper`);
  return value;
}

function broken(where: string, why: string): OcislimError {
  return new OcislimError('UNAUTHORIZED', `cannot use the credentials in ${where}: ${why}`, {
    advice: 'Repair it, log in anew, or give --creds USER:PASSWORD.',
  });
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
  const { host, where } = query;
  const keys = keysFor(host, query.repository);
  const ask = (name: string, server: string): Promise<Credential | null> =>
    askHelper(name, server, { env: query.env, where }, signal);
  const helped = keys.find((key) => store.credHelpers.has(key));
  if (helped !== undefined) {
    const name = readName(store.credHelpers.get(helped), `credHelpers.${helped}`, where);
    // An empty name switches the credsStore off for this host, as podman writes it.
    if (name !== '') {
      const found = await ask(name, helped);
      // Helpers keep Docker Hub's under its old address, whatever name it has in the file.
      return found === null && host === 'docker.io' && helped !== hubKey ? ask(name, hubKey) : found;
    }
  } else if (store.credsStore !== '') {
    const found = await ask(store.credsStore, host === 'docker.io' ? hubKey : host);
    if (found !== null) return found;
  }
  for (const key of [...keys, ...legacyKeysIn(store.auths.keys(), host)]) {
    const found = readEntry(store.auths.get(key), key, where);
    if (found !== null) return found;
  }
  return null;
}

const hubKey = 'https://index.docker.io/v1/';

function namesOf(host: string): readonly string[] {
  return host === 'docker.io' ? ['docker.io', 'index.docker.io', 'registry-1.docker.io'] : [host];
}

/** The keys that may hold a repository's entry: podman's namespaced ones, most specific first, then the host. */
function keysFor(host: string, repository: string): readonly string[] {
  const keys: string[] = [];
  const path = repository.split('/');
  for (let length = path.length; length > 0; length -= 1)
    keys.push(`${host}/${path.slice(0, length).join('/')}`);
  keys.push(...namesOf(host));
  if (host === 'docker.io') keys.push(hubKey);
  return keys;
}

/** Old keys of a host among those of a file: a URL, whatever its path, or the host with the version of an API. */
function legacyKeysIn(keys: Iterable<string>, host: string): readonly string[] {
  const names = namesOf(host);
  return [...keys].filter((key) => {
    const [, name, path] = /^(?:https?:\/\/([^/]*)(?:\/.*)?|[^/]*(\/(?:v[12]\/?)?))$/.exec(key) ?? [];
    return names.includes(name ?? (path === undefined ? '' : key.slice(0, -path.length)));
  });
}

function readEntry(value: unknown, key: string, where: string): Credential | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value))
    throw broken(where, `the entry of ${printable(key, 100)} is not an object`);
  const { auth, username, password, identitytoken, registrytoken } = value as AuthEntry;
  if (typeof registrytoken === 'string' && registrytoken !== '')
    return { kind: 'bearer', token: new Secret(registrytoken) };
  let pair: { readonly username: string; readonly password: Secret } | null = null;
  if (typeof auth === 'string' && auth !== '') {
    const decoded = decodeAuth(auth);
    const colon = decoded?.indexOf(':') ?? -1;
    if (decoded === null || colon < 0)
      throw broken(where, `the entry of ${printable(key, 100)} is not base64 of USER:PASSWORD in UTF-8`);
    pair = { username: decoded.slice(0, colon), password: new Secret(decoded.slice(colon + 1)) };
  } else if (typeof username === 'string' && username !== '' && typeof password === 'string') {
    pair = { username, password: new Secret(password) };
  }
  if (typeof identitytoken === 'string' && identitytoken !== '') {
    return { kind: 'identity', username: pair?.username || '<token>', token: new Secret(identitytoken) };
  }
  return pair === null ? null : { kind: 'basic', ...pair };
}

/** Base64 of UTF-8, as Docker writes it (old versions padded with NULs); null for anything else. */
function decodeAuth(auth: string): string | null {
  if (!/^[A-Za-z0-9+/_\s-]*={0,2}$/.test(auth.trimEnd())) return null;
  try {
    const bytes = Buffer.from(auth, 'base64');
    let end = bytes.length;
    while (bytes[end - 1] === 0) end--;
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, end));
  } catch {
    return null;
  }
}
