/**
 * Prunes an image by the trace of its workload and runs the workload in what is left. bench/trace/run.ts and the
 * end-to-end tests call it.
 */
import { spawn } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  mkdirSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { runSteps, sandbox } from './workload.ts';
import type { Workload } from './workloads/step.ts';

const bin = fileURLToPath(new URL('../../bin/ocislim', import.meta.url));

export const granularities = ['package', 'directory', 'file'] as const;
export type Granularity = (typeof granularities)[number];

/** The outcome of pruning an image by the trace of its workload. Sizes are in bytes. */
export interface Measured {
  readonly image: string;
  readonly granularity: Granularity;
  /** The layers as they are transferred. */
  readonly transfer: Change;
  readonly files: Change;
  /**
   * Regular files: those kept without package databases and licences, and those that the workload opened or
   * executed.
   */
  readonly kept: number;
  readonly used: number;
  readonly works: boolean;
  readonly otherWorks: boolean;
  /** Why the workload fails; null where it works. */
  readonly failure: string | null;
}

interface Change {
  readonly before: number;
  readonly after: number;
}

/** Where to measure, and how much of it. */
export interface Measuring {
  /** The layout that has the image as v1. */
  readonly layout: string;
  /** A folder that is made, and removed at the end. */
  readonly work: string;
  /** Default: all. */
  readonly wanted?: readonly Granularity[];
  /** A folder in which the traces stay, as 0.trace and so on. Default: none. */
  readonly traces?: string | null;
}

/** Records, prunes, and runs an image in each of the granularities. */
export async function measure(workload: Workload, measuring: Measuring): Promise<readonly Measured[]> {
  const { work, wanted = granularities } = measuring;
  mkdirSync(work, { recursive: true });
  try {
    const recorded = await record(workload, measuring);
    const results: Measured[] = [];
    for (const granularity of wanted) results.push(await prune(workload, measuring, granularity, recorded));
    return results;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** An image as it is: what its workload says, and what that used. */
interface Recorded {
  readonly expected: string;
  readonly expectedOther: string;
  /** The files of the traces, one for each step. */
  readonly traces: readonly string[];
  /** Bytes of files that the workload used. */
  readonly used: number;
  readonly before: { readonly bytes: number; readonly files: number };
}

/** Runs both works in the image as it is, and records the first. @throws Error where one fails, or says something else when recorded */
async function record(
  workload: Workload,
  { layout, work, traces: kept = null }: Measuring,
): Promise<Recorded> {
  const source = `oci:${layout}:v1`;
  const root = join(work, 'original');
  await unpack(source, root, workload);
  const { main, other, files, image } = workload;
  const expected = await runSteps(main, files, root, sandbox(root, workload));
  const expectedOther = await runSteps(other, files, root, sandbox(root, workload));
  for (const { failed } of [expected, expectedOther])
    if (failed !== null) throw new Error(`${image} fails as it is: ${failed}`);
  if (workload.asRoot === true) {
    // What root changed in the first run must not be there in the recorded one.
    rmSync(root, { recursive: true });
    await unpack(source, root, workload);
  }
  const folder = kept ?? work;
  mkdirSync(folder, { recursive: true });
  const traces = main.map((_, i) => join(folder, `${i}.trace`));
  const user = workload.asRoot === true ? [] : ['--user', '1000:1000'];
  const recorded = await runSteps(main, files, root, (argv, i) => {
    const place = ['--root', root, ...user, '--image', source];
    return [process.execPath, bin, 'trace', 'record', '-o', traces[i] as string, ...place, '--', ...argv];
  });
  if (recorded.seen !== expected.seen)
    throw new Error(`${image} does otherwise below strace: ${recorded.failed ?? recorded.seen}`);
  rmSync(join(root, 'tmp'), { recursive: true });
  const used = await bytesUsed(root, traces);
  const before = { bytes: transferred(layout), files: listed(root).length };
  rmSync(root, { recursive: true });
  return { expected: expected.seen, expectedOther: expectedOther.seen, traces, used, before };
}

/** Prunes an image by the traces at a granularity, and runs both works in what is left. */
async function prune(
  workload: Workload,
  { layout, work }: Measuring,
  granularity: Granularity,
  { expected, expectedOther, traces, used, before }: Recorded,
): Promise<Measured> {
  const { main, other, files, image } = workload;
  const result = join(work, 'result');
  const pruned = join(work, 'pruned');
  const given = traces.flatMap((trace) => ['--trace', trace]);
  // A step that fails by design makes its recording one that failed.
  const force = main.some(({ fails }) => fails === true) ? ['--force'] : [];
  const options = [...given, ...force, '--granularity', granularity, '-q'];
  await run(process.execPath, [bin, 'prune', `oci:${layout}:v1`, `oci:${result}:v1`, ...options]);
  await unpack(`oci:${result}:v1`, pruned, workload);
  const left = listed(pruned);
  const seen = await runSteps(main, files, pruned, sandbox(pruned, workload));
  const seenOther = await runSteps(other, files, pruned, sandbox(pruned, workload));
  const works = seen.seen === expected;
  const otherWorks = seenOther.seen === expectedOther;
  const after = transferred(result);
  for (const folder of [result, pruned]) rmSync(folder, { recursive: true });
  const failed = works ? seenOther : seen;
  return {
    image,
    granularity,
    transfer: { before: before.bytes, after },
    files: { before: before.files, after: left.length },
    kept: sum(left.filter(({ path }) => !isCourtesy(path))),
    used,
    works,
    otherWorks,
    failure:
      works && otherWorks ? null : (failed.failed ?? `it says something else: ${failed.seen.slice(-300)}`),
  };
}

/**
 * Unpacks an image, without devices. For an ordinary user, all files belong to that user, who may write everywhere; a recording by root
 * runs as another one. For root, owners and modes are as in the image.
 */
async function unpack(reference: string, folder: string, { asRoot }: Workload): Promise<void> {
  mkdirSync(folder);
  const [owner, after] =
    asRoot === true
      ? ['--same-owner --numeric-owner --same-permissions', 'true']
      : ['--no-same-owner', 'chmod -R a+rwX "$3"'];
  await run('bash', [
    '-c',
    `set -o pipefail; "$0" "$1" export "$2" - -q | tar -x ${owner} --exclude=./srv --exclude=srv --warning=none -C "$3"; ${after}`,
    process.execPath,
    bin,
    reference,
    folder,
  ]);
}

function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) =>
      status === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')}: ${status}\n${said}`)),
    );
  });
}

function transferred(layout: string): number {
  const read = (path: string) => JSON.parse(readFileSync(join(layout, path), 'utf8')) as unknown;
  const { manifests } = read('index.json') as { manifests: readonly { digest: string }[] };
  const { layers } = read(join('blobs', ...(manifests[0]?.digest ?? '').split(':'))) as {
    layers: readonly { size: number }[];
  };
  return layers.reduce((all, { size }) => all + size, 0);
}

interface Listed {
  readonly path: string;
  readonly size: number;
  readonly inode: number;
}

/** Lists all but directories, hard links each by itself, links and the like without a size. Names are bytes. */
function listed(root: string): readonly Listed[] {
  const found: Listed[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(Buffer.from(folder, 'latin1'), 'buffer')) {
      const path = `${folder}/${name.toString('latin1')}`;
      const stat = lstatSync(Buffer.from(path, 'latin1'));
      if (stat.isDirectory()) walk(path);
      else
        found.push({
          path: path.slice(root.length + 1),
          size: stat.isFile() ? stat.size : 0,
          inode: stat.ino,
        });
    }
  };
  walk(root);
  return found;
}

/** Adds sizes up, each inode once. */
function sum(files: readonly Listed[]): number {
  return total(new Map(files.map(({ inode, size }) => [inode, size])));
}

function total(sizes: ReadonlyMap<number, number>): number {
  return [...sizes.values()].reduce((all, size) => all + size, 0);
}

/** Returns whether `file` keeps a path that no program needs. */
function isCourtesy(path: string): boolean {
  return /^(?:var\/lib\/(?:dpkg|rpm)\/|usr\/share\/doc\/.*\/copyright$|usr\/share\/licenses\/|etc\/os-release$|usr\/lib\/os-release$)/.test(
    path,
  );
}

/** Returns the bytes of regular files that a trace saw opened or executed, and of their loaders. */
async function bytesUsed(root: string, traces: readonly string[]): Promise<number> {
  const inodes = new Map<number, number>();
  const add = (path: string): void => {
    const found = follow(root, path);
    if (found === null) return;
    const { ino, size } = lstatSync(found);
    if (inodes.has(ino)) return;
    inodes.set(ino, size);
    // The kernel opens the loader, which no trace shows.
    const begin = readFileSync(found).subarray(0, 4096).toString('latin1');
    const loader = (/^#! *(\/\S+)/.exec(begin) ?? /(\/lib(?:64)?\/ld-[\w.-]+)/.exec(begin))?.[1];
    if (loader !== undefined) add(loader);
  };
  for (const trace of traces) {
    for await (const line of createInterface({ input: createReadStream(trace) })) {
      const { path, uses } = JSON.parse(line) as { path?: string; uses?: readonly string[] };
      if (path !== undefined && (uses?.includes('open') || uses?.includes('exec'))) add(path);
    }
  }
  return total(inodes);
}

/** Returns the regular file that a path leads to within the root; null for none. */
function follow(root: string, path: string, depth = 0): string | null {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  const done: string[] = [];
  for (const [i, name] of names.entries()) {
    if (name === '..') {
      done.pop();
      continue;
    }
    const at = join(root, ...done, name);
    const stat = existsSync(at) || isLink(at) ? lstatSync(at) : null;
    if (stat === null) return null;
    if (stat.isSymbolicLink()) {
      if (depth > 40) return null;
      const target = readlinkSync(at);
      const rest = names.slice(i + 1).join('/');
      const base = target.startsWith('/') ? target : `${done.join('/')}/${target}`;
      return follow(root, `${base}/${rest}`, depth + 1);
    }
    done.push(name);
    if (stat.isFile()) return i === names.length - 1 ? at : null;
  }
  return null;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
