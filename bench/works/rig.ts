/**
 * Provides an image in every form that contenders need, and the registries that they use. Each form is made when it
 * is first needed.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDockerSave } from '../inputs/docker-save.ts';
import { readLayers } from '../inputs/layout-files.ts';
import { runQuietly, type RunOptions } from '../measure/account.ts';
import { program } from '../measure/command.ts';
import { startCountingProxy } from '../measure/counting-proxy.ts';
import { startRegistry, type LoopbackRegistry } from '../measure/loopback-registry.ts';
import { ocislimArgv } from '../rivals/ocislim.ts';
import type { Form, Task } from './work.ts';

/** A task whose registries are behind counting proxies. */
export interface CountedTask {
  readonly task: Task;
  readonly moved: () => { readonly downloaded: number; readonly uploaded: number };
  readonly close: () => Promise<void>;
}

/** The places of an image, in every form. */
export class Rig {
  readonly #name: string;
  readonly #layout: string;
  readonly #folder: string;
  readonly #options: RunOptions;
  #registries: { readonly source: LoopbackRegistry; readonly target: LoopbackRegistry } | undefined;

  constructor(name: string, layout: string, options: RunOptions) {
    this.#name = name;
    this.#layout = layout;
    this.#folder = join(options.folder, 'rig');
    this.#options = options;
    mkdirSync(this.#folder, { recursive: true });
  }

  /** Makes the image available in a form. @throws Error where something that the form needs is missing */
  async prepare(form: Form): Promise<void> {
    if (form === 'registry' && this.#registries === undefined) await this.#serve();
    if (form === 'archive' && !existsSync(this.#archive))
      await writeDockerSave(this.#layout, this.#archive, this.#options);
  }

  /** @param sibling another layout, used in place of the image's */
  task(sibling?: string): Task {
    return this.#task(this.#registries?.source.host, this.#registries?.target.host, sibling);
  }

  async counted(): Promise<CountedTask> {
    if (this.#registries === undefined) throw new Error('there is no registry');
    const source = await startCountingProxy(this.#registries.source.host);
    const target = await startCountingProxy(this.#registries.target.host);
    return {
      task: this.#task(source.host, target.host),
      moved: () => ({
        downloaded: source.received() + target.received(),
        uploaded: source.sent() + target.sent(),
      }),
      close: async () => {
        await Promise.all([source.close(), target.close()]);
      },
    };
  }

  /** Empties the registry that results go to. */
  clear(): void {
    this.#registries?.target.clear();
  }

  async stop(): Promise<void> {
    await this.#registries?.source.stop();
    await this.#registries?.target.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #archive(): string {
    return join(this.#folder, 'image.tar');
  }

  #task(source = 'none', target = 'none', layout = this.#layout): Task {
    return {
      layout,
      layers: existsSync(layout) ? readLayers(layout) : [],
      registry: { source: `${source}/${this.#name}:v1`, target: `${target}/${this.#name}:result` },
      archive: this.#archive,
      folder: join(this.#options.folder, 'run'),
    };
  }

  async #serve(): Promise<void> {
    const { env, signal } = this.#options;
    const path = env['PATH'] ?? '';
    const source = await startRegistry(join(this.#folder, 'source'), path, signal);
    try {
      const copy = ocislimArgv('copy', `oci:${this.#layout}:v1`, `${source.host}/${this.#name}:v1`, '-q');
      await runQuietly(program(...copy), this.#options);
      const target = await startRegistry(join(this.#folder, 'target'), path, signal);
      this.#registries = { source, target };
    } catch (error) {
      await source.stop();
      throw error;
    }
  }
}
