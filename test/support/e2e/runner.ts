/** The users as whom tests run programs of this machine. Tests of sandboxes call it: what they can do depends on the user. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Root, an ordinary user, or one that has further users by /etc/subuid. */
export type Runner = 'root' | 'alone' | 'mapped';

const user = '65534';
const ordinary = ['setpriv', '--reuid', user, '--regid', user, '--clear-groups', '--'];

/** Returns the words that run a command as a user. `work`: a folder for files of the test. */
export function wordsOf(runner: Runner, work: string): readonly string[] {
  if (runner === 'root') return [];
  if (runner === 'alone') return ordinary;
  const entries = join(work, 'subuid');
  writeFileSync(entries, 'nobody:1000000:65536\n', { mode: 0o644 });
  // The machine's own files stay as they are.
  const mounts = ['uid', 'gid'].map((kind) => `mount --bind ${entries} /etc/sub${kind}`).join(' && ');
  return ['unshare', '--mount', 'sh', '-c', `${mounts} && exec "$@"`, 'sh', ...ordinary];
}
