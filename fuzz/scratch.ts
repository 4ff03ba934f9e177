import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes a folder for what targets read from files. It is removed when the thread ends by itself, else with the
 * folder of the whole run.
 */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ocislim-fuzz-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
