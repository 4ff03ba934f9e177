/**
 * Checks, tests and builds the native engine where cargo can: `npm run check:native`. Without cargo, with an old one, or without its
 * registry, it says so and succeeds, since nothing needs the engine. `--report FILE` writes how many tests passed, as vitest does.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { countCargoTests } from './cargo-tests.ts';

const folder = fileURLToPath(new URL('../native/', import.meta.url));
const { values } = parseArgs({ options: { report: { type: 'string' } } });
if (values.report !== undefined) rmSync(values.report, { force: true });

const reason = whyNot();
if (reason === null) checkAll();
else process.stdout.write(`the native engine is neither built nor tested: ${reason}\n`);

/** Returns why cargo cannot build the engine here; null where it can. */
function whyNot(): string | null {
  const cargo = spawnSync('cargo', ['--version'], { encoding: 'utf8' });
  if (cargo.status !== 0) return 'there is no cargo';
  const [, major = '0', minor = '0'] = /^cargo (\d+)\.(\d+)/.exec(cargo.stdout) ?? [];
  const [, needed = '0'] =
    /^rust-version = "1\.(\d+)"/m.exec(readFileSync(`${folder}Cargo.toml`, 'utf8')) ?? [];
  if (Number(major) < 1 || (Number(major) === 1 && Number(minor) < Number(needed)))
    return `${cargo.stdout.trim()} is older than 1.${needed}`;
  if (spawnSync('cc', ['--version']).status !== 0) return 'there is no C compiler';
  const fetched = spawnSync('cargo', ['fetch'], { cwd: folder, encoding: 'utf8' });
  return fetched.status === 0 ? null : `cargo cannot fetch its crates: ${fetched.stderr.trim()}`;
}

/** Returns whether cargo has a component, which a toolchain may come without, and says so if it does not. */
function has(component: string): boolean {
  const isThere = spawnSync('cargo', [component, '--version']).status === 0;
  if (!isThere) process.stdout.write(`cargo ${component} is not installed: left out\n`);
  return isThere;
}

function checkAll(): void {
  const cargo = (...args: string[]) => execFileSync('cargo', args, { cwd: folder, stdio: 'inherit' });
  if (has('fmt')) cargo('fmt', '--check');
  if (has('clippy')) cargo('clippy', '--release', '--all-targets', '--', '-D', 'warnings');
  // With the profile of the build, so that the crates are compiled once.
  const tests = spawnSync('cargo', ['test', '--release'], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.stdout.write(tests.stdout);
  if (values.report !== undefined)
    writeFileSync(values.report, JSON.stringify(countCargoTests(tests.stdout)));
  if (tests.status !== 0) process.exit(1);
  execFileSync(process.execPath, [fileURLToPath(new URL('./build-native.ts', import.meta.url))], {
    stdio: 'inherit',
  });
}
