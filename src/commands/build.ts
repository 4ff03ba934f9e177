/**
 * Looks at what new layers are made of, and plans them. The commands `build` and `append` are made of it; what they have in common with
 * all others is in `rewrite.ts`.
 */
import { lstat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { add } from '../build/add.ts';
import { ascii, utf8Bytes } from '../bytes/bytes.ts';
import { cleanPath, root, type Path } from '../bytes/path.ts';
import { encodingOfNew } from '../compress/new-layer.ts';
import { OcislimError } from '../errors.ts';
import type { Listener } from '../events.ts';
import { readGiven } from '../files/given-file.ts';
import type { Addition } from '../image/addition.ts';
import type { Image, Transform } from '../image/image.ts';
import { defaultLimits } from '../limits.ts';
import type { Platform } from '../oci/platform.ts';
import { formatPlatform } from '../oci/platform.ts';
import { isCompatible, isExact } from '../oci/platform-choice.ts';
import type { Rule } from '../rules/rule.ts';
import { parseRule, parseRules } from '../rules/rules.ts';
import type { BuiltPlatform, GivenLayer } from '../settings/given-layer.ts';
import { packingOf } from '../settings/stages.ts';
import type { AppendSettings } from '../settings/tables/commands.ts';
import { findSource, warnOfIdleOptions } from './given-source.ts';

/** What decides about new layers. */
type AddingSettings = Pick<
  AppendSettings,
  | 'layer'
  | 'chown'
  | 'chmod'
  | 'mtime'
  | 'exclude'
  | 'xattrs'
  | 'sourceDateEpoch'
  | 'compression'
  | 'level'
  | 'tune'
  | 'budget'
  | 'gzipEngine'
> & { readonly platform: readonly (Platform | BuiltPlatform)[] };

/** New layers as a transform, and what to say of the options that they were given. */
interface AddedLayers {
  readonly transform: Transform;
  readonly warn: (listener: Listener) => void;
}

/**
 * Makes the transform that adds layers. Every source is looked at, none is read.
 * @throws USAGE for a source that cannot be added, IO for one that cannot be looked at
 */
export async function addingTransform(settings: AddingSettings): Promise<AddedLayers> {
  const packing = packingOf(settings);
  const common: Addition[] = [];
  for (const given of settings.layer) common.push(await additionOf(given, settings));
  const special: { readonly platform: Platform; readonly addition: Addition }[] = [];
  for (const platform of settings.platform) {
    const layer = 'layer' in platform ? platform.layer : null;
    if (layer !== null) special.push({ platform, addition: await additionOf(layer, settings) });
  }
  const additionsOf = ({ config: { platform } }: Image): readonly Addition[] => {
    if (platform === null) return common;
    const exact = special.filter((each) => isExact(each.platform, platform));
    // An image for a lower variant may have been chosen in place of the one that is wanted.
    const own = exact.length > 0 ? exact : special.filter((each) => isCompatible(each.platform, platform));
    return [...common, ...own.map(({ addition }) => addition)];
  };
  const kinds = [...common, ...special.map(({ addition }) => addition)].map(({ kind }) => kind);
  return {
    transform: add(additionsOf, encodingOfNew(packing)),
    warn: (listener) => warnOfIdleOptions(kinds, settings, listener),
  };
}

async function additionOf(given: GivenLayer, settings: AddingSettings): Promise<Addition> {
  const { path, kind } = await findSource(given);
  const { owner, mode, mtime } = given;
  const wish = {
    owner: owner ?? settings.chown ?? { uid: 0, gid: 0 },
    mtime: mtime ?? settings.mtime ?? settings.sourceDateEpoch ?? 0,
  };
  const destination = given.destination ?? root;
  const name = cleanPath(utf8Bytes(basename(given.source)));
  return {
    kind,
    path,
    destination,
    into: given.into || destination === root,
    name,
    follows: kind === 'directory' && (given.destination !== null || (await hasUsualLinks(path))),
    rules: kind === 'directory' ? await rulesFor(path, settings.exclude) : [],
    owner: wish.owner === 'keep' ? null : wish.owner,
    mode: mode ?? settings.chmod,
    mtime: wish.mtime === 'keep' ? null : wish.mtime,
    madeTime: wish.mtime === 'keep' ? (settings.sourceDateEpoch ?? 0) : wish.mtime,
    createdBy: given.createdBy ?? describe(kind, destination, name),
    xattrs: settings.xattrs,
  };
}

/** Directories that are symlinks in most bases: those that moved into /usr, and those that moved to /run. */
const usualLinks = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'var/run', 'var/lock'];

/** Returns whether a directory, put at the root as it is, would replace symlinks of most bases. */
async function hasUsualLinks(path: string): Promise<boolean> {
  for (const name of usualLinks) {
    const found = await lstat(join(path, name)).catch(() => null);
    if (found?.isDirectory() === true) return true;
  }
  return false;
}

/** Says what a layer holds, without a path of this machine: the same layer has the same history wherever it is made. */
function describe(kind: Addition['kind'], destination: Path, name: Path): string {
  const place = Buffer.from(ascii`/${destination}`, 'latin1').toString('utf8');
  return kind === 'file'
    ? `ocislim: ${Buffer.from(name, 'latin1').toString('utf8')} at ${place}`
    : `ocislim: files at ${place}`;
}

/** Returns what is left out of a directory: what its `.dockerignore` names, then the globs given. @throws RULES_INVALID, LIMIT */
async function rulesFor(path: string, globs: readonly string[]): Promise<readonly Rule[]> {
  const file = join(path, '.dockerignore');
  const own = await readIgnored(file);
  return [...own, ...globs.map((glob) => parseRule(glob, '--exclude'))];
}

async function readIgnored(file: string): Promise<readonly Rule[]> {
  const bound = { limit: 'rule-bytes', limits: defaultLimits } as const;
  let bytes: Uint8Array;
  try {
    bytes = await readGiven(file, bound, new AbortController().signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return parseRules(Buffer.from(bytes).toString('utf8'), file);
}

/** Refuses a build without files, which would write an empty image where another tool's command reads one. @throws USAGE */
export function requireLayers({
  layer,
  platform,
}: {
  readonly layer: readonly GivenLayer[];
  readonly platform: readonly BuiltPlatform[];
}): void {
  if (layer.length > 0 || platform.some((each) => each.layer !== null)) return;
  throw new OcislimError('USAGE', 'build needs to know what to put into the image', {
    advice:
      'Give --layer DIR:/PATH. ocislim builds no image of a Dockerfile, and what SlimToolkit calls build is "ocislim slim SRC DST --record".',
  });
}

/** Returns the source of a build without a base. A platform that is named several times, with a layer each, counts once. */
export function scratchFor(platforms: readonly Platform[], own: Platform): string {
  const wanted = platforms.length === 0 ? [own] : platforms;
  const names = new Set(wanted.map((platform) => formatPlatform(platform)));
  return `scratch:${[...names].join(',')}`;
}
