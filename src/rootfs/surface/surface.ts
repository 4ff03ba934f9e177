import type { Filesystem } from '../filesystem.ts';
import type { Path } from '../../bytes/path.ts';
import type { Runtime } from '../../oci/runtime.ts';
import { utf8Bytes } from '../../bytes/bytes.ts';
import { secretVariables } from './secrets.ts';
import { surveyFiles } from './survey.ts';

/** Kinds of files that help someone who has broken in, in the order of reports. */
export const surfaceKinds = [
  'shells',
  'package-managers',
  'interpreters',
  'compilers',
  'network-tools',
  'setuid',
  'capabilities',
  'world-writable-files',
  'world-writable-directories',
] as const;

export type SurfaceKind = (typeof surfaceKinds)[number];

/** One file (inode) or directory, with the other names by which it counts: hard links, and symlinks that lead to it. */
export interface SurfaceFile {
  readonly path: Path;
  readonly names: readonly Path[];
}

export type SurfaceFiles = Readonly<Record<SurfaceKind, readonly SurfaceFile[]>>;

/** The attack surface of an image, before and after. What its config says does not change by pruning. */
export interface Surface {
  readonly before: SurfaceFiles;
  readonly after: SurfaceFiles;
  /** "80/tcp". */
  readonly ports: readonly string[];
  /** As the config says it; '' where it says nothing. */
  readonly user: string;
  readonly isRoot: boolean;
  /** Names of environment variables whose values look like secrets. */
  readonly secrets: readonly string[];
}

/** Looks over both root filesystems, each once. */
export function compareSurface(runtime: Runtime, before: Filesystem, after: Filesystem): Surface {
  const path = utf8Bytes(runtime.environment.get('PATH') ?? '');
  return {
    before: surveyFiles(before, path),
    after: surveyFiles(after, path),
    ports: [...runtime.ports].sort(),
    user: runtime.user,
    isRoot: isRoot(runtime.user),
    secrets: secretVariables(runtime.environment),
  };
}

/** Another name could have the number of root in /etc/passwd, whose contents are not known here. */
function isRoot(user: string): boolean {
  const name = user.split(':')[0] as string;
  return name === '' || name === 'root' || /^0+$/.test(name);
}
