import { spawn } from 'node:child_process';
import { OcislimError } from '../../errors.ts';
import type { Credential } from './credential.ts';
import { printable } from '../printable.ts';
import { Secret } from './secret.ts';
import { MiB } from '../../units.ts';

export interface HelperLimits {
  readonly milliseconds: number;
  readonly bytes: number;
}

export interface HelperSetting {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file that names the helper, for messages. */
  readonly where?: string | null;
}

const helperLimits: HelperLimits = { milliseconds: 10_000, bytes: MiB };

/**
 * Asks `docker-credential-NAME get` (docker-credential-helpers, "Development"): the server on its stdin, JSON on its
 * stdout. Null when the helper has nothing for the server.
 * @throws UNAUTHORIZED when it fails otherwise: going on without credentials would hide that.
 */
export async function askHelper(
  name: string,
  server: string,
  { env, where = null }: HelperSetting,
  signal: AbortSignal,
  limits: HelperLimits = helperLimits,
): Promise<Credential | null> {
  // Longer ones the system would not even try.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
    throw new OcislimError(
      'UNAUTHORIZED',
      `"${printable(name, 60)}" is not the name of a credential helper`,
      {
        advice: `Look for credHelpers and credsStore in ${where ?? 'the file with the credentials'}.`,
      },
    );
  }
  const { code, stdout, stderr } = await run(name, server, env, signal, limits);
  if (code !== 0) {
    const said = `${stdout}\n${stderr}`;
    // The protocol has no status for this; Docker compares this sentence.
    if (/credentials not found in native keychain/i.test(said)) return null;
    throw failed(name, `it exited with ${code}${firstWord(said)}`);
  }
  return readAnswer(name, stdout);
}

function failed(name: string, why: string): OcislimError {
  return new OcislimError('UNAUTHORIZED', `the credential helper docker-credential-${name} failed: ${why}`, {
    advice: 'Repair the helper, or give --creds USER:PASSWORD.',
  });
}

/**
 * A failure's text is made to be read: its first line, without control characters. But not of an answer that came all
 * the same, which is secrets.
 */
function firstWord(said: string): string {
  const line = said.split('\n').find((each) => each.trim() !== '');
  return line === undefined || /^\s*[{[]|"secret"/im.test(said) ? '' : `: ${printable(line.trim())}`;
}

function readAnswer(name: string, stdout: string): Credential | null {
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch {
    throw failed(name, 'it did not answer with JSON');
  }
  const { Username: username, Secret: secret } = (value ?? {}) as {
    readonly Username?: unknown;
    readonly Secret?: unknown;
  };
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw failed(name, 'its answer has no Username and Secret');
  // Some say so that they have nothing.
  if (username === '' && secret === '') return null;
  return username === '<token>'
    ? { kind: 'identity', username, token: new Secret(secret) }
    : { kind: 'basic', username, password: new Secret(secret) };
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  name: string,
  input: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  limits: HelperLimits,
): Promise<Outcome> {
  signal.throwIfAborted();
  const child = spawn(`docker-credential-${name}`, ['get'], {
    env: withoutOurs(env),
    stdio: ['pipe', 'pipe', 'pipe'],
    shell: false,
  });
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const fail = (error: unknown): void => {
    child.kill('SIGKILL');
    // A grandchild may keep the pipes open.
    child.stdout.destroy();
    child.stderr.destroy();
    reject(error);
  };
  const onAbort = (): void => fail(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(
    () => fail(failed(name, `it did not answer within ${limits.milliseconds / 1000} seconds`)),
    limits.milliseconds,
  );
  const gather = (stream: NodeJS.ReadableStream): Buffer[] => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limits.bytes) fail(failed(name, `its answer is longer than ${limits.bytes} bytes`));
      else chunks.push(chunk);
    });
    return chunks;
  };
  const stdout = gather(child.stdout);
  const stderr = gather(child.stderr);
  child.on('error', (error: NodeJS.ErrnoException) => {
    fail(
      failed(
        name,
        error.code === 'ENOENT' ? 'it is not installed' : `it cannot run (${error.code ?? error.message})`,
      ),
    );
  });
  child.on('close', (code) => {
    resolve({
      code: code ?? 1,
      stdout: Buffer.concat(stdout).toString('utf8'),
      stderr: Buffer.concat(stderr).toString('utf8'),
    });
  });
  // A helper that does not read its input is its own affair.
  child.stdin.on('error', () => {});
  child.stdin.end(`${input}\n`);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** Our own options may hold secrets (OCISLIM_CREDS) that are none of the helper's business. */
function withoutOurs(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith('OCISLIM_')));
}
