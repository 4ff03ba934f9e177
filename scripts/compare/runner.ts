/**
 * Keeps one process for the commands of one checkout, since starting a process takes longer than most commands. A lane of
 * scripts/compare-checkouts.ts has two of these, and run-case.ts gives them the steps of a case.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Checkout } from './checkout.ts';
import { cleanEnvironment, type Ended, maxSeconds } from './process.ts';
import type { Order } from './runner-process.ts';

const script = fileURLToPath(new URL('./runner-process.ts', import.meta.url));

/** Runs command lines of one checkout in one process that stays, one at a time. A lane has a runner for each checkout. */
export class Runner {
  readonly #checkout: Checkout;
  #child: ChildProcess | null = null;
  /** What the process itself has written to standard error: the reason why it could not start, or has ended. */
  #stderr = '';

  constructor(checkout: Checkout) {
    this.#checkout = checkout;
  }

  /** Runs a command in a folder. Where it ends the whole process, the status is null and the next one gets a new process. */
  async run(args: readonly string[], folder: string): Promise<Ended> {
    const child = (this.#child ??= await this.#start());
    const order: Order = { args, folder, temporary: join(folder, 'tmp') };
    const settled = new AbortController();
    const answer = once(child, 'message', settled).then(([ended]) => ended as Ended);
    const death = once(child, 'exit', settled).then(() => null);
    const timer = setTimeout(() => child.kill('SIGKILL'), maxSeconds * 1000);
    child.send(order);
    const ended = await Promise.race([answer, death]);
    clearTimeout(timer);
    settled.abort();
    if (ended !== null) return ended;
    this.#child = null;
    return { status: null, stdout: Buffer.alloc(0), stderr: `the process ended\n${this.#stderr}` };
  }

  close(): void {
    this.#child?.kill();
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(script, [this.#checkout.module], {
      env: cleanEnvironment(tmpdir()),
      serialization: 'advanced',
      silent: true,
    });
    // A command that reads standard input finds it empty.
    child.stdin?.end();
    child.stdout?.resume();
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-1000);
    });
    const death = once(child, 'exit').then(() => {
      throw new Error(`${this.#checkout.module} cannot be loaded:\n${this.#stderr}`);
    });
    await Promise.race([once(child, 'message'), death]);
    return child;
  }
}
