/**
 * Makes executables of one file: Node with the bundled program inside, as Node's own `--build-sea` does it. The program's threads are
 * assets. The native engine cannot be inside, and is a file beside it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripElf } from './elf.ts';
import type { ReleaseFile } from './files.ts';
import { hashbang } from './program.ts';
import type { Architecture, Runtime } from './runtimes.ts';

/** The Debian packages qemu-user-static and libstdc++6-arm64-cross, which let Node for arm64 run here. */
const emulator = { program: '/usr/bin/qemu-aarch64-static', root: '/usr/aarch64-linux-gnu' };

/** Compiled code holds hashes of its strings. Their seed is random, unless V8's randomness has a seed of its own. */
const seeded = ['--random-seed=1'];

/** A made executable. */
export interface Executable {
  readonly bytes: Uint8Array;
  /** Whether the compiled program is inside too, which only a Node of the same architecture can make. It starts sooner. */
  readonly hasCodeCache: boolean;
}

/** Makes the executable of an architecture. The bytes depend on the program and on Node alone. */
export function makeExecutable(runtime: Runtime, program: readonly ReleaseFile[]): Executable {
  const folder = mkdtempSync(join(tmpdir(), 'ocislim-executable-'));
  try {
    writeFileSync(join(folder, 'node'), stripElf(readFileSync(runtime.executable)), { mode: 0o755 });
    for (const { path, bytes } of program) writeFileSync(join(folder, path), withoutHashbang(bytes));
    const compiler = compilerFor(runtime);
    writeFileSync(join(folder, 'sea.json'), JSON.stringify(configOf(program, compiler !== null)));
    const [command = process.execPath, ...args] = compiler ?? [];
    // Names in the config are relative, so that the name of this folder does not get inside.
    execFileSync(command, [...args, ...seeded, '--build-sea', 'sea.json'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return { bytes: readFileSync(join(folder, 'ocislim')), hasCodeCache: compiler !== null };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the config for `--build-sea`. */
function configOf(program: readonly ReleaseFile[], useCodeCache: boolean): object {
  const threads = program.map(({ path }) => path).filter((path) => path.endsWith('-worker.cjs'));
  return {
    main: 'ocislim.cjs',
    executable: 'node',
    output: 'ocislim',
    disableExperimentalSEAWarning: true,
    useCodeCache,
    // NODE_OPTIONS is for programs of Node, and flags of V8 in it would make the compiled code unfit.
    execArgvExtension: 'none',
    // Should the code be unfit all the same, ocislim starts later, which is not worth a warning.
    execArgv: ['--disable-warning=Warning'],
    assets: Object.fromEntries(threads.map((path) => [path, path])),
  };
}

/** Returns how to run Node for an architecture here; null where that is impossible. */
function compilerFor({ architecture, executable }: Runtime): readonly string[] | null {
  if (architecture === process.arch) return [executable];
  const { program, root } = emulator;
  return canEmulate(architecture) ? [program, '-L', root, executable] : null;
}

function canEmulate(architecture: Architecture): boolean {
  return (
    architecture === 'arm64' &&
    existsSync(emulator.program) &&
    existsSync(join(emulator.root, 'lib/libstdc++.so.6'))
  );
}

/** Removes the line for shells, which is not JavaScript inside of an executable. */
function withoutHashbang(bytes: Uint8Array): Uint8Array {
  const line = Buffer.from(hashbang);
  return line.equals(bytes.subarray(0, line.length)) ? bytes.subarray(line.length) : bytes;
}
