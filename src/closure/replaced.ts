/**
 * Files that a run replaced without reading them: they need not stay where the program can create them itself. The rule `trace` asks for each traced
 * path.
 */
import { ascii, type ByteString, noBytes, readByteString, utf8Bytes } from '../bytes/bytes.ts';
import { type Path, parentOf, rootPath } from '../bytes/path.ts';
import { type Uses, uses } from '../trace/trace.ts';
import type { ClosureContext } from './rule.ts';

/** Setuid, setgid and sticky, and the permissions of group and others to write. */
const specialMode = 0o7022;
/** The permissions of an owner to create a name in a directory. */
const creating = 0o300;

/** What is asked of a context here. */
type Context = Pick<ClosureContext, 'fs' | 'facts' | 'runtime' | 'usesOf'>;

/**
 * Returns the directory in which a run creates a file that it replaced, as the trace names it; null for a file that must stay.
 *
 * Group and others may not write the file, so that its owner or root did. Where the directory has the same owner, with the right to write it, the
 * call that emptied the file creates it as well. The owner must be the user of the image: a file that root creates for another user would belong
 * to root.
 */
export function placeOfReplaced(name: ByteString, bits: Uses, context: Context): ByteString | null {
  if ((bits & uses.replaced) === 0 || (bits & ~(uses.replaced | uses.write | uses.link)) !== 0) return null;
  const { fs } = context;
  const { path } = fs.resolve(name, { follow: false });
  // A symlink in the last place stays, and must lead somewhere.
  if (path === null || fs.kind(path) !== 'file' || !isPlain(path, context)) return null;
  const directory = parentOf(path);
  const owner = fs.uid(path);
  const isCreated = fs.uid(directory) === owner && (fs.mode(directory) & creating) === creating;
  if (!isCreated || userOf(context) !== owner) return null;
  return name.slice(0, Math.max(name.lastIndexOf('/'), 0));
}

/** Whether a new file is as good as this one: it has one name and no special rights, and no other name of the trace needs what is in it. */
function isPlain(path: Path, { fs, usesOf }: Context): boolean {
  return (
    (usesOf(path) & uses.replaced) !== 0 &&
    (fs.mode(path) & specialMode) === 0 &&
    !fs.capable(path) &&
    fs.names(path).length === 1
  );
}

/** Returns the number of the user that the config names; null for one that is not found. */
function userOf({ fs, facts, runtime }: Context): number | null {
  const [user = noBytes] = utf8Bytes(runtime.user).split(':');
  if (user === '') return 0;
  if (/^\d{1,10}$/.test(user)) return Number(user);
  const { path } = fs.resolve(rootPath`etc/passwd`);
  const contents = path === null ? null : facts.contents(path);
  const row = (contents === null ? noBytes : readByteString(contents))
    .split('\n')
    .find((line) => line.startsWith(ascii`${user}:`));
  const id = row?.split(':')[2] ?? '';
  return /^\d{1,10}$/.test(id) ? Number(id) : null;
}
