/**
 * Edits the config of a real image as umoci does, and has skopeo read both; then slims by a recording of a new
 * entrypoint, and runs the result.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseCommand } from '../../src/settings/command-words.ts';
import { ocislim } from '../support/e2e/cli.ts';
import { run, workFolder, removeFolder } from '../support/e2e/programs.ts';

const images = process.env['OCISLIM_TEST_IMAGES'] ?? '';
const source = `oci:${join(images, 'busybox')}:v1`;
let work: string;

beforeAll(() => {
  work = workFolder('config');
});
afterAll(() => removeFolder(work));

interface Config {
  readonly config: Readonly<Record<string, unknown>>;
  readonly author?: string;
  readonly rootfs: unknown;
  readonly history: readonly { readonly created_by?: string; readonly empty_layer?: boolean }[];
}

async function configOf(reference: string): Promise<Config> {
  return JSON.parse(await run('skopeo', ['inspect', '--config', reference])) as Config;
}

/** Runs a command on the image. `options` are as a shell takes them. Returns the reference of the result. */
async function edited(command: string, tag: string, options: string): Promise<string> {
  const target = `oci:${join(work, 'own')}:${tag}`;
  const { status, stderr } = await ocislim([
    command,
    source,
    target,
    '--progress',
    'none',
    ...parseCommand(options),
  ]);
  expect(status, stderr).toBe(0);
  return target;
}

it('says what umoci says after the same edit', async () => {
  const own = await configOf(
    await edited(
      'config',
      'umoci',
      `--env 'A=1 2' --env PATH=/bin --user 1000:1000 --workdir /tmp --entrypoint '["/bin/echo","-n"]' --cmd '["hi there"]'
       --expose 80 --expose 53/udp --volume /data --label k=v --stop-signal INT --author me`,
    ),
  );
  const layout = join(work, 'umoci');
  await run('skopeo', ['--insecure-policy', 'copy', '--quiet', source, `oci:${layout}:x`]);
  const same = `--author me --config.env 'A=1 2' --config.env PATH=/bin --config.user 1000:1000 --config.workingdir /tmp
    --config.entrypoint /bin/echo --config.entrypoint -n --config.cmd 'hi there' --config.exposedports 80/tcp
    --config.exposedports 53/udp --config.volume /data --config.label k=v --config.stopsignal SIGINT`;
  await run('umoci', ['config', '--image', `${layout}:x`, ...parseCommand(same)]);
  const other = await configOf(`oci:${layout}:x`);
  const sorted = ({ config, author, rootfs }: Config) => ({
    author,
    rootfs,
    config: { ...config, Env: (config['Env'] as readonly string[]).toSorted() },
  });
  expect(sorted(own)).toEqual(sorted(other));
  expect(other.history.filter((row) => row.empty_layer !== true)).toEqual(
    own.history.filter((row) => row.empty_layer !== true),
  );
});

it('says what a Dockerfile says that buildah builds: shell forms, a health check, a command that goes with its entrypoint', async () => {
  const first = await edited('config', 'base', `--cmd '["of the base"]'`);
  const own = `oci:${join(work, 'own')}:instructions`;
  const options = `--env A=x --entrypoint 'exec echo "$A"' --expose 80 --expose 53/udp --stop-signal SIGQUIT --user nobody --workdir /tmp
    --volume /data '--healthcheck=--interval=1m30s --timeout=5s --retries=2 CMD wget -q localhost || exit 1'`;
  const { status, stderr } = await ocislim(['config', first, own, ...parseCommand(options)]);
  expect(status, stderr).toBe(0);
  const instructions = `FROM oci:own:base
ENV A=x
ENTRYPOINT exec echo "$A"
EXPOSE 80 53/udp
STOPSIGNAL SIGQUIT
USER nobody
WORKDIR /tmp
VOLUME /data
HEALTHCHECK --interval=1m30s --timeout=5s --retries=2 CMD wget -q localhost || exit 1
`;
  const [folder, built] = [join(work, 'build'), `docker-archive:${join(work, 'built.tar')}`];
  mkdirSync(folder);
  writeFileSync(join(folder, 'Dockerfile'), instructions);
  const places = [
    '--root',
    join(work, 'root'),
    '--runroot',
    join(work, 'runroot'),
    '--storage-driver',
    'vfs',
  ];
  const build = ['build', '--isolation', 'chroot', '--format', 'docker', '-q', '-t', built, folder];
  // buildah knows no folder with capital letters, so it begins in ours.
  await run('/bin/sh', ['-euc', 'cd "$0"; exec buildah "$@"', work, ...places, ...build]);
  const config = async (reference: string) => {
    const text = await run('skopeo', ['inspect', '--raw', '--config', reference]);
    return runtimeIn(JSON.parse(text) as Config);
  };
  expect(await config(own)).toEqual(await config(built));
});

/** Returns what a config says about running, without what buildah adds, and without empty members. */
function runtimeIn({ config }: Config): Readonly<Record<string, unknown>> {
  const empty = ['null', 'false', '""', '[]', '{}'];
  return Object.fromEntries(
    Object.entries(config).filter(
      ([key, value]) => key !== 'Hostname' && key !== 'Labels' && !empty.includes(JSON.stringify(value)),
    ),
  );
}

it('slim --record records, tries and publishes the new entrypoint', async () => {
  const target = await edited(
    'slim',
    'recorded',
    `--record --run-for=0 --granularity=file --env GREETING=hello --entrypoint '["/bin/sh","-c"]' --cmd '["echo $GREETING; cat /etc/passwd"]'`,
  );
  const { config } = await configOf(target);
  expect(config).toMatchObject({ Entrypoint: ['/bin/sh', '-c'], Cmd: ['echo $GREETING; cat /etc/passwd'] });
  const { stdout } = await ocislim(['ls', target, '/etc']);
  expect(stdout).toContain('passwd');
  const [before, after] = await Promise.all(
    [source, target].map(async (reference) => (await ocislim(['ls', reference, '/', '-R'])).stdout),
  );
  expect((after ?? '').length).toBeLessThan((before ?? '').length);
});
