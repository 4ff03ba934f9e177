/**
 * One store of credentials in the format of Docker's `config.json`, which podman's `auth.json` shares. The look-up of
 * credentials parses each store's text and searches it for a repository.
 */
import { OcislimError } from '../../errors.ts';
import { printable } from '../printable.ts';
import type { Credential } from './credential.ts';
import { Secret } from './secret.ts';

/** A store, as far as it is valid: its entries are checked when they are needed. */
export interface StoreContent {
  /** By host: the name of the helper. */
  readonly credHelpers: ReadonlyMap<string, unknown>;
  /** The helper of all hosts; empty without one. */
  readonly credsStore: string;
  /** By host or namespace. */
  readonly auths: ReadonlyMap<string, unknown>;
}

/** An entry of `auths`. */
interface AuthEntry {
  readonly auth?: unknown;
  readonly username?: unknown;
  readonly password?: unknown;
  readonly identitytoken?: unknown;
  readonly registrytoken?: unknown;
}

/** What to search for. */
export interface StoreQuery {
  /** The store's name, for messages. */
  readonly where: string;
  readonly host: string;
  readonly repository: string;
  /** The environment of helpers. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Parses the text of a store. @throws UNAUTHORIZED when it is malformed; no part of the text is in the message */
export function parseStore(text: string, where: string): StoreContent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without its cause: the parser's message quotes the text, which is secret.
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

/** Returns the name of a helper; empty without one. */
function readName(value: unknown, name: string, where: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw broken(where, `"${name}" is not the name of a credential helper`);
  return value;
}

function broken(where: string, why: string): OcislimError {
  return new OcislimError('UNAUTHORIZED', `cannot use the credentials in ${where}: ${why}`, {
    advice: 'Repair it, log in again, or give --creds USER:PASSWORD.',
  });
}

/** Searches a store for a repository's credential. Returns null when it has none. @throws UNAUTHORIZED, … */
export async function searchStore(
  store: StoreContent,
  query: StoreQuery,
  signal: AbortSignal,
): Promise<Credential | null> {
  const { host, where } = query;
  const keys = keysFor(host, query.repository);
  const ask = async (name: string, server: string): Promise<Credential | null> => {
    const { askHelper } = await import('./credential-helper.ts');
    return askHelper(name, server, { env: query.env, where }, signal);
  };
  const helped = keys.find((key) => store.credHelpers.has(key));
  if (helped !== undefined) {
    const name = readName(store.credHelpers.get(helped), `credHelpers.${helped}`, where);
    // An empty name switches the credsStore off for this host, as podman writes it.
    if (name !== '') {
      const found = await ask(name, helped);
      // Helpers keep Docker Hub's credential under its old address, whatever key the file has.
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

/** Returns the keys that may hold a repository's entry: podman's namespaces, the longest first, then the host. */
function keysFor(host: string, repository: string): readonly string[] {
  const keys: string[] = [];
  const path = repository.split('/');
  for (let length = path.length; length > 0; length -= 1)
    keys.push(`${host}/${path.slice(0, length).join('/')}`);
  keys.push(...namesOf(host));
  if (host === 'docker.io') keys.push(hubKey);
  return keys;
}

/** Returns the old keys of a host among those of a file: a URL, whatever its path, or the host with the version of an API. */
function legacyKeysIn(keys: Iterable<string>, host: string): readonly string[] {
  const names = namesOf(host);
  return [...keys].filter((key) => {
    const [, name, path] = /^(?:https?:\/\/([^/]*)(?:\/.*)?|[^/]*(\/(?:v[12]\/?)?))$/.exec(key) ?? [];
    return names.includes(name ?? (path === undefined ? '' : key.slice(0, -path.length)));
  });
}

/** Returns the credential of an entry: a registry token, else an identity token, else a password; null without any. */
function readEntry(value: unknown, key: string, where: string): Credential | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value))
    throw broken(where, `the entry of ${printable(key, 100)} is not an object`);
  const entry = value as AuthEntry;
  const { identitytoken, registrytoken } = entry;
  if (typeof registrytoken === 'string' && registrytoken !== '')
    return { kind: 'bearer', token: new Secret(registrytoken) };
  const pair = readPair(entry, key, where);
  if (typeof identitytoken === 'string' && identitytoken !== '')
    return { kind: 'identity', username: pair?.username || '<token>', token: new Secret(identitytoken) };
  return pair === null ? null : { kind: 'basic', ...pair };
}

function readPair(
  { auth, username, password }: AuthEntry,
  key: string,
  where: string,
): { readonly username: string; readonly password: Secret } | null {
  if (typeof auth === 'string' && auth !== '') {
    const decoded = decodeAuth(auth);
    const colon = decoded?.indexOf(':') ?? -1;
    if (decoded === null || colon < 0)
      throw broken(where, `the entry of ${printable(key, 100)} is not base64 of USER:PASSWORD in UTF-8`);
    return { username: decoded.slice(0, colon), password: new Secret(decoded.slice(colon + 1)) };
  }
  if (typeof username !== 'string' || username === '' || typeof password !== 'string') return null;
  return { username, password: new Secret(password) };
}

/** Decodes base64 of UTF-8, as Docker writes it (old versions padded with NULs). Returns null for anything else. */
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
