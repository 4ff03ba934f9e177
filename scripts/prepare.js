/**
 * Builds dist/ when npm has installed a checkout (`prepare` in package.json). Without the packages for development nothing can be
 * built, and the installation must not fail. Plain JavaScript, since npm runs it on the Node of the user.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

if (['typescript', 'rolldown'].every((name) => existsSync(`${root}node_modules/${name}`))) {
  const { status } = spawnSync('npm', ['run', 'build'], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
} else {
  process.stderr.write(
    'ocislim: dist/ was not built, because the packages for development are left out. Run "npm ci" to build it.\n',
  );
}
