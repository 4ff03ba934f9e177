/**
 * Makes executables of one file: Node with the bundled program inside, as Node's own `--build-sea` does it. The parts of the program
 * and its threads are assets. The native engine cannot be inside, and is a file beside it.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripElf } from './elf.ts';
import type { ReleaseFile } from './files.ts';
import { root } from './manifest.ts';
import { hashbang } from './program.ts';
import type { Runtime } from './runtimes.ts';

/**
 * Makes an executable for the architecture of a Node. This Node, which must have the same version, puts the program in, whatever it
 * runs on: nothing compiled is inside, so the bytes depend on the program and on Node alone.
 */
export function makeExecutable(runtime: Runtime, program: readonly ReleaseFile[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'ocislim-executable-'));
  try {
    writeFileSync(join(folder, 'node'), stripElf(readFileSync(runtime.executable)), { mode: 0o755 });
    copyFileSync(join(root, 'scripts/release/program/inside.cjs'), join(folder, 'inside.cjs'));
    const parts = program.filter(({ path }) => path.endsWith('.cjs'));
    for (const { path, bytes } of parts) writeFileSync(join(folder, path), withoutHashbang(bytes));
    const config = configOf(parts.map(({ path }) => path));
    writeFileSync(join(folder, 'sea.json'), JSON.stringify(config));
    // Names in the config are relative, so that the name of this folder does not get inside.
    execFileSync(process.execPath, ['--build-sea', 'sea.json'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return readFileSync(join(folder, 'ocislim'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the config for `--build-sea`. */
function configOf(parts: readonly string[]): object {
  return {
    main: 'inside.cjs',
    executable: 'node',
    output: 'ocislim',
    disableExperimentalSEAWarning: true,
    // NODE_OPTIONS is for programs of Node. This is one of its own.
    execArgvExtension: 'none',
    assets: Object.fromEntries(parts.map((path) => [path, path])),
  };
}

/** Removes the line for shells, which a part inside of an executable does not need. */
function withoutHashbang(bytes: Uint8Array): Uint8Array {
  const line = Buffer.from(hashbang);
  return line.equals(bytes.subarray(0, line.length)) ? bytes.subarray(line.length) : bytes;
}
