/**
 * The look-up of credentials: given ones, or those of the files that Docker, podman and their relatives keep. The command line
 * makes one for each side of a run; a registry's authorizer asks it when the registry wants a login.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OcislimError } from '../../errors.ts';
import type { Credential, CredentialLookup } from './credential.ts';
import { parseStore, searchStore } from './credential-store.ts';
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
 * Makes a look-up that takes the first match of: `creds`; `authfile`; `$DOCKER_AUTH_CONFIG` (JSON); `$REGISTRY_AUTH_FILE`;
 * `$XDG_RUNTIME_DIR/containers/auth.json`; `$XDG_CONFIG_HOME/containers/auth.json`; `$DOCKER_CONFIG/config.json`;
 * `~/.docker/config.json`. Within each: `credHelpers`, `credsStore`, `auths`.
 * @throws USAGE for malformed `creds`
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

/** A place that may hold credentials. */
interface Store {
  /** Its name, for messages. */
  readonly where: string;
  /** Returns its text; null when it does not exist. */
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
