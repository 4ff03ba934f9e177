/**
 * Builds the native engine with cargo and puts it where the loader looks for a local build: `npm run build:native`. The release
 * script calls it for other machines, with the platform as its argument.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type NativePlatform, nativePlatform, nativePlatforms } from '../src/codec/native-platform.ts';

const folder = fileURLToPath(new URL('../native/', import.meta.url));

/** The names of the platforms in Rust. */
const targets: Readonly<Record<NativePlatform, string>> = {
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'linux-arm64-gnu': 'aarch64-unknown-linux-gnu',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
};

const here = nativePlatform();
const [wanted = here] = process.argv.slice(2);
const platform = nativePlatforms.find((each) => each === wanted);
if (platform === undefined) {
  process.stderr.write(
    `no native engine is built for ${wanted ?? 'this machine'}: it takes ${nativePlatforms.join(', ')}\n`,
  );
  process.exit(2);
}

const target = platform === here ? [] : ['--target', targets[platform]];
// A library for musl is linked dynamically, as that of Node is.
const flags = platform.endsWith('-musl') ? { RUSTFLAGS: '-C target-feature=-crt-static' } : {};
// A build script asks cargo for the whole tree of crates offline, also for those of other platforms, which `build` alone does not fetch.
execFileSync('cargo', ['fetch'], { cwd: folder, stdio: 'inherit' });
execFileSync('cargo', ['build', '--release', ...target], {
  cwd: folder,
  stdio: 'inherit',
  env: { ...process.env, ...flags },
});
const built = join(folder, 'target', ...target.slice(1), 'release', 'libocislim_native.so');
const file = join(folder, `ocislim.${platform}.node`);
// A process that has the old file open keeps it.
copyFileSync(built, `${file}.new`);
renameSync(`${file}.new`, file);
process.stdout.write(`${file}\n`);
