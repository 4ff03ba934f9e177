import { readSigningKey, type Signer } from '../../attest/signing-key.ts';
import { at, OcislimError } from '../../errors.ts';
import { fileError } from '../../files/file-error.ts';
import { readGiven } from '../../files/given-file.ts';
import type { Limits } from '../../limits.ts';
import type { Surroundings } from '../surroundings.ts';

/** What begins the name of an environment variable that holds a key, as cosign writes it. */
const variablePrefix = 'env://';

/** The process that has the key: its variables, files and passphrase. */
export interface KeyHolder extends Pick<Surroundings, 'env' | 'secrets' | 'signal'> {
  readonly limits: Limits;
}

/**
 * Reads the key of --sign-key, a file or `env://VARIABLE`, and opens it with the passphrase of the process. @throws USAGE, IO, LIMIT
 */
export async function openSigner(key: string, holder: KeyHolder): Promise<Signer> {
  const { secrets } = holder;
  const pem = await readKey(key, holder);
  return readSigningKey({ pem, passphrase: secrets.reveal('signKeyPassphrase'), where: `--sign-key ${key}` });
}

async function readKey(key: string, { env, limits, signal }: KeyHolder): Promise<string> {
  if (key === '') throw new OcislimError('USAGE', '--sign-key is empty: it takes a file, or env://VARIABLE');
  if (key.startsWith(variablePrefix)) {
    const name = key.slice(variablePrefix.length);
    const value = env[name];
    if (value !== undefined && value !== '') return value;
    throw new OcislimError('USAGE', `--sign-key ${key}: the variable ${name} is not set`);
  }
  if (/^[\w+-]+:\/\//.test(key))
    throw new OcislimError('USAGE', `--sign-key ${key}: a key is a file, or env://VARIABLE`, {
      advice: 'For a key management service, sign the published digest with cosign.',
    });
  try {
    const bound = { limit: 'credential-bytes', limits, what: `--sign-key ${key}` } as const;
    return Buffer.from(await readGiven(key, bound, signal)).toString('utf8');
  } catch (error) {
    throw at('--sign-key', fileError(`read ${JSON.stringify(key)}`, error));
  }
}
