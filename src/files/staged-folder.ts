/**
 * A folder that is filled in private and then takes its place at once: a hidden one beside the folder that a person named, or inside of it
 * where that is there already. What unpacks images writes into one, so that nothing unfinished has the final name.
 */
import type { Stats } from 'node:fs';
import { access, chmod, constants, lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { OcislimError } from '../errors.ts';
import { fileError, systemCode } from './file-error.ts';
import { describeKind, findFile, requireKind } from './found-file.ts';
import { makeFolders } from './make-folders.ts';
import { stemOf, sweepTemporaries, temporaryName } from './temporary.ts';

/** The beginning of the names of folders inside of others. */
const inner = '.ocislim';

/** How what is staged gets its place. */
export interface Placing {
  readonly moves: readonly Move[];
  /** Folders that are there and stay, by their names in the target, one character a byte: the target itself (empty) among them. */
  readonly kept: ReadonlySet<string>;
}

interface Move {
  readonly from: Buffer;
  readonly to: Buffer;
  /** Whether a file or link is there. */
  readonly replaces: boolean;
  /** Whether a folder is moved. */
  readonly isFolder: boolean;
}

/** A private folder (mode 0700) and its place to be. Disposing of it removes what has not been published. */
export class StagedFolder implements AsyncDisposable {
  /** The folder to fill: an absolute path, which programs can be given wherever they run. */
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
      const path = `${isAbsolute(folder) ? '' : `${process.cwd()}/`}${folder}/${temporaryName(stem)}`;
      await mkdir(path, { mode: 0o700 });
      return new StagedFolder({ path, target, becomesTarget, umask: await maskIn(path) });
    } catch (error) {
      throw fileError(`write into ${named}`, error);
    }
  }

  /** Refuses names that are taken in the target. @throws IO */
  async requireFree(names: readonly Buffer[]): Promise<void> {
    if (this.becomesTarget) return;
    for (const name of names) {
      const path = within(this.target, name);
      const there = await statsOf(path);
      if (there !== null) throw taken(path, there, '--force replaces files, and adds to folders.');
    }
  }

  /**
   * Finds out how everything gets its place, and touches nothing. With `force` files that are there are replaced, and folders get what is
   * new in them; a symbolic link is replaced, never followed. @throws IO for what cannot get its place
   */
  async plan(force: boolean): Promise<Placing> {
    if (this.becomesTarget) return { moves: [], kept: new Set() };
    const plan: { moves: Move[]; kept: Set<string> } = { moves: [], kept: new Set() };
    try {
      if (!force) await this.requireFree(await readdir(this.path, { encoding: 'buffer' }));
      await this.#planBelow(none, plan);
    } catch (error) {
      throw fileError(`write into ${this.target}`, error);
    }
    return plan;
  }

  /** Moves everything to its place. What has appeared there since the plan was made is not touched. @throws IO */
  async publish({ moves }: Placing): Promise<void> {
    if (this.becomesTarget) {
      await rename(this.path, this.target).catch((error: unknown) => {
        throw fileError(`write into ${this.target}`, error);
      });
      return;
    }
    for (const step of moves)
      await move(step).catch((error: unknown) => {
        throw fileError(`write ${shown(step.to)}`, error);
      });
  }

  /** Plans what is in a folder that stands here and in the target. */
  async #planBelow(folder: Buffer, plan: { moves: Move[]; kept: Set<string> }): Promise<void> {
    plan.kept.add(folder.toString('latin1'));
    let isWritable = false;
    for (const base of await readdir(within(this.path, folder), { encoding: 'buffer' })) {
      const name = folder.length === 0 ? base : within(folder, base);
      const [from, to] = [within(this.path, name), within(this.target, name)];
      const [own, there] = [await lstat(from), await statsOf(to)];
      if (there?.isDirectory() !== true) {
        if (!isWritable)
          await requireWritable(folder.length === 0 ? this.target : within(this.target, folder));
        isWritable = true;
        plan.moves.push({ from, to, replaces: there !== null, isFolder: own.isDirectory() });
        continue;
      }
      if (!own.isDirectory())
        throw new OcislimError(
          'IO',
          `cannot write ${shown(to)}: it is a folder, and would become ${describeKind(own)}`,
        );
      await this.#planBelow(name, plan);
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

const none = Buffer.alloc(0);

function within(folder: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from('/'), name]);
}

async function statsOf(path: Buffer): Promise<Stats | null> {
  return lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  });
}

async function move({ from, to, replaces, isFolder }: Move): Promise<void> {
  const there = await statsOf(to);
  if (there !== null && !replaces) throw taken(to, there);
  if (there !== null && isFolder) await rm(to);
  await rename(from, to);
}

/** @throws IO for a folder in which this user can make nothing */
async function requireWritable(folder: string | Buffer): Promise<void> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fileError(`write into ${shown(folder)}`, error);
  }
}

function taken(path: Buffer, there: Stats, advice?: string): OcislimError {
  const told = advice === undefined ? {} : { advice };
  return new OcislimError('IO', `cannot write ${shown(path)}: it is ${describeKind(there)} already`, told);
}

/** Gives this user every right on folders again. Symbolic links are not followed. */
async function openUp(path: Buffer): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path, { encoding: 'buffer' })) await openUp(within(path, name));
}

function shown(path: string | Buffer): string {
  return JSON.stringify(path.toString());
}
