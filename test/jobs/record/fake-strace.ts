import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for PATH, in which `strace` says and does what a test needs. */
export interface FakeStrace extends AsyncDisposable {
  readonly folder: string;
}

/** Makes a shell script a `strace`; null for a folder without it. The script has its folder in $HERE. */
export async function fakeStrace(script: string | null): Promise<FakeStrace> {
  const folder = await mkdtemp(join(tmpdir(), 'ocislim-fake-strace-'));
  if (script !== null) {
    const file = join(folder, 'strace');
    await writeFile(file, `#!/bin/sh\nHERE=${folder}\n${script}\n`);
    await chmod(file, 0o755);
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
