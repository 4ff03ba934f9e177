/** Root filesystems that are entered as their images say. `trace record --root` enters one, and the sandbox of an image is one. */
import { realpath } from 'node:fs/promises';
import { OcislimError } from '../../errors.ts';
import { findEntrance } from './find-entrance.ts';
import { idsOf } from './identity.ts';
import { type Container, type Fittings, type Launch, launchIn, noFittings } from './launch.ts';

/** A root filesystem, and how its image says to run in it. */
export interface RootEntry {
  readonly root: string;
  /** The user, by name or number, with or without `:GROUP`. '' stands for root. */
  readonly user: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly network: Container['network'];
  readonly hasCompany: boolean;
}

/**
 * Finds the best way into a root filesystem that works here, and returns the launch of the command by it.
 *
 * @throws IO for a missing folder, USAGE for a user that the root filesystem does not have, UNSUPPORTED where no way works
 */
export async function enterRoot(
  entry: RootEntry,
  command: readonly string[],
  signal: AbortSignal,
): Promise<Launch> {
  const root = await realpath(entry.root).catch((cause: unknown) => {
    throw new OcislimError('IO', `no root filesystem at ${entry.root}`, { cause });
  });
  const container = await containerOf({ ...entry, root }, noFittings);
  // The other sandbox needs places to mount on, which a folder of a person may not have.
  const entrance = await findEntrance(
    container,
    (way) => way.kind === 'chroot' || way.by === 'bwrap',
    signal,
  );
  if (entrance !== null) return launchIn(container, command, entrance);
  throw new OcislimError('UNSUPPORTED', 'no way to enter the root filesystem works here', {
    advice: 'Install bubblewrap and allow user namespaces, or run as root.',
  });
}

/** Returns the container of a root filesystem. @throws USAGE for a user that it does not have */
export async function containerOf(entry: RootEntry, fittings: Fittings): Promise<Container> {
  const { user, ...given } = entry;
  const { home, ...ids } = await idsOf(entry.root, user);
  return { ...given, env: { HOME: home, ...entry.env }, ...ids, fittings };
}
