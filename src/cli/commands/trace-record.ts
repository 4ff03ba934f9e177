import { OcislimError } from '../../errors.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { Digest } from '../../oci/digest.ts';
import { escapeText, safeJsonText } from '../../report/escape.ts';
import type { Runtime } from '../../oci/runtime.ts';
import type { Console } from '../command.ts';
import { list, type Option, pairs, text, type Values } from '../options/option.ts';

/** What `trace record` takes, besides --output, --platform and what reaches registries. */
export const recording: readonly Option[] = [
  {
    name: 'root',
    type: 'string',
    value: 'DIR',
    describe: 'record: run in this root filesystem, unpacked from "ocislim export"',
    group: 'Recording',
  },
  {
    name: 'image',
    type: 'string',
    value: 'REF',
    describe:
      'record: the image that runs. The trace names its digest and platform; in --root, its user, directory and environment hold. show: the image that was traced',
    group: 'Recording',
  },
  {
    name: 'user',
    type: 'string',
    value: 'UID[:GID]',
    describe: 'record: whom the command runs as in --root (default: as the image says, else 0)',
    group: 'Recording',
  },
  {
    name: 'env',
    type: 'list',
    value: 'K=V',
    describe: 'record: a variable of the environment in --root (repeatable)',
    group: 'Recording',
  },
  {
    name: 'all-syscalls',
    type: 'boolean',
    describe: 'record: every system call, not only those on files; slower; "trace seccomp" needs it',
    group: 'Recording',
  },
  {
    name: 'for',
    type: 'number',
    value: 'SECONDS',
    describe: 'record: then end the command with SIGTERM',
    group: 'Recording',
  },
];

/** From SIGTERM to SIGKILL, as `docker stop` has it. */
const grace = 10_000;

/**
 * `trace record -- COMMAND`: runs it below strace, and writes what it used as a trace file. The exit status is the
 * command's.
 *
 * @throws USAGE, UNSUPPORTED without strace or where it may not trace, IO where the command does not start
 */
export async function recordTrace(values: Values, console: Console): Promise<number> {
  const command = list(values, '--');
  if (command.length === 0)
    throw new OcislimError('USAGE', 'trace record needs a command', {
      advice: 'Write it after "--": ocislim trace record -o app.trace -- /app/server --port 80',
    });
  const seconds = values['for'] === undefined ? null : Number(values['for']);
  if (seconds !== null && !(seconds > 0 && seconds < 1e6))
    throw new OcislimError('USAGE', '--for takes a number of seconds');
  const output = text(values, 'output') ?? 'ocislim.trace';
  const { straceArguments } = await import('../../jobs/record/strace.ts');
  const { record } = await import('../../jobs/record/record.ts');
  const { writeTrace } = await import('../../trace/trace-file.ts');
  const { writeWhole } = await import('../../files/whole-file.ts');
  const traced = await imageOf(values, console);
  const strace = await straceArguments(values['all-syscalls'] === true, console.signal);
  const launch = await launchOf(values, console, command, traced.runtime);

  const stop = new AbortController();
  const onSignal = (name: 'SIGINT' | 'SIGTERM'): void =>
    // What is typed at a terminal reaches the command without us.
    stop.abort(name === 'SIGINT' && process.stdin.isTTY ? null : name);
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const timer = seconds === null ? undefined : setTimeout(() => stop.abort('SIGTERM'), seconds * 1000);
  try {
    const { trace, end } = await record({ launch, strace, name: output, stop: stop.signal, grace });
    const named = { ...trace, platform: traced.platform, image: traced.digest, command };
    await writeWhole(output, encoded(writeTrace(named)), new AbortController().signal);
    const how = end.signal === null ? `ended with ${end.status}` : `was ended by ${end.signal}`;
    console.stderr.write(`ocislim: the command ${how}; ${trace.paths.size} paths in ${escapeText(output)}\n`);
    return end.status;
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function* encoded(texts: Iterable<string>): Generator<Uint8Array> {
  let pending = '';
  for (const each of texts) {
    pending += each;
    if (pending.length < 65_536) continue;
    yield Buffer.from(safeJsonText(pending));
    pending = '';
  }
  if (pending !== '') yield Buffer.from(safeJsonText(pending));
}

interface TracedImage {
  readonly platform: string;
  readonly digest: Digest | null;
  readonly runtime: Runtime | null;
}

/** The image that --image names; without it, this machine's platform. @throws what reading images throws */
async function imageOf(values: Values, console: Console): Promise<TracedImage> {
  const { Session } = await import('../session.ts');
  const reference = text(values, 'image');
  const session = new Session(values, console);
  try {
    const platforms = session.platforms.length > 0 ? session.platforms : [machine()];
    if (platforms.length > 1) throw new OcislimError('USAGE', 'a recording is of one --platform');
    const own = formatPlatform(platforms[0] as Platform);
    if (reference === null) return { platform: own, digest: null, runtime: null };
    const { parseReference } = await import('../../oci/reference.ts');
    const { readImageSet } = await import('../../jobs/image-set.ts');
    const { readRuntime } = await import('../../oci/runtime.ts');
    const source = await session.openSource(parseReference(reference));
    try {
      const { members } = await readImageSet(source, platforms, session.signal, [], session.limits);
      const images = members.flatMap(({ image }) => (image === null ? [] : [image]));
      const [image] = images;
      if (image === undefined || images.length > 1)
        throw new OcislimError('USAGE', `--image names ${images.length} images for ${own}`, {
          advice: 'Choose one by its digest.',
        });
      const { platform } = image.config;
      return {
        platform: platform === null ? own : formatPlatform(platform),
        digest: image.descriptor.digest,
        runtime: readRuntime(image.config),
      };
    } finally {
      await source.close();
    }
  } finally {
    session.stopProgress();
  }
}

/** This machine, as images name it. */
function machine(): Platform {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
  const { platform, arch } = process;
  return { os: platform, architecture: names[arch] ?? arch };
}

async function launchOf(
  values: Values,
  console: Console,
  command: readonly string[],
  runtime: Runtime | null,
) {
  const { enterRoot, launchHere } = await import('../../jobs/record/launch.ts');
  const root = text(values, 'root');
  if (root === null) {
    for (const name of ['user', 'env'])
      if (values[name] !== undefined) throw new OcislimError('USAGE', `--${name} goes with --root`);
    return launchHere(command, process.cwd(), console.env);
  }
  const env = pairs(values, 'env');
  if (env === null) throw new OcislimError('USAGE', '--env takes K=V');
  return enterRoot(
    {
      root,
      user: text(values, 'user') ?? runtime?.user ?? '',
      cwd: runtime?.workingDirectory || '/',
      env: { ...Object.fromEntries(runtime?.environment ?? []), ...env },
    },
    command,
    console.signal,
  );
}
