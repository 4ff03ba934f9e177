/**
 * Runs Debian's docker-registry on a free loopback port, and reads its access log. Tests learn from the log which
 * blobs a command fetched, sent and mounted.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { get as getPlain, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { get as getTls } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, workFolder } from './programs.ts';
import { startTokenServer, type TokenServer } from './token-server.ts';
import { freePort } from './free-port.ts';

/** One line of the access log, written when the answer was sent in full. */
export interface LoggedRequest {
  readonly method: string;
  /** The path with its query. */
  readonly path: string;
  readonly status: number;
}

export interface RegistryOptions {
  /** Users and their passwords: the registry demands Basic authentication. */
  readonly users?: Readonly<Record<string, string>>;
  /** Users, and the lifetime of their tokens: the registry sends clients to a token server. */
  readonly tokens?: { readonly users: Readonly<Record<string, string>>; readonly seconds: number };
  /** The registry speaks TLS. With `clients`, it demands a certificate from their CA. All in PEM. */
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    readonly clients?: { readonly ca: string; readonly cert: string; readonly key: string };
  };
}

/** A docker-registry (distribution 2.8) with an empty storage of its own. */
export class DockerRegistry {
  readonly host: string;
  readonly folder: string;
  readonly tokens: TokenServer | undefined;
  readonly #child: ChildProcess;
  readonly #tls: RegistryOptions['tls'];
  #probes = 0;

  private constructor(
    host: string,
    folder: string,
    child: ChildProcess,
    tokens: TokenServer | undefined,
    tls: RegistryOptions['tls'],
  ) {
    this.host = host;
    this.folder = folder;
    this.tokens = tokens;
    this.#child = child;
    this.#tls = tls;
  }

  static async start(options: RegistryOptions = {}): Promise<DockerRegistry> {
    const folder = workFolder('registry');
    let failure: unknown;
    // Another process may take the free port before the registry does.
    for (let attempt = 0; attempt < 5; attempt++) {
      const port = await freePort();
      const tokens =
        options.tokens === undefined ? undefined : await startTokenServer(folder, options.tokens);
      const auth = await authentication(folder, options, tokens);
      const config = join(folder, 'config.json');
      await writeFile(
        config,
        // JSON is YAML.
        JSON.stringify({
          version: 0.1,
          log: { level: 'error', accesslog: { disabled: false } },
          storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
          http: { addr: `127.0.0.1:${port}`, ...(await tlsOf(folder, options.tls)) },
          ...(auth === undefined ? {} : { auth }),
        }),
      );
      const child = serve(folder, config);
      const registry = new DockerRegistry(`127.0.0.1:${port}`, folder, child, tokens, options.tls);
      try {
        await registry.#ready();
        return registry;
      } catch (error) {
        failure = error;
        await registry.#end();
      }
    }
    throw new Error(`docker-registry does not start: ${await readFile(join(folder, 'stderr'), 'utf8')}`, {
      cause: failure,
    });
  }

  /** Returns everything that was asked of the registry so far, in the order in which the answers ended. */
  async requests(): Promise<readonly LoggedRequest[]> {
    // Requests before this one are in the log as soon as this one is.
    const mark = `/v2/?probe=${++this.#probes}`;
    await this.#get(mark);
    for (;;) {
      const lines = parseLog(await readFile(join(this.folder, 'stdout'), 'utf8'));
      if (lines.some(({ path }) => path === mark))
        return lines.filter(({ path }) => !path.startsWith('/v2/?probe='));
      await sleep(10);
    }
  }

  /** Runs `work`, and returns what was asked meanwhile. */
  async during<T>(work: () => Promise<T>): Promise<{ result: T; requests: readonly LoggedRequest[] }> {
    const before = (await this.requests()).length;
    const result = await work();
    return { result, requests: (await this.requests()).slice(before) };
  }

  async stop(): Promise<void> {
    await this.#end();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      if (this.#child.exitCode !== null) throw new Error('docker-registry ended at once');
      const headers = await this.#get('/v2/').catch(() => undefined);
      if (headers?.['docker-distribution-api-version'] !== undefined && this.#child.exitCode === null) return;
      await sleep(50);
    }
    throw new Error('docker-registry does not answer');
  }

  /** Sends a GET, and returns the headers of the answer. */
  #get(path: string): Promise<IncomingHttpHeaders> {
    const tls = this.#tls;
    return new Promise((resolve, reject) => {
      const answered = (response: IncomingMessage): void => {
        response.resume().once('end', () => resolve(response.headers));
      };
      const request =
        tls === undefined
          ? getPlain(`http://${this.host}${path}`, answered)
          : getTls(
              `https://${this.host}${path}`,
              { ca: tls.cert, ...tls.clients, agent: false, rejectUnauthorized: false },
              answered,
            );
      request.on('error', reject);
    });
  }

  async #end(): Promise<void> {
    await this.tokens?.stop();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

function serve(folder: string, config: string): ChildProcess {
  const [stdout, stderr] = [openSync(join(folder, 'stdout'), 'w'), openSync(join(folder, 'stderr'), 'w')];
  const child = spawn('docker-registry', ['serve', config], {
    stdio: ['ignore', stdout, stderr],
    env: { PATH: process.env['PATH'], OTEL_TRACES_EXPORTER: 'none' },
  });
  closeSync(stdout);
  closeSync(stderr);
  // The registry ends with the tests, however they end.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

async function tlsOf(folder: string, tls: RegistryOptions['tls']): Promise<object> {
  if (tls === undefined) return {};
  const [certificate, key, ca] = ['server.crt', 'server.key', 'clients.crt'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await writeFile(certificate, tls.cert);
  await writeFile(key, tls.key);
  if (tls.clients !== undefined) await writeFile(ca, tls.clients.ca);
  return { tls: { certificate, key, ...(tls.clients === undefined ? {} : { clientcas: [ca] }) } };
}

async function authentication(
  folder: string,
  options: RegistryOptions,
  tokens: TokenServer | undefined,
): Promise<unknown> {
  if (tokens !== undefined) {
    const { realm, service, issuer, certificate } = tokens;
    return { token: { realm, service, issuer, rootcertbundle: certificate } };
  }
  if (options.users === undefined) return undefined;
  const lines = [];
  // docker-registry accepts bcrypt entries only.
  for (const [user, password] of Object.entries(options.users))
    lines.push((await run('htpasswd', ['-nbB', user, password])).trim());
  const path = join(folder, 'htpasswd');
  await writeFile(path, `${lines.join('\n')}\n`);
  return { htpasswd: { realm: 'test', path } };
}

/** Parses Apache's combined log format. */
function parseLog(log: string): LoggedRequest[] {
  const requests = [];
  for (const line of log.split('\n')) {
    const match = /^\S+ \S+ \S+ \[[^\]]*\] "([A-Z]+) (\S+) [^"]*" (\d{3}) /.exec(line);
    if (match === null) continue;
    const [, method = '', path = '', status = ''] = match;
    requests.push({ method, path, status: Number(status) });
  }
  return requests;
}

/** Returns the digests of blobs and configs that were read. HEAD requests do not count. */
export function fetchedBlobs(requests: readonly LoggedRequest[]): ReadonlySet<string> {
  return digests(requests, 'GET', /\/blobs\/(sha256:[0-9a-f]{64})$/);
}

/** Returns the digests of blobs that a repository got from another one without an upload. */
export function mountedBlobs(requests: readonly LoggedRequest[]): ReadonlySet<string> {
  const created = requests.filter(({ status }) => status === 201);
  return digests(created, 'POST', /[?&]mount=(sha256(?::|%3A)[0-9a-f]{64})/);
}

/** Returns the digests of blobs that were uploaded. */
export function uploadedBlobs(requests: readonly LoggedRequest[]): ReadonlySet<string> {
  return digests(requests, 'PUT', /\/blobs\/uploads\/.*[?&]digest=(sha256(?::|%3A)[0-9a-f]{64})/);
}

function digests(requests: readonly LoggedRequest[], method: string, pattern: RegExp): Set<string> {
  const found = new Set<string>();
  for (const request of requests) {
    const digest = request.method === method ? pattern.exec(request.path)?.[1] : undefined;
    if (digest !== undefined) found.add(digest.replace('%3A', ':'));
  }
  return found;
}
