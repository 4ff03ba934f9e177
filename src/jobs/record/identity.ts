/** The user of a root filesystem, as its own files name it. `root-entry.ts` asks for the user that an image says. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OcislimError } from '../../errors.ts';

/** The identity of a process: numbers, further groups, and the home directory. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
}

/**
 * Returns the numbers of a user, by etc/passwd and etc/group of a root filesystem. A number that is in neither stands for
 * itself, with group 0, as in runtimes. Without a group, the user has those that list it, too.
 *
 * @throws USAGE for a name that they do not have
 */
export async function idsOf(root: string, user: string): Promise<Identity> {
  const [name = '', group] = user.split(':', 2);
  const passwd = await rows(root, 'etc/passwd');
  const wanted = name === '' ? '0' : name;
  const row = passwd.find((fields) => fields[0] === wanted || (/^\d+$/.test(wanted) && fields[2] === wanted));
  const uid = /^\d+$/.test(wanted) ? Number(wanted) : number(row?.[2]);
  const all = await rows(root, 'etc/group');
  const named = all.find((fields) => fields[0] === group)?.[2] ?? group;
  const gid = group === undefined ? (number(row?.[3]) ?? 0) : number(named);
  const listed =
    group === undefined && row !== undefined ? all.filter((fields) => isMember(fields, row[0])) : [];
  if (uid === null || gid === null)
    throw new OcislimError('USAGE', `the root filesystem has no user ${user}`, {
      advice: 'Give --run-user UID:GID.',
    });
  const groups = listed.flatMap((fields) => number(fields[2]) ?? []).filter((each) => each !== gid);
  return { uid, gid, groups: [...new Set(groups)], home: row?.[5] || '/' };
}

/** Returns whether a row of etc/group lists a user. */
function isMember(fields: readonly string[], user: string | undefined): boolean {
  return user !== undefined && user !== '' && (fields[3] ?? '').split(',').includes(user);
}

function number(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

/** The rows of a file in the root filesystem. A file to which a symlink leads out of it is of another system: no rows. */
async function rows(root: string, file: string): Promise<readonly (readonly string[])[]> {
  const text = await readInside(root, file).catch(() => '');
  return text.split('\n').map((line) => line.split(':'));
}

async function readInside(root: string, file: string): Promise<string> {
  const path = await realpath(join(root, file));
  const home = await realpath(root);
  const isInside = home === '/' || path.startsWith(`${home}/`);
  return isInside && (await stat(path)).isFile() ? readFile(path, 'utf8') : '';
}
