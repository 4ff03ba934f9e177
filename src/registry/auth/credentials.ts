/**
 * The look-up of credentials: given ones, or those of the files that Docker, podman and their relatives keep. The command line
 * makes one for each side of a run; a registry's authorizer asks it when the registry wants a login.
 */
import { join } from 'node:path';
import { OcislimError } from '../../errors.ts';
import { readGiven } from '../../files/given-file.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
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
  /** The folder that stands for `$XDG_RUNTIME_DIR` where that is unset; null for none. Default: `/run/containers/UID` on Linux. */
  readonly runtimeFolder?: string | null;
  /** Default: the usual limits. */
  readonly limits?: Pick<Limits, 'credential-bytes'>;
}

/**
 * Makes a look-up that takes the first match of: `creds`; `authfile`; `$DOCKER_AUTH_CONFIG` (JSON); `$REGISTRY_AUTH_FILE`;
 * `$XDG_RUNTIME_DIR/containers/auth.json`, or `/run/containers/UID/auth.json` where that is unset;
 * `$XDG_CONFIG_HOME/containers/auth.json`; `$DOCKER_CONFIG/config.json`; `~/.docker/config.json`. Within each: `credHelpers`, `credsStore`, `auths`.
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
      const text = await read(signal);
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
  readonly read: (signal: AbortSignal) => Promise<string | null>;
}

function listStores(options: CredentialOptions): readonly Store[] {
  const { authfile, env, home, runtimeFolder = usualRuntimeFolder(), limits = defaultLimits } = options;
  const stores: Store[] = [];
  const file = (path: string, absences = missing): void => {
    stores.push({ where: path, read: once((signal) => readStore(path, { absences, limits }, signal)) });
  };
  if (authfile !== null) file(authfile, []);
  const inline = env['DOCKER_AUTH_CONFIG'];
  if (inline !== undefined && inline.trim() !== '')
    stores.push({ where: '$DOCKER_AUTH_CONFIG', read: () => Promise.resolve(inline) });
  if (env['REGISTRY_AUTH_FILE']) file(env['REGISTRY_AUTH_FILE']);
  if (env['XDG_RUNTIME_DIR']) file(join(env['XDG_RUNTIME_DIR'], 'containers/auth.json'));
  // Only a guess: the folder may be another user's.
  else if (runtimeFolder !== null) file(join(runtimeFolder, 'auth.json'), [...missing, 'EACCES', 'EPERM']);
  const config = env['XDG_CONFIG_HOME'] || (home === null ? null : join(home, '.config'));
  if (config !== null) file(join(config, 'containers/auth.json'));
  if (env['DOCKER_CONFIG']) file(join(env['DOCKER_CONFIG'], 'config.json'));
  if (home !== null) file(join(home, '.docker/config.json'));
  return stores;
}

/** The codes of errors that mean that a file is not there. */
const missing = ['ENOENT', 'ENOTDIR'];

/** Returns where podman keeps what it would keep in `$XDG_RUNTIME_DIR` (containers-auth.json(5)). */
function usualRuntimeFolder(): string | null {
  return process.platform === 'linux' ? `/run/containers/${process.getuid?.() ?? 0}` : null;
}

/** Returns a function that does the work once, and again only where it failed. */
function once<T>(work: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let result: Promise<T> | null = null;
  return (signal) => {
    if (result !== null) return result;
    const working = work(signal);
    working.catch(() => (result = null));
    return (result = working);
  };
}

async function readStore(
  path: string,
  {
    absences,
    limits,
  }: { readonly absences: readonly string[]; readonly limits: Pick<Limits, 'credential-bytes'> },
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const text = Buffer.from(await readGiven(path, { limit: 'credential-bytes', limits }, signal)).toString(
      'utf8',
    );
    // Docker and `podman login` make empty files that they fill later.
    return text.trim() === '' ? null : text;
  } catch (cause) {
    if (cause instanceof OcislimError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== undefined && absences.includes(code)) return null;
    throw new OcislimError('IO', `cannot read the credentials in ${path}: ${code ?? String(cause)}`, {
      cause,
    });
  }
}
