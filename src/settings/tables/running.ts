/**
 * The options that say how a program runs while it is recorded, in a root filesystem or in a sandbox of its image. `trace record` reads
 * them, and refuses those that have no effect where the command runs.
 */
import { OcislimError } from '../../errors.ts';
import type { MountSetting, PublishSetting, TmpfsSetting } from '../../probe/mounts.ts';
import type { GivenProfile } from '../../trace/seccomp-profile.ts';
import { parseCommand } from '../command-words.ts';
import { choice, type Door, list, type Option, parsed, parsePairs, text } from '../option.ts';
import { parseSize } from '../sizes.ts';

const group = 'Recording';

const runSeccomp: Option<GivenProfile | null> = {
  type: 'string',
  value: 'FILE',
  describe: 'record: run the program under this seccomp profile',
  details:
    'A profile in the format of Docker, as `trace seccomp` writes it. What it refuses fails for the program as in production. Needs bubblewrap; docs/recording.md says what is not filtered.',
  group,
  read: (given, _where, door) => (given === undefined ? null : readProfile(String(given), door)),
};

export const running = {
  runEnv: list(parsePairs, {
    value: 'K=V',
    describe: 'record: set an environment variable of the program (repeatable)',
    group,
  }),
  runUser: text({
    value: 'USER[:GROUP]',
    describe: 'record: run as this user (default: of the image, else root)',
    group,
  }),
  runWorkdir: text({ value: 'DIR', describe: 'record: run in this directory of the image', group }),
  sandbox: choice(['auto', 'bwrap', 'unshare', 'chroot', 'none'], {
    default: 'auto',
    describe: 'record: run the image by bubblewrap, unshare or chroot, or run here (none)',
    details:
      'With --image and without --root the image is unpacked into a private folder, and its command runs there: by bubblewrap, else by `unshare` of util-linux. By `none` the command runs in this very container, which is one of the image. By `chroot`, for root where nothing else works, it can reach all of this machine: only for images that you trust.',
    group,
  }),
  runEntrypoint: parsed(entrypointOf, {
    value: 'WORDS',
    describe: 'record: run this in place of the entrypoint of the image',
    details: 'The words after `--` are its arguments, and the command of the image counts no longer.',
    group,
  }),
  runEnvFile: list(readEnvFiles, {
    value: 'FILE',
    describe: 'record: read environment variables, one K=V a line (repeatable)',
    group,
  }),
  runMount: list<readonly MountSetting[]>((texts, where) => texts.map((each) => mountOf(each, where)), {
    value: 'SRC:DST[:ro]',
    describe: 'record: mount a file or folder of this machine (repeatable)',
    group,
  }),
  runTmpfs: list<readonly TmpfsSetting[]>((texts, where) => texts.map((each) => tmpfsOf(each, where)), {
    value: 'DST[:SIZE]',
    describe: 'record: mount a file system in memory (repeatable)',
    group,
  }),
  runHosts: list(parsePairs, {
    value: 'NAME=IP',
    describe: 'record: give a name an address in /etc/hosts (repeatable)',
    group,
  }),
  runMemory: parsed(parseSize, {
    value: 'SIZE',
    describe: 'record: bound the memory of each process of the program',
    details: 'It bounds the data of each process (RLIMIT_DATA), not their sum.',
    group,
  }),
  runSeccomp,
  runNetwork: choice(['private', 'host'], {
    default: 'private',
    describe: 'record: give the program a network of its own (loopback), or that of here',
    group,
  }),
  runPublish: list<readonly PublishSetting[]>((texts, where) => texts.map((each) => publishOf(each, where)), {
    value: '[IP:][PORT:]PORT',
    describe: 'record: make a port of the program reachable from here (repeatable)',
    details:
      'The last port is that of the program, the one before it that of this machine: the same if only one is given, any free one for 0. Without an address, it can be reached from this machine alone.',
    group,
  }),
};

/** Reads which port leads where. @throws USAGE naming the option */
function publishOf(given: string, where: string): PublishSetting {
  const [, host = '127.0.0.1', from, to = ''] =
    /^(?:(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):)?(?:(\d{1,5}):)?(\d{1,5})(?:\/tcp)?$/.exec(given) ?? [];
  const [outer, inner] = [Number(from ?? to), Number(to)];
  if (to !== '' && inner > 0 && inner < 65_536 && outer < 65_536)
    return { host: host.replace(/^\[|\]$/g, ''), from: outer, to: inner };
  throw new OcislimError('USAGE', `${where} takes [IP:][PORT:]PORT, not ${JSON.stringify(given)}`);
}

/** Splits an entrypoint into words. @throws USAGE naming the option */
function entrypointOf(given: string, where: string): readonly string[] {
  try {
    return parseCommand(given);
  } catch (cause) {
    throw new OcislimError('USAGE', `${where}: ${(cause as Error).message}`, { cause });
  }
}

/** Reads files of variables, as `docker run --env-file` does, but for names without a value. @throws USAGE */
async function readEnvFiles(
  files: readonly string[],
  where: string,
  { limits, signal }: Door,
): Promise<Readonly<Record<string, string>>> {
  if (files.length === 0) return {};
  const { readText } = await import('../rule-files.ts');
  const pairs: string[] = [];
  for (const file of files) {
    const text = await readText(file, { what: 'file of variables', limit: 'rule-bytes', limits }, signal);
    for (const line of text.split(/\r?\n/)) if (line.trim() !== '' && !line.startsWith('#')) pairs.push(line);
  }
  return parsePairs(pairs, where);
}

/** Reads a seccomp profile. @throws USAGE naming the file */
async function readProfile(file: string, { limits, signal }: Door): Promise<GivenProfile> {
  const { quoted, readText } = await import('../rule-files.ts');
  const { readSeccompProfile } = await import('../../trace/seccomp-profile.ts');
  const what = 'seccomp profile';
  const text = await readText(file, { what, limit: 'rule-bytes', limits }, signal);
  return readSeccompProfile(text, quoted(file, what));
}

/** Reads what is mounted where. @throws USAGE naming the option */
function mountOf(given: string, where: string): MountSetting {
  const [, source = '', target = '', mode] = /^([^:]+):(\/[^:]*)(?::(ro|rw))?$/.exec(given) ?? [];
  if (source !== '' && target !== '/') return { source, target, readOnly: mode === 'ro' };
  throw new OcislimError('USAGE', `${where} takes SRC:DST[:ro], not ${JSON.stringify(given)}`, {
    advice: 'DST is an absolute path in the image.',
  });
}

/** Reads where a file system in memory goes. @throws USAGE naming the option */
function tmpfsOf(given: string, where: string): TmpfsSetting {
  const [, target = '', size] = /^(\/[^:]+)(?::(?:size=)?([^:]+))?$/.exec(given) ?? [];
  if (target !== '') return { target, size: size === undefined ? null : parseSize(size, where) };
  throw new OcislimError('USAGE', `${where} takes DST[:SIZE], not ${JSON.stringify(given)}`, {
    advice: 'DST is an absolute path in the image.',
  });
}
