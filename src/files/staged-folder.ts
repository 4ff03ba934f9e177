/**
 * A folder that is filled in private and then takes its place at once: a hidden one beside the folder that a person named, or inside of it
 * where that is there already. What unpacks images writes into one, so that nothing unfinished has the final name.
 */
import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OcislimError } from '../errors.ts';
import { fileError, systemCode } from './file-error.ts';
import { describeKind, findFile, requireKind } from './found-file.ts';
import { makeFolders } from './make-folders.ts';
import { stemOf, sweepTemporaries, temporaryName } from './temporary.ts';

/** The beginning of the names of folders inside of others. */
const inner = '.ocislim';

/** A private folder (mode 0700) and its place to be. Disposing of it removes what has not been published. */
export class StagedFolder implements AsyncDisposable {
  /** The folder to fill. */
  readonly path: string;
  /** The folder that a person named, links followed. */
  readonly target: string;
  /** Whether the folder becomes the target, which is not there yet. Otherwise what is in it moves there. */
  readonly becomesTarget: boolean;
  /** Permission bits that this process's mask takes away from new files. */
  readonly umask: number;

  private constructor(parts: Pick<StagedFolder, 'path' | 'target' | 'becomesTarget' | 'umask'>) {
    this.path = parts.path;
    this.target = parts.target;
    this.becomesTarget = parts.becomesTarget;
    this.umask = parts.umask;
  }

  /** Makes the private folder for a target. Folders above the target are made, too. @throws IO */
  static async open(named: string): Promise<StagedFolder> {
    if (named === '') throw new OcislimError('USAGE', 'the name of the folder is empty');
    const { path: target, kind } = await requireFolderOrNothing(named);
    const becomesTarget = kind === 'absent';
    const [folder, stem] = becomesTarget ? [dirname(target), `.${basename(target)}`] : [target, inner];
    try {
      await makeFolders(folder);
      await sweepTemporaries(folder, (name) => name === stemOf(stem));
      const path = join(folder, temporaryName(stem));
      await mkdir(path, { mode: 0o700 });
      return new StagedFolder({ path, target, becomesTarget, umask: await maskIn(path) });
    } catch (error) {
      throw fileError(`write into ${named}`, error);
    }
  }

  /** Returns which of these names the target has, by their positions. @throws IO */
  async taken(names: readonly Buffer[]): Promise<ReadonlySet<number>> {
    const taken = new Set<number>();
    if (this.becomesTarget) return taken;
    for (const [i, name] of names.entries())
      if ((await statsOf(within(this.target, name))) !== null) taken.add(i);
    return taken;
  }

  /** Refuses names that are taken in the target. @throws IO */
  async requireFree(names: readonly Buffer[]): Promise<void> {
    for (const i of await this.taken(names)) {
      const path = within(this.target, names[i] as Buffer);
      const there = await lstat(path);
      throw new OcislimError('IO', `cannot write ${shown(path)}: it is ${describeKind(there)} already`, {
        advice: '--force replaces files, and adds to folders.',
      });
    }
  }

  /**
   * Moves everything to its place. With `force` files that are there are replaced, and folders get what is new in them; a symbolic link
   * is replaced, never followed. Without, nothing is touched that is there. @throws IO
   */
  async publish(force: boolean): Promise<void> {
    try {
      if (this.becomesTarget) {
        await rename(this.path, this.target);
        return;
      }
      const names = await readdir(this.path, { encoding: 'buffer' });
      if (!force) await this.requireFree(names);
      for (const name of names) await move(within(this.path, name), within(this.target, name), force);
    } catch (error) {
      throw fileError(`write into ${this.target}`, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await rm(this.path, { recursive: true, force: true });
    } catch {
      // Folders may have got modes of the image that forbid even their owner to empty them.
      await openUp(Buffer.from(this.path)).catch(() => {});
      await rm(this.path, { recursive: true, force: true }).catch(() => {});
    }
  }
}

async function requireFolderOrNothing(named: string) {
  const found = await findFile(named);
  requireKind(found, ['absent', 'folder'], 'Name a folder, or one that is to be made.');
  return found;
}

/** Returns the mask of new files. Node's own way to ask changes it for a moment, in all threads. */
async function maskIn(folder: string): Promise<number> {
  const probe = join(folder, 'probe');
  await mkdir(probe, { mode: 0o777 });
  const { mode } = await lstat(probe);
  await rmdir(probe);
  return 0o777 & ~mode;
}

function within(folder: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from('/'), name]);
}

async function statsOf(path: Buffer): Promise<Stats | null> {
  return lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  });
}

async function move(from: Buffer, to: Buffer, force: boolean): Promise<void> {
  const [there, own] = [await statsOf(to), await lstat(from)];
  if (there === null) {
    await rename(from, to);
    return;
  }
  if (!force) throw new OcislimError('IO', `cannot write ${shown(to)}: it is ${describeKind(there)} already`);
  if (there.isDirectory() && own.isDirectory()) {
    for (const name of await readdir(from, { encoding: 'buffer' }))
      await move(within(from, name), within(to, name), force);
    await rmdir(from);
    return;
  }
  if (there.isDirectory())
    throw new OcislimError(
      'IO',
      `cannot write ${shown(to)}: it is a folder, and would become ${describeKind(own)}`,
    );
  if (own.isDirectory()) await rm(to);
  await rename(from, to);
}

/** Gives this user every right on folders again. Symbolic links are not followed. */
async function openUp(path: Buffer): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path, { encoding: 'buffer' })) await openUp(within(path, name));
}

function shown(path: Buffer): string {
  return JSON.stringify(path.toString());
}
