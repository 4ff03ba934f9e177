/**
 * Compares the attack surface of an image before and after a pruning. The rewrite job asks for it, and reports show it.
 */
import type { Filesystem } from '../filesystem.ts';
import type { Path } from '../../bytes/path.ts';
import type { Runtime } from '../../oci/runtime.ts';
import { utf8Bytes } from '../../bytes/bytes.ts';
import { secretVariables } from './secrets.ts';
import { surveyFiles } from './survey.ts';

/** Kinds of files that help an attacker who has entered a container, in the order of reports. */
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

/** One file (inode) or directory. `names` are its other names of that kind: hard links, and symlinks that lead to it. */
export interface SurfaceFile {
  readonly path: Path;
  readonly names: readonly Path[];
}

export type SurfaceFiles = Readonly<Record<SurfaceKind, readonly SurfaceFile[]>>;

/** The attack surface of an image, before and after a pruning, both by the config of the result. */
export interface Surface {
  readonly before: SurfaceFiles;
  readonly after: SurfaceFiles;
  /** The exposed ports, "80/tcp", sorted. */
  readonly ports: readonly string[];
  /** The user of the config; '' for none. */
  readonly user: string;
  /** Whether that is root. */
  readonly isRoot: boolean;
  /** Names of environment variables whose values look like secrets. */
  readonly secrets: readonly string[];
}

/** Surveys both root filesystems. */
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

/** Returns whether a user is root by its name or number. Other names of number 0 in /etc/passwd are not known here. */
export function isRoot(user: string): boolean {
  const name = user.split(':')[0] as string;
  return name === '' || name === 'root' || /^0+$/.test(name);
}
