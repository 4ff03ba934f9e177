/**
 * The way into the private network of a sandbox: a helper process in there connects to its loopback, and hands each connection over to this
 * process. Probes and published ports go through it; nothing in the sandbox can go out by it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { OcislimError } from '../../../errors.ts';
import type { PublishSetting } from '../../../probe/mounts.ts';
import type { Dial } from '../probes/dial.ts';
import { helperStart } from './helper-process.ts';

interface Pending {
  readonly resolve: (socket: Socket) => void;
  readonly reject: (error: Error) => void;
}

const advice =
  'Install util-linux (nsenter), or let the program use the network of this machine: --run-network host.';

/** The helper process and its connections. */
export class Gate implements Disposable {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #next = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (message: { readonly id?: number; readonly error?: string }, handle?: unknown) =>
      this.#answer(message, handle as Socket | undefined),
    );
    child.on('exit', () => {
      for (const { reject } of this.#pending.values())
        reject(new Error('the way into the sandbox is closed'));
      this.#pending.clear();
    });
  }

  /** Opens the way. `enter`: the words that run a program in the network. @throws UNSUPPORTED where that does not work here */
  static async open(enter: readonly string[]): Promise<Gate> {
    const helper = helperStart('gate-process', import.meta.url);
    const [program = '', ...args]: readonly string[] = [...enter, ...helper.words];
    // No variable of this process is needed there, and NODE_OPTIONS would change it. PATH finds nsenter.
    const env = { PATH: process.env['PATH'], ...helper.env };
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < 4096) said += text;
    });
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: Error | null) =>
        reject(
          new OcislimError(
            'UNSUPPORTED',
            `the private network of the program cannot be entered: ${cause?.message ?? said.split('\n', 1)[0] ?? ''}`,
            { cause, advice },
          ),
        );
      child.once('message', () => resolve());
      child.once('error', fail);
      child.once('close', () => fail(null));
    });
    return new Gate(child);
  }

  /** Connects to a port in there. */
  readonly dial: Dial = (port, signal) =>
    new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(new Error('the way into the sandbox is closed'));
      const id = this.#next++;
      const stop = () => {
        this.#pending.delete(id);
        reject(signal.reason as Error);
      };
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      const done = () => signal.removeEventListener('abort', stop);
      this.#pending.set(id, {
        resolve: (socket) => {
          done();
          socket.on('error', () => {});
          resolve(socket);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      this.#child.send({ id, port }, (error) => {
        if (error !== null) this.#answer({ id, error: error.message }, undefined);
      });
    });

  #answer(
    { id, error }: { readonly id?: number; readonly error?: string },
    socket: Socket | undefined,
  ): void {
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (id !== undefined) this.#pending.delete(id);
    if (pending === undefined) socket?.destroy();
    else if (socket === undefined) pending.reject(new Error(error ?? 'no connection'));
    else pending.resolve(socket);
  }

  [Symbol.dispose](): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#child.kill('SIGKILL');
  }
}

/** Relays connections to a port of this machine to one of the program, as long as it is not disposed of. */
export class Publication implements AsyncDisposable {
  readonly #server: Server;
  readonly #stop: AbortController;
  /** The address that a person can open: "127.0.0.1:8080". */
  readonly address: string;
  readonly to: number;

  private constructor(server: Server, stop: AbortController, to: number) {
    this.#server = server;
    this.#stop = stop;
    this.to = to;
    const bound = server.address();
    this.address =
      bound === null || typeof bound === 'string'
        ? ''
        : `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
  }

  /** Begins to listen. @throws IO where the port is taken */
  static async open({ host, from, to }: PublishSetting, dial: Dial): Promise<Publication> {
    const stop = new AbortController();
    const sockets = new Set<Socket>();
    const server = createServer(
      { allowHalfOpen: true },
      (outer) => void relay(outer, sockets, () => dial(to, stop.signal)),
    );
    stop.signal.addEventListener('abort', () => {
      for (const socket of sockets) socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(
          new OcislimError('IO', `cannot listen on ${host}:${from}: ${cause.message}`, {
            cause,
            advice: 'Publish another port: --run-publish PORT:PORT.',
          }),
        ),
      );
      server.listen({ host, port: from }, resolve);
    });
    return new Publication(server, stop, to);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** Connects two sockets until both have ended. */
async function relay(outer: Socket, sockets: Set<Socket>, dial: () => Promise<Socket>): Promise<void> {
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  };
  keep(outer);
  outer.on('error', () => outer.destroy());
  try {
    const inner = await dial();
    keep(inner);
    outer.on('close', () => inner.destroy());
    inner.on('close', () => outer.destroySoon());
    outer.pipe(inner);
    inner.pipe(outer);
  } catch {
    outer.destroy();
  }
}
