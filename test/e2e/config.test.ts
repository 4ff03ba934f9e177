/**
 * Edits the config of a real image as umoci does, and has skopeo read both; then slims by a recording of a new
 * entrypoint, and runs the result.
 */
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

it('writes shell forms, health checks and ranges of ports in the form that skopeo reads', async () => {
  const own = await configOf(
    await edited(
      'config',
      'dockerfile',
      `--shell '["/bin/ash","-ec"]' --entrypoint 'exec echo "$A"' --env A=x --expose 8000-8002 --stop-signal SIGQUIT --user nobody
       '--healthcheck=--interval=1m30s --timeout=5s --retries=2 CMD wget -q localhost || exit 1'`,
    ),
  );
  expect(own.config).toMatchObject({
    Entrypoint: ['/bin/ash', '-ec', 'exec echo "$A"'],
    User: 'nobody',
    StopSignal: 'SIGQUIT',
    ExposedPorts: { '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} },
  });
  expect(own.config).not.toHaveProperty('Cmd');
  expect(own.history.map((row) => row.created_by)).toEqual(
    expect.arrayContaining(['ENTRYPOINT ["/bin/ash","-ec","exec echo \\"$A\\""]', 'USER nobody']),
  );
});

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
