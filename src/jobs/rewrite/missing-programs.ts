/**
 * Finds the programs that the config of a result would start and its files do not have: an edit may name what is not there. A run calls it
 * for images whose headers it has read, before anything is written.
 */
import { lstat } from 'node:fs/promises';
import { join as joinLocal } from 'node:path';
import { ascii, type ByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { baseOf, cleanPath, join, type Path, parentOf, quotePath, root } from '../../bytes/path.ts';
import { stackSteps } from '../../changeset/stack.ts';
import { namedCommands } from '../../closure/checks/check.ts';
import { findProgram, programPlaces } from '../../closure/commands.ts';
import { runtimeOf } from '../../configure/configure.ts';
import type { Listener } from '../../events.ts';
import { nameOfImage } from '../../image/image.ts';
import { readRuntime, type Runtime } from '../../oci/runtime.ts';
import { type Filesystem, mergeStack } from '../../rootfs/filesystem.ts';
import type { AddedContent } from '../../slim/resolve/resolve.ts';
import { inTurns } from '../../steps.ts';
import type { ResolvedImage } from './records.ts';

/**
 * Warns of each program that the edited config names and the image lacks. What the source named and lacked as well is not the fault of the
 * edit, and what a pruning takes is refused elsewhere.
 */
export async function warnOfPrograms(
  resolved: ResolvedImage,
  listener: Listener,
  signal: AbortSignal,
): Promise<void> {
  const { image } = resolved;
  if (!isKnown(resolved)) return;
  const [before, after] = [readRuntime(image.config), runtimeOf(image)];
  const old = new Map(startedBy(before).map(({ what, words }) => [what, words]));
  let fs: Filesystem | null = null;
  for (const { what, words } of startedBy(after)) {
    const program = utf8Bytes(words[0] ?? '');
    if (program === '') continue;
    fs ??= await filesystemOf(resolved, signal);
    if (
      isProgram(program, { fs, runtime: after }) ||
      (await isAdded(program, { fs, runtime: after }, resolved))
    )
      continue;
    const isOld = JSON.stringify(old.get(what)) === JSON.stringify(words);
    if (isOld && !isProgram(program, { fs, runtime: before })) continue;
    listener({
      type: 'warning',
      code: 'PROGRAM_MISSING',
      message: `${nameOfImage(image)}: ${what}, ${quotePath(program)}, is not a program in the result`,
    });
  }
}

/** Whether the run knows all files of an image whose config is edited. Images of Windows have other names; a new base is examined more closely. */
function isKnown({ image, indexes, layers }: ResolvedImage): boolean {
  const { plan, manifest, original, rebased, config } = image;
  return (
    plan.config.length > 0 &&
    original === null &&
    rebased === null &&
    config.platform?.os !== 'windows' &&
    indexes.size === manifest.layers.length &&
    layers.every(({ content }) => content.kind !== 'added' || content.addition.kind !== 'tar')
  );
}

/** Returns the commands that a runtime starts. Those of an entrypoint are its arguments. */
function startedBy(runtime: Runtime): ReturnType<typeof namedCommands> {
  return namedCommands(runtime).filter(
    ({ what }) => what !== 'the command' || runtime.entrypoint.length === 0,
  );
}

interface Place {
  readonly fs: Filesystem;
  readonly runtime: Runtime;
}

function isProgram(program: ByteString, place: Place): boolean {
  const name = findProgram(program, place);
  const path = name === null ? null : place.fs.resolve(name).path;
  return path !== null && place.fs.kind(path) === 'file' && (place.fs.mode(path) & 0o111) !== 0;
}

/** Returns the files of an image before its pruning. */
async function filesystemOf(
  { resolution, indexes }: ResolvedImage,
  signal: AbortSignal,
): Promise<Filesystem> {
  if (resolution.pruned !== null) return resolution.pruned.before;
  const sorted = new Map([...indexes].sort(([a], [b]) => a - b));
  return mergeStack(await inTurns(stackSteps(sorted), signal), sorted);
}

/** Returns whether a new layer may bring a program: a file of that name is where the layer is made of. */
async function isAdded(
  program: ByteString,
  { fs, runtime }: Place,
  { layers }: ResolvedImage,
): Promise<boolean> {
  const added = layers.flatMap(({ content }) => (content.kind === 'added' ? [content] : []));
  if (added.length === 0) return false;
  for (const place of programPlaces(program, runtime)) {
    const name = cleanPath(place);
    const above = fs.resolve(parentOf(name)).path;
    for (const path of above === null ? [name] : [name, join(above, baseOf(name))])
      for (const content of added) if (await brings(content, path)) return true;
  }
  return false;
}

/** Returns whether an addition has something at a path. Symlinks of its directory count as what they may lead to. */
async function brings({ addition, placement }: AddedContent, path: Path): Promise<boolean> {
  if (addition.kind === 'file')
    return [placement.destination, addition.destination, join(addition.destination, addition.name)].includes(
      path,
    );
  const places = [placement.destination, addition.destination].map((to) => ({ from: root, to }));
  for (const { from, to } of [...places, ...placement.redirects]) {
    if (to !== root && !path.startsWith(ascii`${to}/`)) continue;
    const rest = join(from, to === root ? path : cleanPath(path.slice(to.length + 1)));
    const local = joinLocal(addition.path, Buffer.from(rest, 'latin1').toString('utf8'));
    if ((await lstat(local).catch(() => null)) !== null) return true;
  }
  return false;
}
