/**
 * Runs the programs of others that the end-to-end tests need, and makes folders for them to work in. A missing
 * program is an error that names its Debian package, never a skipped test.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, closeSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Every program that the end-to-end tests run, with the Debian package that holds it. */
const packages: Readonly<Record<string, string>> = {
  mmdebstrap: 'mmdebstrap',
  buildah: 'buildah',
  skopeo: 'skopeo',
  umoci: 'umoci',
  'docker-registry': 'docker-registry',
  bwrap: 'bubblewrap',
  htpasswd: 'apache2-utils',
  openssl: 'openssl',
  jq: 'jq',
  pigz: 'pigz',
  igzip: 'isal',
  zstd: 'zstd',
  setcap: 'libcap2-bin',
  setfattr: 'attr',
  tar: 'tar',
  readelf: 'binutils',
  mandoc: 'mandoc',
  ldd: 'libc-bin',
  '/usr/bin/chromium': 'chromium',
  '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf': 'fonts-dejavu-core',
  '/usr/bin/python3': 'python3',
  '/usr/bin/time': 'time',
  strace: 'strace',
  curl: 'curl',
  tmux: 'tmux',
  ps: 'procps',
  shellcheck: 'shellcheck',
  'qemu-aarch64-static': 'qemu-user-static',
  gosu: 'gosu',
  newuidmap: 'uidmap',
  apparmor_parser: 'apparmor',
  ncdu: 'ncdu',
  go: 'golang-go',
  '/usr/share/go-1.19/src/archive/tar/testdata/gnu.tar': 'golang-1.19-src',
  '/usr/lib/python3.11/test/testtar.tar': 'libpython3.11-testsuite',
};

/** Those that no Debian package holds: `.ci/install-judges` installs them. */
const judges = ['actionlint', 'check-jsonschema', 'dive', 'kubernetes-validate', 'pyspdxtools'];

/** Those that only the whole of the tests needs: each takes minutes to build. */
const judgesOfAll = ['syft', 'cosign', 'crane', 'regctl'];

/** Those with which the images that only the whole of the tests has are built. */
const packagesOfAll: Readonly<Record<string, string>> = {
  pip: 'python3-pip',
  javac: 'default-jdk-headless',
};

/** Checks that every program is there and the user is root. @throws Error naming the packages to install */
export function requirePrograms(): void {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  const isMissing = (program: string) =>
    program.startsWith('/')
      ? !existsSync(program)
      : !path.some((folder) => existsSync(join(folder, program)));
  const isWhole = process.env['OCISLIM_TESTS'] === 'all';
  const needed = { ...packages, ...(isWhole ? packagesOfAll : {}) };
  const missing = Object.keys(needed).filter(isMissing);
  if (missing.length > 0) {
    const names = [...new Set(missing.map((program) => needed[program]))];
    throw new Error(
      `The end-to-end tests need ${missing.join(', ')}: apt-get install --no-install-recommends ${names.join(' ')}`,
    );
  }
  const absent = [...judges, ...(isWhole ? judgesOfAll : [])].filter(isMissing);
  if (absent.length > 0)
    throw new Error(`The end-to-end tests need ${absent.join(', ')}: run .ci/install-judges`);
  if (process.getuid?.() !== 0)
    throw new Error(
      'The end-to-end tests must run as root: they unpack images with their owners and devices.',
    );
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Files to use as standard input and output. */
  readonly input?: string;
  readonly output?: string;
}

/** Runs a program to its end, whatever its exit status is. */
export function runToEnd(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const input = options.input === undefined ? 'ignore' : openSync(options.input, 'r');
  const output = options.output === undefined ? 'pipe' : openSync(options.output, 'w');
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [input, output, 'pipe'],
      env: { ...process.env, ...options.env },
    });
    for (const fd of [input, output]) if (typeof fd === 'number') closeSync(fd);
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (cause) => reject(new Error(`cannot run ${program}: ${cause.message}`, { cause })));
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}

/** Runs a program, and returns its standard output. @throws Error with its last lines when it fails */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { status, signal, stdout, stderr } = await runToEnd(program, args, options);
  if (status !== 0) {
    throw new Error(`${program} ${args.join(' ')}: ended with ${status ?? signal}\n${stderr.slice(-4000)}`);
  }
  return stdout;
}

/** Builds a Go program from one source that needs no module. What the tests of this machine compile is shared, and kept for later ones. */
export async function buildGo(source: string, program: string, home: string): Promise<void> {
  const env = {
    HOME: home,
    GOCACHE: join(tmpdir(), 'ocislim-go-cache'),
    GO111MODULE: 'off',
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '0',
  };
  await run('go', ['build', '-o', program, source], { env });
}

/** Makes a folder for large short-lived trees: in memory where there is room, else where temporary files go. */
export function workFolder(name: string): string {
  let parent = tmpdir();
  if (existsSync('/dev/shm')) {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize > 8e9) parent = '/dev/shm';
  }
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, `ocislim-${name}-`));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
