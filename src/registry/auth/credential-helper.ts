/**
 * Credential helpers of Docker: programs that keep passwords in a keychain and print one when asked
 * (docker-credential-helpers, "Development"). The look-up of credentials asks them for hosts that a config file assigns to one.
 */
import { spawn } from 'node:child_process';
import { OcislimError } from '../../errors.ts';
import { MiB } from '../../units.ts';
import { printable } from '../printable.ts';
import type { Credential } from './credential.ts';
import { Secret } from './secret.ts';

/** The bounds of a helper's answer. */
export interface HelperLimits {
  readonly milliseconds: number;
  readonly bytes: number;
}

/** How to run a helper. */
export interface HelperSetting {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file that names the helper, for messages. */
  readonly where?: string | null;
  /** Default: 10 seconds and 1 MiB. */
  readonly limits?: HelperLimits;
}

const usualLimits: HelperLimits = { milliseconds: 10_000, bytes: MiB };

/**
 * Asks `docker-credential-NAME get`: the server on its stdin, JSON on its stdout. Returns null when the helper has no
 * credential for the server.
 * @throws UNAUTHORIZED when it fails otherwise: an anonymous attempt would hide that
 */
export async function askHelper(
  name: string,
  server: string,
  setting: HelperSetting,
  signal: AbortSignal,
): Promise<Credential | null> {
  // The system does not run a program with a longer name.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
    throw new OcislimError(
      'UNAUTHORIZED',
      `"${printable(name, 60)}" is not the name of a credential helper`,
      {
        advice: `Look for credHelpers and credsStore in ${setting.where ?? 'the file with the credentials'}.`,
      },
    );
  }
  const { code, stdout, stderr } = await new HelperRun(name, setting).run(server, signal);
  if (code !== 0) {
    const said = `${stdout}\n${stderr}`;
    // The protocol has no exit status for this; Docker compares the sentence.
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

/** Returns the first line of a failure, without control characters; nothing of an answer that came with it, which is secret. */
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
  // Some helpers answer so when they have no credential.
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

/** One run of a helper, ended when it takes too long, says too much, or is cancelled. */
class HelperRun {
  readonly #name: string;
  readonly #limits: HelperLimits;
  readonly #env: NodeJS.ProcessEnv;
  readonly #outcome = Promise.withResolvers<Outcome>();

  constructor(name: string, { env, limits = usualLimits }: HelperSetting) {
    this.#name = name;
    this.#limits = limits;
    this.#env = withoutOurs(env);
  }

  async run(input: string, signal: AbortSignal): Promise<Outcome> {
    signal.throwIfAborted();
    const { milliseconds } = this.#limits;
    const child = spawn(`docker-credential-${this.#name}`, ['get'], {
      env: this.#env,
      stdio: ['pipe', 'pipe', 'pipe'],
      shell: false,
    });
    const fail = (error: unknown): void => {
      child.kill('SIGKILL');
      // A grandchild may keep the pipes open.
      child.stdout.destroy();
      child.stderr.destroy();
      this.#outcome.reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const late = `it did not answer within ${milliseconds / 1000} seconds`;
    const timer = setTimeout(() => fail(failed(this.#name, late)), milliseconds);
    const [stdout, stderr] = [this.#gather(child.stdout, fail), this.#gather(child.stderr, fail)];
    child.on('error', (error) => fail(this.#notStarted(error)));
    child.on('close', (code) =>
      this.#outcome.resolve({ code: code ?? 1, stdout: textOf(stdout), stderr: textOf(stderr) }),
    );
    // A helper may end without having read its input.
    child.stdin.on('error', () => {});
    child.stdin.end(`${input}\n`);
    try {
      return await this.#outcome.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  #gather(stream: NodeJS.ReadableStream, fail: (error: unknown) => void): readonly Buffer[] {
    const { bytes } = this.#limits;
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > bytes) fail(failed(this.#name, `its answer is longer than ${bytes} bytes`));
      else chunks.push(chunk);
    });
    return chunks;
  }

  #notStarted({ code, message }: NodeJS.ErrnoException): OcislimError {
    const why = code === 'ENOENT' ? 'it is not installed' : `it cannot run (${code ?? message})`;
    return failed(this.#name, why);
  }
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}

/** Removes the program's own variables: they may hold secrets (OCISLIM_CREDS) that are not for the helper. */
function withoutOurs(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith('OCISLIM_')));
}
