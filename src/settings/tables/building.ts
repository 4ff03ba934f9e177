/** The options that say what new layers hold. `build` and `append` have them. */
import { checkGlobs } from '../rule-files.ts';
import { flag, list, type Option, parsedBy, splitNames, textsOf } from '../option.ts';
import type { BuiltPlatform, GivenLayer, OwnerWish, TimeWish } from '../given-layer.ts';
import type { ModeChange } from '../../image/addition.ts';
import { packing } from './packing.ts';
import { platform } from './result.ts';

const group = 'New layers';
const reader = async () => import('../given-layer.ts');

/** Reads new layers, in their order. */
async function readLayers(texts: readonly string[], where: string): Promise<readonly GivenLayer[]> {
  if (texts.length === 0) return [];
  const { parseLayer } = await reader();
  return texts.map((text) => parseLayer(text, where));
}

/** Reads platforms, each perhaps with a layer of its own. */
async function readPlatforms(texts: readonly string[], where: string): Promise<readonly BuiltPlatform[]> {
  if (texts.length === 0) return [];
  const { parseBuiltPlatform } = await reader();
  // A layer may have commas in its name.
  const each = texts.flatMap((text) => (text.includes('=') ? [text] : splitNames([text])));
  return each.map((text) => parseBuiltPlatform(text, where));
}

export const adding = {
  layer: list(readLayers, {
    value: 'SRC[:/PATH]',
    describe: 'add a layer: a directory, a file or a tar of this machine (repeatable)',
    details:
      'What is in a directory goes to PATH, or to the root of the image. A file is PATH, or goes into it where it is a directory or ends with a slash. A tar (`.tar`, `.tar.gz`, `.tgz`, `.tar.zst`, `.tzst`) is taken as it is, with PATH before its names; `file:SRC` adds it as a file, `tar:SRC` takes any file for a tar. Wishes for one layer stand behind it: `dist:/app,chown=1000,chmod=u=rwX,go=rX,mtime=keep,created-by=TEXT`.',
    group,
  }),
  chown: parsedBy<OwnerWish>(async () => (await reader()).parseOwner, {
    value: 'UID[:GID]',
    describe: 'set the owner of new files (default: 0:0); keep: their own numbers',
    group,
  }),
  chmod: parsedBy<ModeChange>(async () => (await import('../../build/mode.ts')).parseMode, {
    value: 'MODE',
    describe: 'set the permissions of new files: 755, or u=rwX,go=rX',
    group,
  }),
  mtime: parsedBy<TimeWish>(async () => (await reader()).parseTime, {
    value: 'TIME',
    describe: 'set the time of new files (default: SOURCE_DATE_EPOCH, else 0); keep',
    details:
      'Seconds since 1970, a date such as 2026-11-30T12:00:00Z, or `keep` for the times of the files, which differ from one copy to another.',
    group,
  }),
  exclude: list(checkGlobs, {
    value: 'GLOB',
    describe: 'leave out what this matches, after the .dockerignore (repeatable)',
    group,
  }),
  xattrs: flag({
    default: true,
    describe: 'read extended attributes: capabilities and user.*',
    details: 'The program getfattr reads them. `--no-xattrs` leaves them out.',
    group,
  }),
};

const { minSavings: _, addVariant: __, ...packingOfNew } = packing;

/** How new layers are packed: once, and they have no blob to keep. */
export { packingOfNew };

/** The platforms of a build. Each may have a layer of its own. */
export const builtPlatforms: Option<Promise<readonly BuiltPlatform[]>> = {
  ...platform,
  value: 'OS/ARCH[=SRC]',
  describe: 'build for this platform, with a layer for it alone (repeatable)',
  details:
    'SRC is written as for `--layer`, and its layer comes on top; a platform may be named several times, each with a layer. Default: all platforms of the base; without a base that of this machine.',
  read: (given, where) => readPlatforms(textsOf(given), where),
};
