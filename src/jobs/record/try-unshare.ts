/** Tries the sandbox of `unshare.ts` with an empty root filesystem. `find-entrance.ts` asks whether it works here, and the diagnosis why not. */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OcislimError } from '../../errors.ts';
import { makeTemporaryFolder } from '../../files/temporary.ts';
import type { Confinement } from './entrance.ts';
import { launchIn, noFittings } from './launch.ts';
import { carried } from './privileged.ts';
import { systemMounts } from './sandbox/mounts.ts';

/** Enters a sandbox with everything that one has. @throws UNSUPPORTED with what this machine said */
export async function tryUnshare(entrance: Confinement, signal: AbortSignal): Promise<void> {
  const { setpriv, env, umount, unshare } = entrance.privileges;
  if (!setpriv || !env || !umount || !unshare)
    throw failed('setpriv, env, umount and unshare are not installed');
  const folder = await makeTemporaryFolder('image');
  try {
    const root = join(folder, 'root');
    for (const path of ['', 'proc', 'dev', 'sys']) await mkdir(join(root, path));
    const user = { cwd: '/', uid: 0, gid: 0, groups: [], env: {} };
    const fittings = {
      ...noFittings,
      script: join(folder, 'enter'),
      mounts: await systemMounts(),
      hostname: 'ocislim',
    };
    const container = { ...user, root, network: 'private', hasCompany: true, fittings } as const;
    const { outside, argv, script } = launchIn(container, [...carried('setpriv'), '--version'], entrance);
    if (script !== undefined) await writeFile(script.file, script.text);
    const [program = '', ...args] = [...outside, ...argv];
    await promisify(execFile)(program, args, { signal, env: { PATH: process.env['PATH'] } });
  } catch (error) {
    signal.throwIfAborted();
    throw failed(firstWords(error));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns what a failed program said first; where it said nothing, what the error says. */
export function firstWords(error: unknown): string {
  const { stderr = '', message } = error as Error & { readonly stderr?: string };
  const first = stderr.trim().split('\n', 1)[0] ?? '';
  return first.replace(/^ocislim: /, '') || message;
}

function failed(why: string): OcislimError {
  return new OcislimError('UNSUPPORTED', why);
}
