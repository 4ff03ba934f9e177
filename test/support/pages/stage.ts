/**
 * A folder and a registry for the examples of one page, and the shell that runs them with the real program. test/pages/examples.test.ts
 * opens one for each page, and runs the page's blocks in it one after the other.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RegistryServer, serveRegistry } from '../../../src/store/server/serve-registry.ts';
import { writeLayout } from '../image-builder.ts';
import { pageImages } from './images.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const path = [join(root, 'bin'), dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);

/** Hosts that stand for any registry in the pages. */
const anyHost = /\b(?:localhost:5000|[a-z]+\.example)(?=[/\s"']|$)/gm;

/** Files that examples read, in every folder. */
const files: Readonly<Record<string, string>> = {
  'app.trace': '/app/main\n',
  'start.strace': 'openat(AT_FDCWD, "/app/main", O_RDONLY) = 3\n',
  'load.strace': 'openat(AT_FDCWD, "/app/model.bin", O_RDONLY) = 3\n',
  'app.strace': [
    'execve("/app/main", ["/app/main"], 0x7ffd /* 3 vars */) = 0',
    'brk(NULL) = 0x5500',
    'rt_sigprocmask(SIG_BLOCK, NULL, [], 8) = 0',
    'close(3) = 0',
    'arch_prctl(0x3001, 0x7ffd) = -1 EINVAL (Invalid argument)',
    'set_tid_address(0x7f00) = 7',
    'prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}) = 0',
    'openat(AT_FDCWD, "/app/model.bin", O_RDONLY) = 3',
    'exit_group(0) = ?',
    '+++ exited with 0 +++',
    '',
  ].join('\n'),
  'plan.yaml': 'version: 1\nprune: { shadowed: true }\n',
};

/** What a run of a program gave. */
export interface Ran {
  readonly status: number;
  /** Standard output, then standard error. */
  readonly output: string;
}

/** The folders that all stages of a test run share. */
export class Stages {
  #folder = '';

  /** Makes the layouts that every stage gets a copy of. */
  async open(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'ocislim-examples-'));
    const images = pageImages();
    await writeLayout(join(this.#folder, 'registry'), images);
    const { 'app:1': app } = images;
    if (app !== undefined) await writeLayout(join(this.#folder, 'app'), { 1: app });
  }

  /** Opens a stage for a page. */
  async stageFor(page: string): Promise<Stage> {
    const folder = join(this.#folder, page.replaceAll('/', '-'));
    await mkdir(join(folder, 'here'), { recursive: true });
    await cp(join(this.#folder, 'registry'), join(folder, 'registry'), { recursive: true });
    await cp(join(this.#folder, 'app'), join(folder, 'here/app'), { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'here', name), text);
    const stop = new AbortController();
    return new Stage(
      folder,
      await serveRegistry({ layoutDir: join(folder, 'registry'), signal: stop.signal }),
    );
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** One page's folder and registry. */
export class Stage {
  readonly #folder: string;
  readonly #server: RegistryServer;

  constructor(folder: string, server: RegistryServer) {
    this.#folder = folder;
    this.#server = server;
  }

  /** Runs lines of a page's shell in its folder, with its registry for every host. */
  runShell(lines: string): Promise<Ran> {
    return this.#run('/bin/sh', ['-euc', this.#located(lines)], join(this.#folder, 'here'));
  }

  /** Runs a program of a page. The name of the package means this package. */
  runProgram(code: string): Promise<Ran> {
    return this.#run(process.execPath, ['--input-type=module', '-e', this.#located(code)], root);
  }

  /** Writes a file into the page's folder. */
  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.#folder, 'here', name), this.#located(text));
  }

  /** Writes the page's name of the registry for its host and port in what a program printed. */
  named(output: string, page: string): string {
    const names = page.match(anyHost) ?? [];
    const name = names.find((each) => each === 'registry.example') ?? names[0] ?? 'localhost:5000';
    return output.replaceAll(this.#server.host, name);
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  #located(text: string): string {
    return text.replaceAll(anyHost, this.#server.host);
  }

  /** Runs a program with none of the settings of the developer. */
  #run(file: string, args: readonly string[], cwd: string): Promise<Ran> {
    const options = { cwd, env: { PATH: path, HOME: this.#folder, TMPDIR: this.#folder } };
    return new Promise((resolve) => {
      execFile(file, args, options, (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ status, output: stdout + stderr });
      });
    });
  }
}
