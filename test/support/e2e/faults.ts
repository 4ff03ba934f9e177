import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesOf } from '../model/byte-string.ts';
import { buildGo } from './programs.ts';
import { writeServerImage } from './server-image.ts';

/**
 * Writes two images of fixtures/faults as OCI layouts below a folder, `server` and `job`, tag `v1`: one has a port to knock on. Every run
 * may need other files, but none `other/unused`.
 */
export async function buildFaults(work: string): Promise<void> {
  const built = join(work, 'faults-built');
  mkdirSync(built);
  const program = join(built, 'fault');
  await buildGo(fileURLToPath(new URL('../../../fixtures/faults/main.go', import.meta.url)), program, built);
  const files: Readonly<Record<string, string>> = {
    'data/second': 'the body\n',
    'data/third': 'the body\n',
    'data/later': 'later\n',
    'other/unused': 'unused\n',
    'locale/en': 'Good morning\n',
    'locale/de': 'Guten Morgen\n',
    'locale/fr': 'Bonjour\n',
  };
  const entries = [
    { name: 'fault', mode: 0o755, body: readFileSync(program) },
    ...Object.entries(files).map(([name, text]) => ({ name, body: bytesOf(text) })),
  ];
  const config = { Entrypoint: ['/fault'] };
  await writeServerImage(join(work, 'job'), { base: null, entries, config });
  const serving = { ...config, ExposedPorts: { '8080/tcp': {} } };
  await writeServerImage(join(work, 'server'), { base: null, entries, config: serving });
}
